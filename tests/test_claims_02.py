"""Claims of notebook 02, Convolution by hand."""

import keras
import numpy as np
import pytest

from claims import claim, reason, seen_on_tensorflow, stated, table
from lesson import load_model


@pytest.fixture(scope="module")
def two_filters():
    """The weights of each colour of one, the left and right columns of the other."""
    rows = table("intro_two_filters")
    assert len(rows) == 3
    return rows


@pytest.fixture(scope="module")
def accuracy():
    """Accuracy by network and order of the pixels."""
    results = table("shuffled_digits")
    assert len(results) == 4
    return results.pivot(index="network", columns="pixels", values="accuracy")


# --- That what was judged is what the prose describes --------------------------------


def test_networks_are_what_the_prose_describes():
    """784 × 32 + 32 + 330, and 80 + 1,168 + 4,010."""
    counts = table("shuffled_digits").groupby("network")["parameters"].unique()
    assert list(counts["dense_network"]) == [25_450]
    assert list(counts["convolutional_network"]) == [5_258]
    assert 0.18 < 5_258 / 25_450 < 0.22, "about a fifth"


def test_every_network_learned(accuracy):
    """0.871 to 0.962; guessing would get 0.1.

    On the digits that it learned from the dense network has 0.938, on others at most 0.927.
    """
    assert accuracy.notna().all(axis=None)
    assert accuracy.gt(0.8).all(axis=None)
    assert accuracy.loc["dense_network"].max() < 0.933, "measured on what it learned from?"


# --- 3. Slide it -----------------------------------------------------------------------


@seen_on_tensorflow("other random numbers: within 0.022 on JAX")
@claim(
    "Every weight it has learned is within 0.02 of ours (0.001 to 0.01 over five seeds).",
)
def test_kernel_is_learned_from_examples():
    """Furthest weight: 0.0009 to 0.0097."""
    learned = table("learned_kernel")[["row_0", "row_1", "row_2"]].to_numpy().T
    assert abs(learned - [1, 0, -1]).max() < 0.02


# --- 4. Stride, padding, size --------------------------------------------------------


@reason("**size = floor((W − F + 2P) / S) + 1**")
@pytest.mark.parametrize("width", [6, 28, 32])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_rule_for_sizes(width, kernel, padding, stride):
    layer = keras.layers.Conv2D(1, kernel, strides=stride)
    padded = width + 2 * padding
    assert layer.compute_output_shape((1, padded, padded, 1))[1] == (
        (width - kernel + 2 * padding) // stride + 1
    )


# --- 9. Trained filters (spreads: model_intro fitted with seeds 1 to 5) --------------


def test_two_filters_are_those_of_the_network(two_filters):
    """The sums of red, green and blue, and the columns of one table of weights."""
    kernels = load_model("model_intro").get_layer("conv_1").get_weights()[0]
    by_colour = np.stack([kernels[:, :, colour].sum(axis=(0, 1)) for colour in range(3)])
    apart = by_colour.max(axis=0) - by_colour.min(axis=0)
    assert list(two_filters["colours"]) == pytest.approx(by_colour[:, apart.argmax()], abs=1e-4)
    tables = kernels.mean(axis=2)
    found = [np.allclose(tables[:, 0, i], two_filters["left"], atol=1e-4) for i in range(16)]
    assert sum(found) == 1
    assert np.allclose(tables[:, 2, np.argmax(found)], two_filters["right"], atol=1e-4)


@claim("The filter whose colours differ most adds up one colour and takes another away.")
def test_a_filter_that_sets_colours_apart(two_filters):
    """Largest sum 1.38 to 1.71, lowest −1.62 to −1.44; untrained −0.09 to 0.43, −0.58 to −0.02."""
    assert two_filters["colours"].max() > 0.7
    assert two_filters["colours"].min() < -0.7


@claim("Before training no filter's colours were half as far apart.")
def test_colours_were_not_apart_before(two_filters):
    """Untrained 0.73 to 1.18, trained 2.8 to 3.3."""
    colours = two_filters["colours"]
    assert two_filters["untrained"][0] < (colours.max() - colours.min()) / 2


@claim(
    "In the mean table of the filter most like our edge kernel every row is above 0.05 on the left "
    "and below −0.05 on the right.",
)
def test_a_filter_like_the_edge_kernel(two_filters):
    """Left 0.07 to 0.29, right −0.28 to −0.11; of untrained ones none is so in every row."""
    assert (two_filters["left"] > 0.05).all()
    assert (two_filters["right"] < -0.05).all()


# --- 10. Shuffled pixels -------------------------------------------------------------


@claim("Shuffling changes the dense network's accuracy by less than 0.02.")
def test_dense_network_does_not_care(accuracy):
    """0.920 to 0.927 in order, 0.920 to 0.927 shuffled; apart by at most 0.004."""
    row = accuracy.loc["dense_network"]
    assert abs(row["in order"] - row["shuffled"]) < 0.02


@claim(
    "The convolutional network, with about a fifth of the parameters, is ahead of it by more than "
    "0.015 on digits in order.",
)
def test_convolution_is_ahead_in_order(accuracy):
    """By 0.032 to 0.036."""
    in_order = accuracy["in order"]
    assert in_order["convolutional_network"] - in_order["dense_network"] > 0.015


@claim(
    "On shuffled digits it loses more than 0.05 and falls behind the dense network.",
)
def test_convolution_cares(accuracy):
    """Loses 0.081 to 0.086, and falls behind by 0.047 to 0.053."""
    row = accuracy.loc["convolutional_network"]
    assert row["in order"] - row["shuffled"] > 0.05
    assert row["shuffled"] < accuracy.loc["dense_network", "shuffled"]


# --- What follows from arithmetic --------------------------------------------------------


@stated("The pixel to the right is still the next number; the one below is 28 places away.")
def test_where_the_neighbours_go():
    row = np.arange(28 * 28)
    image = row.reshape(28, 28)
    assert image[10, 21] - image[10, 20] == 1
    assert image[11, 20] - image[10, 20] == 28


@stated("| **ReLU** | 0 | as it is |")
@stated("| **ELU** | bends towards −1 | as it is |")
@stated("| **tanh** | towards −1 | towards 1 |")
@stated("| **sigmoid** | up to one half | from one half to 1 |")
def test_what_activations_make_of_a_sum():
    low, high = np.linspace(-9, -0.01, 50), np.linspace(0.01, 9, 50)

    def values(name):
        function = keras.activations.get(name)
        return [keras.ops.convert_to_numpy(function(x.astype("float32"))) for x in (low, high)]

    below, above = values("relu")
    assert (below == 0).all()
    assert np.allclose(above, high)
    below, above = values("elu")
    assert below[0] == pytest.approx(-1, abs=0.001)
    assert np.allclose(above, high)
    below, above = values("tanh")
    assert (below[0], above[-1]) == pytest.approx((-1, 1), abs=0.001)
    below, above = values("sigmoid")
    assert (below.min(), below.max()) == pytest.approx((0, 0.5), abs=0.005)
    assert (above.min(), above.max()) == pytest.approx((0.5, 1), abs=0.005)


@stated("Nine tenths: the first dense layer joins each of 3,136 numbers to each of 64 units.")
def test_share_of_the_first_dense_layer():
    dense = keras.Sequential([keras.Input((7 * 7 * 64,)), keras.layers.Dense(64)]).count_params()
    assert dense == (3_136 + 1) * 64
    assert dense / 220_234 == pytest.approx(0.9, abs=0.05)
