"""What the checks of notebook 08 say: of right answers, of mistakes that learners make."""

import numpy as np
import pandas as pd
import pytest

from answers import assert_explained, is_right
from lesson import load_boston

(FEATURES, TARGETS), _ = load_boston()
TRAIN, VAL = FEATURES[:303], FEATURES[303:]
ALL_ROWS = np.arange(404)


def scaled(values, rows, ddof=0):
    return (values - rows.mean(axis=0)) / rows.std(axis=0, ddof=ddof)


JUNK = [7, "rows", 1.5, [], [1, 2], {}, {"a": 1}, np.ones((2, 2)), np.array([]), len, [None] * 4,
        [[1], [1, 2]], np.nan, [np.nan] * 90, [(1, 2)] * 4, [("a", "b")] * 4, [object()] * 4,
        pd.DataFrame({"a": [1]}), np.full((404, 13), "x"), range(3), {1, 2}]  # fmt: skip
EXERCISES = {
    "08-standardise": ("train_scaled", "val_scaled"),
    "08-folds": ("folds",),
    "08-smooth": ("smoothed_epochs", "smoothed_mae", "stop_epoch"),
    "08-leak": ("fixed_inputs",),
    "08-noise": ("noise_maes",),
}


def context(exercise):
    """What earlier cells have made when this check is run."""
    return {"08-smooth": {"average_mae": AVERAGE}, "08-leak": {"folds": FOLDS}}.get(exercise, {})


@pytest.mark.parametrize("exercise", EXERCISES)
def test_before_anything_is_done(said, exercise):
    assert said(exercise, **context(exercise)).startswith("Nothing to check yet: make ")


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__}-{junk!r:.20}")
def test_junk_is_wrong_and_explained(said, exercise, junk):
    assert_explained(
        said(exercise, **context(exercise), **dict.fromkeys(EXERCISES[exercise], junk))
    )


# --- 08-standardise ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("train", "val"),
    [
        (scaled(TRAIN, TRAIN), scaled(VAL, TRAIN)),
        (scaled(TRAIN, TRAIN).astype("float32"), scaled(VAL, TRAIN).tolist()),
        (pd.DataFrame(scaled(TRAIN, TRAIN)), pd.DataFrame(scaled(VAL, TRAIN, ddof=1))),
    ],
)
def test_standardised(said, train, val):
    assert is_right(said("08-standardise", train_scaled=train, val_scaled=val))


@pytest.mark.parametrize(
    ("train", "val", "reason"),
    [
        (scaled(TRAIN, TRAIN), scaled(VAL, VAL), "statistics of the validation rows"),
        (scaled(TRAIN, FEATURES), scaled(VAL, FEATURES), "statistics of all 404 rows"),
        (scaled(TRAIN, VAL), scaled(VAL, VAL), "statistics of the validation rows"),
        (TRAIN, VAL, "nothing was scaled"),
        (TRAIN - TRAIN.mean(axis=0), VAL, "division by the standard deviation is missing"),
        (TRAIN / TRAIN.std(axis=0), VAL, "subtraction of the mean is missing"),
        ((TRAIN - TRAIN.mean(axis=0)) / TRAIN.var(axis=0), VAL, "divided by the variance"),
        ((TRAIN - TRAIN.mean()) / TRAIN.std(), VAL, "See axis"),
        ((TRAIN - TRAIN.min(axis=0)) / np.ptp(TRAIN, axis=0), VAL, "between 0 and 1"),
        (scaled(TRAIN, TRAIN)[:, 0], scaled(VAL, TRAIN), "scaling keeps the shape"),
        (scaled(VAL, TRAIN), scaled(TRAIN, TRAIN), "scaling keeps the shape"),
        (scaled(TRAIN, TRAIN), scaled(VAL, TRAIN) * 2, "the values differ"),
    ],
)
def test_not_standardised(said, train, val, reason):
    text = said("08-standardise", train_scaled=train, val_scaled=val)
    assert reason in text
    assert not is_right(text)


# --- 08-folds ------------------------------------------------------------------------


def cut(first=lambda i: i * 101, end=lambda i: (i + 1) * 101, k=4):
    blocks = [np.arange(first(i), end(i)) for i in range(k)]
    return [(np.setdiff1d(ALL_ROWS, block), block) for block in blocks]


FOLDS = cut()


def as_masks():
    return [(~np.isin(ALL_ROWS, val), np.isin(ALL_ROWS, val)) for _, val in FOLDS]


@pytest.mark.parametrize(
    "folds",
    [
        FOLDS,
        tuple(FOLDS),
        [[train.tolist(), val.tolist()] for train, val in FOLDS],
        [(pd.Series(train), range(val[0], val[-1] + 1)) for train, val in FOLDS],
        [(train[::-1], val.astype(float)) for train, val in FOLDS],
        as_masks(),
    ],
    ids=["solution", "tuple", "lists", "ranges", "reversed", "masks"],
)
def test_folds(said, folds):
    text = said("08-folds", folds=folds)
    assert is_right(text)
    assert "·" not in text


def test_shuffled_folds_are_right_and_noted(said):
    rows = np.random.default_rng(0).permutation(404)
    folds = [(np.setdiff1d(ALL_ROWS, val), val) for val in np.split(rows, 4)]
    text = said("08-folds", folds=folds)
    assert is_right(text)
    assert "· Your folds are cut otherwise" in text


@pytest.mark.parametrize(
    ("folds", "reason"),
    [
        (cut(end=lambda i: (i + 1) * 101 + 10)[:3] + cut()[3:], "the folds overlap"),
        (cut(first=lambda i: i * 50, end=lambda i: i * 50 + 101), "the folds overlap, and"),
        (FOLDS[:3], "3 in the list; the task asks for 4. Does the loop stop one too early?"),
        (cut(first=lambda i: i * 100, end=lambda i: (i + 1) * 100), "4 rows never validate"),
        (cut(end=lambda i: (i + 1) * 101 - 1), "4 rows never validate"),
        (cut(first=lambda i: [0, 102, 202, 303][i], end=lambda i: [102, 202, 303, 404][i]),
         "make them equal"),
        ([(ALL_ROWS, val) for _, val in FOLDS], "[101, 101, 101, 101] rows are in both parts"),
        ([(np.arange(val[0]), val) for _, val in FOLDS], "take all rows that do not validate"),
        ([(np.append(train, train[0]), val) for train, val in FOLDS], "stand there twice"),
        ([(val, train) for train, val in FOLDS], "the other way round"),
        ([(train + 1, val + 1) for train, val in FOLDS], "row numbers go from 0 to 403"),
        ([(FEATURES[train], FEATURES[val]) for train, val in FOLDS], "not the rows themselves"),
        ([(TARGETS[train], TARGETS[val]) for train, val in FOLDS], "not the rows themselves"),
        ([val for _, val in FOLDS], "is not a pair"),
        (cut(end=lambda i: (i + 1) * 101, k=5), "5 in the list; the task asks for 4."),
        ("folds", "should be a list of pairs"),
    ],
)  # fmt: skip
def test_folds_that_are_wrong(said, folds, reason):
    text = said("08-folds", folds=folds)
    assert reason in text
    assert not is_right(text)


# --- 08-smooth -----------------------------------------------------------------------

EPOCHS = np.arange(1, 101)
AVERAGE = 2.4 + 2 / EPOCHS + 0.0001 * (EPOCHS - 50) ** 2
AVERAGE += 0.1 * np.random.default_rng(0).normal(size=100)


def smooth(values, factor=0.9, start=None):
    result = [] if start is None else [start]
    for value in values:
        result.append(factor * result[-1] + (1 - factor) * value if result else value)
    return np.array(result if start is None else result[1:])


MAE = smooth(AVERAGE[10:])
STOP = int(np.argmin(MAE)) + 11


@pytest.mark.parametrize(
    ("epochs", "mae", "stop"),
    [
        (np.arange(11, 101), MAE, STOP),
        (range(11, 101), list(MAE), np.int64(STOP)),
        (list(range(11, 101)), pd.Series(MAE), float(STOP)),
        (EPOCHS[10:], pd.Series(AVERAGE[10:]).ewm(alpha=0.1, adjust=False).mean(), STOP),
    ],
)
def test_smoothed(said, epochs, mae, stop):
    text = said(
        "08-smooth",
        average_mae=AVERAGE,
        smoothed_epochs=epochs,
        smoothed_mae=mae,
        stop_epoch=stop,
    )
    assert is_right(text)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("smoothed_epochs", range(1, 91), "the true epochs are lost"),
        ("smoothed_epochs", range(90), "places in a list"),
        ("smoothed_epochs", range(10, 100), "place 10 of the list holds the eleventh value"),
        ("smoothed_epochs", range(1, 101), "ten epochs are to be left out"),
        ("smoothed_epochs", range(11, 100), "np.arange leaves out"),
        ("smoothed_epochs", range(12, 102), "they go from 12 to 101"),
        ("smoothed_mae", AVERAGE[10:], "nothing was smoothed"),
        ("smoothed_mae", smooth(AVERAGE[10:], factor=0), "nothing was smoothed"),
        ("smoothed_mae", smooth(AVERAGE[10:], factor=0.1), "wrong term"),
        ("smoothed_mae", smooth(AVERAGE), "the first ten epochs are still in"),
        ("smoothed_mae", smooth(AVERAGE)[10:], "Leave them out before"),
        ("smoothed_mae", smooth(AVERAGE[10:], start=0), "it starts from 0"),
        ("smoothed_mae", np.append(AVERAGE[10], 0.9 * AVERAGE[10:-1] + 0.1 * AVERAGE[11:]),
         "uses the unsmoothed value before it"),
        ("smoothed_mae", list(MAE) * 2, "180 values"),
        ("smoothed_mae", smooth(AVERAGE[10:], factor=0.8), "the values differ"),
        ("stop_epoch", STOP - 11, "its place among the ninety"),
        ("stop_epoch", STOP - 10, "the trap described above"),
        ("stop_epoch", STOP - 1, "one off"),
        ("stop_epoch", int(np.argmin(AVERAGE)) + 1, "there the ragged line is lowest"),
        ("stop_epoch", 3, "look for the epoch"),
    ],
)  # fmt: skip
def test_smoothed_wrongly(said, name, value, reason):
    right = {"smoothed_epochs": EPOCHS[10:], "smoothed_mae": MAE, "stop_epoch": STOP}
    text = said("08-smooth", average_mae=AVERAGE, **{**right, name: value})
    assert f"✗ {name}: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")


@pytest.mark.parametrize("average", [AVERAGE[:3], "mae", [1, None], 4])
def test_smoothing_of_something_else(said, average):
    text = said(
        "08-smooth",
        average_mae=average,
        smoothed_epochs=EPOCHS[10:],
        smoothed_mae=MAE,
        stop_epoch=STOP,
    )
    assert "run the cell that makes it once more" in text


# --- 08-leak -------------------------------------------------------------------------


def inputs(rows_of):
    return [scaled(FEATURES, FEATURES[rows_of(train, val)]) for train, val in FOLDS]


@pytest.mark.parametrize(
    "fixed",
    [
        inputs(lambda train, val: train),
        tuple(inputs(lambda train, val: train)),
        np.array(inputs(lambda train, val: train), "float32"),
        [pd.DataFrame(array) for array in inputs(lambda train, val: train)],
    ],
)
def test_leak_is_closed(said, fixed):
    assert is_right(said("08-leak", folds=FOLDS, fixed_inputs=fixed))


@pytest.mark.parametrize(
    ("fixed", "reason"),
    [
        (inputs(lambda train, val: ALL_ROWS), "it still leaks"),
        (inputs(lambda train, val: val), "statistics of the validation rows"),
        ([FEATURES] * 4, "nothing was scaled"),
        (inputs(lambda train, val: train)[::-1], "Is it another fold's?"),
        (inputs(lambda train, val: train)[:3], "it is 3 long"),
        (inputs(lambda train, val: train)[0], "it is 404 long"),
        ([scaled(FEATURES[t], FEATURES[t]) for t, _ in FOLDS], "yours is of shape (303, 13)"),
        (4, "it is no list"),
    ],
)
def test_leak_is_open(said, fixed, reason):
    text = said("08-leak", folds=FOLDS, fixed_inputs=fixed)
    assert reason in text
    assert not is_right(text)


def test_leak_with_spoilt_folds(said):
    text = said("08-leak", folds=[1], fixed_inputs=inputs(lambda train, val: train))
    assert "Run the cells of exercise 2 again" in text


# --- 08-noise ------------------------------------------------------------------------

NOISE, PRICES = np.random.default_rng(8).normal(size=(100, 20_000)), TARGETS[:100]
HUNDRED = np.arange(100)


def best_columns(rows, count=20):
    """By the share of variance explained, another way than the notebook's."""
    x, y = NOISE[rows] - NOISE[rows].mean(axis=0), PRICES[rows] - PRICES[rows].mean()
    slopes = y @ x / (x**2).sum(axis=0)
    left_over = ((y[:, None] - slopes * x) ** 2).sum(axis=0)
    return np.argsort(left_over)[:count]


def maes_of_noise(choose_on, fit_on, measure_on):
    result = []
    for val in np.split(HUNDRED, 4):
        rows = {"all": HUNDRED, "train": np.setdiff1d(HUNDRED, val), "val": val}
        x = np.column_stack([NOISE[:, best_columns(rows[choose_on])], np.ones(100)])
        fit, test = rows[fit_on], rows[measure_on]
        weights = np.linalg.lstsq(x[fit], PRICES[fit], rcond=None)[0]
        result.append(np.abs(x[test] @ weights - PRICES[test]).mean())
    return result


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_noise_is_chosen_inside(said, kind):
    assert is_right(said("08-noise", noise_maes=kind(maes_of_noise("train", "train", "val"))))


@pytest.mark.parametrize(
    ("maes", "reason"),
    [
        (maes_of_noise("all", "train", "val"), "it still leaks"),
        (maes_of_noise("val", "train", "val"), "chosen on the validation rows"),
        (maes_of_noise("train", "train", "train"), "the rows it was fitted to"),
        (maes_of_noise("train", "all", "val"), "in each fold, choose 20 columns"),
        (np.mean(maes_of_noise("train", "train", "val")), "four numbers"),
        ([8.4] * 3, "four numbers"),
    ],
)
def test_noise_is_chosen_wrongly(said, maes, reason):
    text = said("08-noise", noise_maes=maes)
    assert reason in text
    assert not is_right(text)


# What the solutions need; see test_checks.py.
PREPARE = {
    "08-standardise": ["load-data"],
    "08-folds": [],
    "08-smooth": lambda: context("08-smooth"),
    "08-leak": ["load-data", "exercise-folds-solution"],
    "08-noise": ["load-data", "linear-mae", "noise-leaky"],
}
