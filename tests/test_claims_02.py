"""Claims of notebook 02, Convolution by hand."""

import pytest
from claims import claim, table


@pytest.fixture(scope="module")
def colour():
    shares = table("intro_filters")
    assert list(shares["filter"]) == list(range(1, 17))
    assert shares["colour"].between(0, 1).all()
    return shares["colour"]


@pytest.fixture(scope="module")
def zeros():
    return table("intro_zeros").iloc[0]


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
    """0.87 to 0.96; guessing would get 0.1."""
    assert accuracy.notna().all(axis=None)
    assert accuracy.gt(0.8).all(axis=None)


# --- 3. Without loops ----------------------------------------------------------------


@claim("02", "Without loops the two hundred maps take less than a fifth of the time.")
def test_without_loops_is_faster():
    """A fiftieth to an eightieth."""
    seconds = table("convolution_times").set_index("function")["seconds"]
    assert 0 < seconds["convolve_2d"] < seconds["convolve_loops"] / 5


# --- 9. Trained filters (spreads: model_intro fitted with seeds 1 to 5) --------------


@claim(
    "02",
    "At least three of the sixteen filters treat the three colours nearly alike, with a share "
    "below 0.4, and at least three consist mostly of differences between colours, with a share "
    "above 0.55.",
)
def test_filters_for_shape_and_for_colour(colour):
    """Below 0.4: 7 to 9 of them; above 0.55: 5 to 8."""
    assert (colour < 0.4).sum() >= 3
    assert (colour > 0.55).sum() >= 3


@claim(
    "02",
    "About half of the numbers in the maps of `conv_1` are 0, and about seven in ten in those of "
    "`conv_2`.",
)
def test_relu_leaves_many_zeros(zeros):
    """0.46 to 0.55, and 0.69 to 0.71."""
    assert 0.38 < zeros["conv_1"] < 0.62
    assert 0.62 < zeros["conv_2"] < 0.78


# --- 10. Shuffled pixels -------------------------------------------------------------


@claim("02", "Shuffling changes the dense network's accuracy by less than 0.02.")
def test_dense_network_does_not_care(accuracy):
    """0.920 to 0.927 in order, 0.920 to 0.927 shuffled; apart by at most 0.004."""
    row = accuracy.loc["dense_network"]
    assert abs(row["in order"] - row["shuffled"]) < 0.02


@claim(
    "02",
    "The convolutional network, with about a fifth of the parameters, is ahead of it by more than "
    "0.015 on digits in order.",
)
def test_convolution_is_ahead_in_order(accuracy):
    """By 0.032 to 0.036."""
    in_order = accuracy["in order"]
    assert in_order["convolutional_network"] - in_order["dense_network"] > 0.015


@claim(
    "02",
    "On shuffled digits it loses more than 0.05 and falls behind the dense network.",
)
def test_convolution_cares(accuracy):
    """Loses 0.081 to 0.086, and falls behind by 0.047 to 0.053."""
    row = accuracy.loc["convolutional_network"]
    assert row["in order"] - row["shuffled"] > 0.05
    assert row["shuffled"] < accuracy.loc["dense_network", "shuffled"]
