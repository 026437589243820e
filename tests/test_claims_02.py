"""Claims of notebook 02, Convolution by hand."""

import pytest

from claims import claim, table


@pytest.fixture(scope="module")
def filters():
    """Of each of the sixteen: share of colour, sum of weights, loudest answer."""
    rows = table("intro_filters")
    assert len(rows) == 16
    assert rows[["colour", "untrained"]].ge(0).all(axis=None)
    assert rows[["colour", "untrained"]].le(1.001).all(axis=None)
    return rows


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
    """0.871 to 0.962; guessing would get 0.1."""
    assert accuracy.notna().all(axis=None)
    assert accuracy.gt(0.8).all(axis=None)


# --- 3. Without loops ----------------------------------------------------------------


@claim("Without loops the two hundred maps take less than a fifth of the time.")
def test_without_loops_is_faster():
    """A fiftieth to an eightieth."""
    seconds = table("convolution_times").set_index("function")["seconds"]
    assert 0 < seconds["convolve_2d"] < seconds["convolve_loops"] / 5


# --- 9. Trained filters (spreads: model_intro fitted with seeds 1 to 5) --------------


@claim(
    "At least five of the sixteen trained filters have a share of colour below 0.4, of the "
    "untrained at most two.",
)
def test_some_filters_treat_the_colours_alike(filters):
    """7, 7, 7, 9 and 7 of the trained; 1, 1, 0, 1 and 0 of the untrained."""
    assert (filters["colour"] < 0.4).sum() >= 5
    assert (filters["untrained"] < 0.4).sum() <= 2
    assert 0.5 < filters["untrained"].mean() < 0.8, "two thirds, were all weights independent"


@claim("The filter with the largest share adds up one colour and takes another away.")
def test_a_filter_that_sets_colours_apart(two_filters):
    """Largest sum 1.00 to 1.71, lowest −1.62 to −1.32; untrained −0.09 to 0.43, −0.58 to −0.02."""
    assert two_filters["colours"].max() > 0.7
    assert two_filters["colours"].min() < -0.7


def test_the_one_read_aloud_sets_red_against_green(two_filters):
    """1.64 and −1.62 in the run; with the other seeds it is red and blue."""
    assert two_filters["colours"].idxmax() == 0
    assert two_filters["colours"].idxmin() == 1


@claim(
    "In the filter most like our edge kernel every row is above 0.05 on the left and below −0.05 "
    "on the right.",
)
def test_a_filter_like_the_edge_kernel(two_filters):
    """Left 0.07 to 0.29, right −0.28 to −0.11; of untrained ones none is so in every row."""
    assert (two_filters["left"] > 0.05).all()
    assert (two_filters["right"] < -0.05).all()


@claim(
    "Two filters answer to none of the thousand photographs, and in these two the weights add up "
    "to less than −1, in no other.",
)
def test_silent_filters(filters):
    """−1.38 and −1.13 with seed 3, that of the run; with others none, and no sum below −0.69."""
    silent = filters["answer"] == 0
    assert silent.sum() == 2
    assert (silent == (filters["sum"] < -1)).all()


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
