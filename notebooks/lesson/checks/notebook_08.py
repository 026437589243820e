"""Checks of notebook 08, Boston: K-fold."""

import functools
from collections.abc import Callable
from numbers import Real

import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    array,
    as_array,
    called,
    changed,
    judged,
    note,
    number,
    right,
    smoothed,
    wrong,
)
from lesson.datasets import load_boston

FOLDS, ROWS = 4, 404
SIZE = ROWS // FOLDS


@functools.cache
def _data():
    """Features and targets as they come: those in the kernel may have been changed."""
    (features, targets), _ = load_boston()
    return features, targets


# --- 1. Standardise ---------------------------------------------------------------


def _scaled(values, rows):
    """`values` standardised by the statistics of `rows`."""
    return (values - rows.mean(axis=0)) / rows.std(axis=0)


@exercise("08-standardise", "make train_scaled and val_scaled")
def standardise(train_scaled: object, val_scaled: object):
    features, _ = _data()
    yield _judge_scaled("train_scaled", train_scaled, features[:303])
    yield _judge_scaled("val_scaled", val_scaled, features[303:])


def _judge_scaled(name, given, part):
    features, _ = _data()
    train, val = features[:303], features[303:]
    which = "its own" if len(part) == 303 else "the training rows'"
    low, span = train.min(axis=0), np.ptp(train, axis=0)
    return array(
        name,
        given,
        _scaled(part, train),
        f"scaled by {which} mean and standard deviation.",
        {
            "these are the values as they were: nothing was scaled.": part,
            "this looks scaled by the statistics of all 404 rows. May the validation rows help to "
            "make the yardstick?": _scaled(part, features),
            "this looks scaled by the statistics of the validation rows. Which rows are allowed to "
            "make the yardstick?": _scaled(part, val),
            "the mean is subtracted; the division by the standard deviation is missing.": (
                part - train.mean(axis=0)
            ),
            "divided by the standard deviation; the subtraction of the mean is missing.": (
                part / train.std(axis=0)
            ),
            "divided by the variance; its square root is the standard deviation.": (
                (part - train.mean(axis=0)) / train.var(axis=0)
            ),
            "one mean for the whole table: each column needs its own. See axis.": (
                (part - train.mean()) / train.std()
            ),
            "this puts the values between 0 and 1. The task asks for mean and standard "
            "deviation.": (part - low) / span,
        },
        "the values differ from (rows − mean) / std with the mean and std of the columns of "
        "train_part.",
        tolerance=2e-3,
    )


# --- 2. Cut the folds -------------------------------------------------------------


def _row_numbers(value):
    """Row numbers as integers, whether given as numbers or as a mask; None if neither."""
    if isinstance(value, range | set):
        value = sorted(value)
    array = np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else as_array(value)
    if array is None or array.ndim != 1 or array.dtype == object:
        return None
    if array.dtype == bool:
        return np.flatnonzero(array) if len(array) == ROWS else None
    if not array.size:
        return array.astype(int)
    numbers = as_array(array)
    if numbers is None or np.any(numbers != np.round(numbers)):
        return None
    return numbers.astype(int)


def _pairs(folds):
    """`folds` as pairs of row numbers, or a line that says what it is not."""
    if isinstance(folds, str | dict | Real) or not hasattr(folds, "__len__"):
        return None, "folds: this should be a list of pairs (train_rows, val_rows)."
    if len(folds) != FOLDS:
        hint = " Does the loop stop one too early?" if len(folds) == FOLDS - 1 else ""
        return None, f"folds: {len(folds)} in the list; the task asks for {FOLDS}.{hint}"
    pairs = []
    for i, pair in enumerate(folds, start=1):
        if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
            return None, f"folds: entry {i} is not a pair (train_rows, val_rows)."
        rows = [_row_numbers(part) for part in pair]
        if rows[0] is None or rows[1] is None:
            return None, (
                f"folds: entry {i} should hold row numbers, whole numbers such as 0, 1, 2, in "
                "two flat arrays, not the rows themselves."
            )
        pairs.append(rows)
    return pairs, None


@exercise("08-folds", "make folds, a list of four pairs")
def folds(folds: object):
    pairs, fault = _pairs(folds)
    if fault:
        yield wrong(fault)
        return
    every = np.concatenate([part for pair in pairs for part in pair])
    if every.size and (every.min() < 0 or every.max() >= ROWS):
        yield wrong(f"row numbers go from 0 to {ROWS - 1}; yours from {every.min()} to "
                    f"{every.max()}.")  # fmt: skip
        return
    if all(len(train) == SIZE and len(val) == ROWS - SIZE for train, val in pairs):
        yield wrong("the pairs are the other way round: (train_rows, val_rows), in this order.")
        return
    yield _judge_validation(pairs)
    yield _judge_disjoint(pairs)
    yield _judge_training(pairs)
    in_order = all(
        np.array_equal(np.sort(val), np.arange(i * SIZE, (i + 1) * SIZE))
        for i, (_, val) in enumerate(pairs)
    )
    if not in_order and np.array_equal(_validated(pairs), np.arange(ROWS)):
        yield note("Your folds are cut otherwise than 0–100, 101–201, …: the numbers below will "
                   "differ from the text's.")  # fmt: skip


def _validated(pairs):
    return np.sort(np.concatenate([val for _, val in pairs]))


def _judge_validation(pairs):
    sizes = [len(val) for _, val in pairs]
    counts = np.bincount(_validated(pairs), minlength=ROWS)
    twice, never = int(np.sum(counts > 1)), int(np.sum(counts == 0))
    if twice:
        return wrong(
            f"validation: {twice} rows validate more than once, so the folds overlap"
            + (f", and {never} never do." if never else ".")
        )
    if never:
        return wrong(f"validation: {never} rows never validate. Where does the last fold end?")
    return judged(
        sizes == [SIZE] * FOLDS,
        "validation: every row once, 101 in each fold.",
        f"validation: every row once, but the folds have {sizes} rows; make them equal.",
    )


def _judge_disjoint(pairs):
    both = [len(np.intersect1d(train, val)) for train, val in pairs]
    return judged(
        not any(both),
        "training: no row of a fold's training part validates in that fold.",
        f"training: in the four pairs {both} rows are in both parts. A model may not be measured "
        "on rows that it learned from.",
    )


def _judge_training(pairs):
    missing = [
        ROWS - len(np.union1d(train, val)) for train, val in pairs
    ]  # rows that are in neither part
    repeated = [len(train) - len(np.unique(train)) for train, _ in pairs]
    if any(repeated):
        return wrong(f"training: in the four pairs {repeated} row numbers stand there twice.")
    return judged(
        not any(missing),
        "training: all the rows that do not validate.",
        f"training: in the four pairs {missing} rows are in neither part; take all rows that do "
        "not validate, those before the fold and those after it.",
    )


# --- 3. Smooth --------------------------------------------------------------------


@exercise("08-smooth", "make smoothed_epochs, smoothed_mae and stop_epoch")
def smooth(average_mae: object, smoothed_epochs: object, smoothed_mae: object, stop_epoch: Real):
    average = as_array(average_mae)
    if average is None or average.shape != (100,):
        yield changed("average_mae")
        return
    yield _judge_epochs(smoothed_epochs)
    yield _judge_smoothed(smoothed_mae, average)
    yield _judge_stop(stop_epoch, average)


def _judge_epochs(given):
    return array(
        "smoothed_epochs",
        given,
        np.arange(11, 101),
        "the true epochs of the values that are left.",
        {
            "these count from 1, so the true epochs are lost. To which epoch does the first value "
            "that is left belong?": np.arange(1, 91),
            "these are places in a list, which count from 0. To which epoch does the first value "
            "that is left belong?": np.arange(90),
            "place 10 of the list holds the eleventh value, and epochs count from 1.": (
                np.arange(10, 100)
            ),
            "ten epochs are to be left out.": np.arange(1, 101),
            "the last epoch is 100; np.arange leaves out the number where it ends.": (
                np.arange(11, 100)
            ),
        },
        "ninety numbers, but not those of the epochs that are left.",
        tolerance=1e-6,
    )


def _judge_smoothed(given, average):
    kept = average[10:]
    found = as_array(given)
    if found is not None and found.ndim != 1:
        return wrong("smoothed_mae: this should be ninety numbers in a row.")
    return array(
        "smoothed_mae",
        given,
        smoothed(kept),
        "the exponential moving average with factor 0.9.",
        {
            "nothing was smoothed: these are the values as they were.": kept,
            "the factor is on the wrong term: the smooth point *before* has weight 0.9.": (
                smoothed(kept, 0.1)
            ),
            "the first ten epochs are still in.": smoothed(average),
            "the first ten epochs were left out after smoothing, and have dragged the line up. "
            "Leave them out before.": smoothed(average)[10:],
            "it starts from 0. The first value has nothing before it; take it as it comes.": (
                smoothed(np.append(0, kept))[1:]
            ),
            "each point uses the unsmoothed value before it; use the smooth point before it.": (
                np.append(kept[0], 0.9 * kept[:-1] + 0.1 * kept[1:])
            ),
        },
        "the values differ from 0.9 × the smooth point before + 0.1 × the new value. If you ran "
        "your cell twice, start with an empty list.",
    )


def _judge_stop(stop, average):
    place = int(np.argmin(smoothed(average[10:])))
    return number(
        "stop_epoch",
        stop,
        place + 11,
        "where the smoothed line is lowest.",
        {
            "that is its place among the ninety, which counts from 0. Which epoch is there?": place,
            "that numbers the ninety from 1, the trap described above: ten epochs early.": (
                place + 1
            ),
            "one off: epochs count from 1, places from 0.": place + 10,
            "there the ragged line is lowest; the task asks for the smoothed one.": (
                int(np.argmin(average)) + 1
            ),
        },
        "look for the epoch at which smoothed_mae is lowest.",
    )


# --- 4. Find the leak -------------------------------------------------------------


@exercise("08-leak", "make fixed_inputs, a list of four arrays")
def leak(fixed_inputs: object, folds: object):
    pairs, fault = _pairs(folds)
    if fault:
        yield changed("folds")
        return
    if not isinstance(fixed_inputs, list | tuple | np.ndarray) or len(fixed_inputs) != FOLDS:
        is_long = hasattr(fixed_inputs, "__len__")
        yield wrong(
            "fixed_inputs: this should be a list of four arrays, one a fold; it is "
            f"{f'{len(fixed_inputs)} long' if is_long else 'no list'}."
        )
        return
    for i, (given, (train, val)) in enumerate(zip(fixed_inputs, pairs, strict=True), start=1):
        yield _judge_inputs(f"fold {i}", given, train, val, pairs)


def _judge_inputs(fold, given, train, val, pairs):
    features, _ = _data()
    rows = features[train]
    each = features.copy()
    each[train], each[val] = _scaled(rows, rows), _scaled(features[val], features[val])
    others = tuple(_scaled(features, features[other]) for other, _ in pairs)
    return array(
        fold,
        given,
        _scaled(features, rows),
        "scaled by the statistics of its training rows.",
        {
            "it still leaks: the mean and standard deviation of all rows. Which rows may make "
            "them in this fold?": _scaled(features, features),
            "scaled by the statistics of the validation rows, the very ones that should have no "
            "part.": _scaled(features, features[val]),
            "the validation rows are scaled by their own statistics. They are to be measured by "
            "the same yardstick as the training rows.": each,
            "these are the features as they were: nothing was scaled.": features,
            "the mean is subtracted; the division by the standard deviation is missing.": (
                features - rows.mean(axis=0)
            ),
            "the mean is of the training rows, the standard deviation of all rows: half of the "
            "leak is left.": (features - rows.mean(axis=0)) / features.std(axis=0),
            "the standard deviation is of the training rows, the mean of all rows: half of the "
            "leak is left.": (features - features.mean(axis=0)) / rows.std(axis=0),
            "one mean for the whole table: each column needs its own. See axis.": (
                (features - rows.mean()) / rows.std()
            ),
            "these are the training rows alone. Scale all 404, each fold picks its own later.": (
                _scaled(rows, rows)
            ),
            "scaled by the statistics of another fold's training rows.": others,
        },
        "the values differ from (features − mean) / std with the mean and std of the columns of "
        "this fold's train_rows.",
        tolerance=1e-4,
    )


# --- 5. Close the door ------------------------------------------------------------


def _best_columns(features, targets, count=20):
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    return np.argsort(np.abs(z.T @ (targets - targets.mean())))[-count:]


def _linear_mae(train_x, train_y, val_x, val_y):
    train_x = np.column_stack([train_x, np.ones(len(train_x))])
    val_x = np.column_stack([val_x, np.ones(len(val_x))])
    weights = np.linalg.lstsq(train_x, train_y, rcond=None)[0]
    return float(np.abs(val_x @ weights - val_y).mean())


@functools.cache
def _noise_maes(choose, fit, measure):
    """The MAE of each fold, with columns chosen, fitted and measured on such rows."""
    noise, prices = np.random.default_rng(8).normal(size=(100, 20_000)), _data()[1][:100]
    maes = []
    for val in np.split(np.arange(100), 4):
        rows = {"all": np.arange(100), "train": np.setdiff1d(np.arange(100), val), "val": val}
        columns = _best_columns(noise[rows[choose]], prices[rows[choose]])
        x = noise[:, columns]
        maes.append(
            _linear_mae(x[rows[fit]], prices[rows[fit]], x[rows[measure]], prices[rows[measure]])
        )
    return np.array(maes)


@exercise("08-noise", "make noise_maes, a list of four numbers")
def noise(noise_maes: object):
    found = as_array(noise_maes)
    if found is None or found.shape != (4,):
        yield wrong("noise_maes: this should be four numbers, one for each pair in noise_folds.")
        return
    yield array(
        "noise_maes",
        found,
        _noise_maes("train", "train", "val"),
        "in each fold the columns are chosen on the training rows alone.",
        {
            "it still leaks: the columns were chosen on all 100 rows.": (
                _noise_maes("all", "train", "val")
            ),
            "the columns were chosen on the validation rows, those with the answers that must "
            "stay hidden.": _noise_maes("val", "train", "val"),
            "the columns are chosen well; but the model is measured on the rows it was fitted "
            "to.": _noise_maes("train", "train", "train"),
            "the columns are chosen well; but the model is fitted on the validation rows.": (
                _noise_maes("train", "val", "val"),
                _noise_maes("train", "val", "train"),
            ),
        },
        "in each fold, choose 20 columns by best_columns on the training rows and their prices, "
        "fit on the training rows, and measure on the validation rows.",
        tolerance=2e-3,
    )


# --- 6. A better model ------------------------------------------------------------

GOAL = 2.4
BY_WEIGHTED_SUM, ALWAYS_THE_MEAN = 3.63, 6.68
TOO_GOOD = 1.2  # half of what any model of these 13 features is known to reach
OF_THE_TEST = {"test_set", "test_features", "test_targets", "test_x"}
WITH_ANSWERS = {
    "train_features", "train_targets", "train_part", "train_prices", "train_scaled", "val_part",
    "val_prices", "val_scaled", "errors", "priced", "folds", "fixed_inputs", "leaky_inputs",
    "load_boston",
}  # fmt: skip


@exercise("08-better", "write the function price_districts")
def better(price_districts: Callable):
    reads = _names_read(price_districts)
    if found := sorted(reads & OF_THE_TEST):
        yield wrong(f"price_districts: it uses {found[0]}. The test set stays shut.")
        return
    if found := sorted(reads & WITH_ANSWERS):
        yield wrong(
            f"price_districts: it uses {found[0]}, where the validation rows are too, so it leaks. "
            "Use train_x, train_y and val_x alone."
        )
        return
    maes, fault = _maes_of(price_districts)
    yield fault or _judge_maes(maes)


def _names_read(function, depth=3):
    """The names that a learner's function reads, and those that functions it calls read."""
    names, codes = set(), [getattr(function, "__code__", None)]
    for code in codes:
        if hasattr(code, "co_names"):
            names |= {*code.co_names, *code.co_freevars}
            codes += code.co_consts  # functions that are written inside
    around = getattr(function, "__globals__", None) or {}
    for name in list(names) if depth else ():
        if getattr(around.get(name), "__globals__", None) is around:
            names |= _names_read(around[name], depth - 1)
    return names


def _maes_of(price):
    """The MAE of each fold, and None; or None and a line on why there is none."""
    features, prices = _data()
    maes = []
    for val in np.split(np.arange(ROWS), FOLDS):
        train = np.setdiff1d(np.arange(ROWS), val)
        given = features[train], prices[train], features[val]
        found, fault = called("price_districts", price, *given, patience=20)
        if fault:
            return None, fault
        predicted = as_array(found)
        if predicted is None:
            return None, wrong(
                f"price_districts: it returns something of type {type(found).__name__}. It should "
                "return the prices themselves, one for each row of val_x."
            )
        if predicted.size != SIZE:
            which = {
                len(train): " Those are the training rows.",
                1: " Is that an error, not prices?",
            }
            return None, wrong(
                f"price_districts: it returns {predicted.size} numbers for the {SIZE} rows of "
                f"val_x.{which.get(predicted.size, '')}"
            )
        maes.append(np.abs(predicted.ravel() - prices[val]).mean())
    return maes, None


def _judge_maes(maes):
    mean = np.mean(maes)
    reached = f"K-fold MAE {mean:.2f} (folds {', '.join(f'{mae:.2f}' for mae in maes)})"
    if mean < TOO_GOOD:
        return wrong(f"{reached}: too good to be true. From where does it know the prices?")
    if mean < GOAL:
        return right(f"{reached}, below {GOAL:.2f}.")
    if mean > 2 * ALWAYS_THE_MEAN:
        why = "as if nothing had been learned. Is it fitted, and for long enough?"
    elif mean > ALWAYS_THE_MEAN - 0.01:
        why = "no better than always saying the mean price. Is it fitted, on scaled features?"
    elif mean > BY_WEIGHTED_SUM - 0.01:
        why = "no better than a weighted sum. Scaled? Fitted for long enough?"
    elif mean > GOAL + 0.1:
        why = f"better than a weighted sum, not below {GOAL:.2f} yet."
    else:
        why = f"close to {GOAL:.2f}, not below it yet."
    return wrong(f"{reached}: {why}")
