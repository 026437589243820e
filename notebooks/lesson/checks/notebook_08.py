"""Checks of notebook 08, Boston: K-fold."""

import numbers

import numpy as np

from lesson.checks.engine import exercise, judged, note, numbers_in, right, wrong
from lesson.datasets import load_boston

FOLDS, ROWS = 4, 404
SIZE = ROWS // FOLDS


def _data():
    """Features and targets as they come: those in the kernel may have been changed."""
    (features, targets), _ = load_boston()
    return features, targets


def _close(array, expected, tolerance=0.01):
    return array.shape == expected.shape and bool(np.all(np.abs(array - expected) <= tolerance))


# --- 1. Standardise ---------------------------------------------------------------


def _scaled(values, rows):
    """`values` standardised by the statistics of `rows`."""
    return (values - rows.mean(axis=0)) / rows.std(axis=0)


@exercise(
    "08-standardise",
    "make train_scaled and val_scaled",
    train_scaled=object,
    val_scaled=object,
)
def _standardise(found):
    features, _ = _data()
    parts = {"train_scaled": features[:303], "val_scaled": features[303:]}
    for name, part in parts.items():
        yield _judge_scaled(name, numbers_in(found[name]), part, features)


def _judge_scaled(name, array, part, features):
    train, val = features[:303], features[303:]
    if array is None:
        return wrong(f"{name}: this should be an array of numbers, as train_part is.")
    if array.shape != part.shape:
        return wrong(
            f"{name}: its shape is {array.shape}; scaling keeps the shape, here {part.shape}."
        )
    if _close(array, _scaled(part, train)):
        which = "its own" if part is train else "the training rows'"
        return right(f"{name}: scaled by {which} mean and standard deviation.")
    low, span = train.min(axis=0), np.ptp(train, axis=0)
    guesses = {
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
        "this puts the values between 0 and 1. The task asks for mean and standard deviation.": (
            (part - low) / span
        ),
    }
    for text, values in guesses.items():
        if _close(array, values):
            return wrong(f"{name}: {text}")
    return wrong(
        f"{name}: the values differ from (rows − mean) / std with the mean and std of the columns "
        "of train_part."
    )


# --- 2. Cut the folds -------------------------------------------------------------


def _row_numbers(value):
    """Row numbers as integers, whether given as numbers or as a mask; None if neither."""
    if isinstance(value, range | set):
        value = sorted(value)
    array = np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else numbers_in(value)
    if array is None or array.ndim != 1 or array.dtype == object:
        return None
    if array.dtype == bool:
        return np.flatnonzero(array) if len(array) == ROWS else None
    if not array.size:
        return array.astype(int)
    numbers = numbers_in(array)
    if numbers is None or np.any(numbers != np.round(numbers)):
        return None
    return numbers.astype(int)


def _pairs(folds):
    """`folds` as pairs of row numbers, or a line that says what it is not."""
    if isinstance(folds, str | dict | numbers.Real) or not hasattr(folds, "__len__"):
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


@exercise("08-folds", "make folds, a list of four pairs", folds=object)
def _folds(found):
    pairs, fault = _pairs(found["folds"])
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


def _smoothed(values, factor=0.9):
    smooth = []
    for value in values:
        smooth.append(factor * smooth[-1] + (1 - factor) * value if smooth else value)
    return np.array(smooth)


@exercise(
    "08-smooth",
    "make smoothed_epochs, smoothed_mae and stop_epoch",
    average_mae=object,
    smoothed_epochs=object,
    smoothed_mae=object,
    stop_epoch=numbers.Real,
)
def _smooth(found):
    average = numbers_in(found["average_mae"])
    if average is None or average.shape != (100,):
        yield wrong("average_mae should hold 100 numbers: run the cell that makes it once more.")
        return
    epochs, mae = numbers_in(found["smoothed_epochs"]), numbers_in(found["smoothed_mae"])
    yield _judge_epochs(epochs)
    yield _judge_smoothed(mae, average)
    yield _judge_stop(found["stop_epoch"], average)


def _judge_epochs(epochs):
    wanted = np.arange(11, 101)
    if epochs is None or epochs.ndim != 1:
        return wrong("smoothed_epochs: this should be ninety numbers in a row.")
    hints = {
        (1, 90): "these count from 1, so the true epochs are lost. To which epoch does the first "
        "value that is left belong?",
        (0, 89): "these are places in a list, which count from 0. To which epoch does the first "
        "value that is left belong?",
        (10, 99): "place 10 of the list holds the eleventh value, and epochs count from 1.",
        (1, 100): "ten epochs are to be left out.",
        (11, 99): "the last epoch is 100; np.arange leaves out the number where it ends.",
    }
    hint = hints.get((epochs[0], epochs[-1]), f"they go from {epochs[0]:g} to {epochs[-1]:g}.")
    return judged(
        _close(epochs, wanted, 1e-6),
        "smoothed_epochs: the true epochs of the values that are left.",
        f"smoothed_epochs: {hint}",
    )


def _judge_smoothed(mae, average):
    if mae is None or mae.ndim != 1:
        return wrong("smoothed_mae: this should be ninety numbers in a row.")
    kept, tolerance = average[10:], 1e-4
    if _close(mae, _smoothed(kept), tolerance):
        return right("smoothed_mae: the exponential moving average with factor 0.9.")
    from_zero = _smoothed(np.append(0, kept))[1:]
    one_back = np.append(kept[0], 0.9 * kept[:-1] + 0.1 * kept[1:])
    guesses = {
        "nothing was smoothed: these are the values as they were.": kept,
        "the factor is on the wrong term: the smooth point *before* has weight 0.9.": _smoothed(
            kept, 0.1
        ),
        "the first ten epochs are still in.": _smoothed(average),
        "the first ten epochs were left out after smoothing, and have dragged the line up. Leave "
        "them out before.": _smoothed(average)[10:],
        "it starts from 0. The first value has nothing before it; take it as it comes.": from_zero,
        "each point uses the unsmoothed value before it; use the smooth point before it.": one_back,
    }
    for text, values in guesses.items():
        if _close(mae, values, tolerance):
            return wrong(f"smoothed_mae: {text}")
    if len(mae) != 90:
        return wrong(f"smoothed_mae: {len(mae)} values; without the first ten epochs 90 are left.")
    return wrong(
        "smoothed_mae: the values differ from 0.9 × the smooth point before + 0.1 × the new "
        "value. If you ran your cell twice, start with an empty list."
    )


def _judge_stop(stop, average):
    place = int(np.argmin(_smoothed(average[10:])))
    hints = {
        place: "that is its place among the ninety, which counts from 0. Which epoch is there?",
        place + 1: "that numbers the ninety from 1, the trap described above: ten epochs early.",
        place + 10: "one off: epochs count from 1, places from 0.",
        int(np.argmin(average)) + 1: "there the ragged line is lowest; the task asks for the "
        "smoothed one.",
    }
    hint = hints.get(stop, "look for the epoch at which smoothed_mae is lowest.")
    return judged(
        stop == place + 11,
        "stop_epoch: where the smoothed line is lowest.",
        f"stop_epoch: {hint}",
    )


# --- 4. Find the leak -------------------------------------------------------------


@exercise(
    "08-leak",
    "make fixed_inputs, a list of four arrays",
    folds=object,
    fixed_inputs=object,
)
def _leak(found):
    pairs, fault = _pairs(found["folds"])
    if fault:
        yield wrong(f"{fault} Run the cells of exercise 2 again.")
        return
    given = found["fixed_inputs"]
    if not isinstance(given, list | tuple | np.ndarray) or len(given) != FOLDS:
        count = f"{len(given)} long" if hasattr(given, "__len__") else "no list"
        yield wrong(f"fixed_inputs: this should be a list of four arrays, one a fold; it is "
                    f"{count}.")  # fmt: skip
        return
    features, _ = _data()
    for i, (array, (train, val)) in enumerate(zip(given, pairs, strict=True), start=1):
        yield _judge_inputs(f"fold {i}", numbers_in(array), features, train, val)


def _judge_inputs(fold, array, features, train, val):
    if array is None or array.shape != features.shape:
        shape = "no array of numbers" if array is None else f"of shape {array.shape}"
        return wrong(f"{fold}: all 404 rows, so shape {features.shape}; yours is {shape}.")
    if _close(array, _scaled(features, features[train]), 1e-3):
        return right(f"{fold}: scaled by the statistics of its training rows.")
    guesses = {
        "it still leaks: the mean and standard deviation of all rows. Which rows may make them "
        "in this fold?": _scaled(features, features),
        "scaled by the statistics of the validation rows, the very ones that should have no "
        "part.": _scaled(features, features[val]),
        "these are the features as they were: nothing was scaled.": features,
    }
    for text, values in guesses.items():
        if _close(array, values, 1e-3):
            return wrong(f"{fold}: {text}")
    return wrong(f"{fold}: not scaled by the mean and std of this fold's train_rows. Is it "
                 "another fold's?")  # fmt: skip


# --- 5. Close the door ------------------------------------------------------------


def _best_columns(features, targets, count=20):
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    return np.argsort(np.abs(z.T @ (targets - targets.mean())))[-count:]


def _linear_mae(train_x, train_y, val_x, val_y):
    train_x = np.column_stack([train_x, np.ones(len(train_x))])
    val_x = np.column_stack([val_x, np.ones(len(val_x))])
    weights = np.linalg.lstsq(train_x, train_y, rcond=None)[0]
    return float(np.abs(val_x @ weights - val_y).mean())


@exercise("08-noise", "make noise_maes, a list of four numbers", noise_maes=object)
def _noise(found):
    maes = numbers_in(found["noise_maes"])
    if maes is None or maes.shape != (4,):
        yield wrong("noise_maes: this should be four numbers, one for each pair in noise_folds.")
        return
    noise = np.random.default_rng(8).normal(size=(100, 20_000))
    prices = _data()[1][:100]
    folds = [(np.setdiff1d(np.arange(100), val), val) for val in np.split(np.arange(100), 4)]

    def measured(choose, measure=None):
        result = []
        for train, val in folds:
            x, rows = noise[:, choose(train, val)], measure(train, val) if measure else val
            result.append(_linear_mae(x[train], prices[train], x[rows], prices[rows]))
        return np.array(result)

    def of_rows(rows):
        return _best_columns(noise[rows], prices[rows])

    if _close(maes, measured(lambda train, val: of_rows(train)), 0.02):
        yield right("noise_maes: in each fold the columns are chosen on the training rows alone.")
        return
    every = np.arange(100)
    guesses = {
        "it still leaks: the columns were chosen on all 100 rows.": measured(
            lambda train, val: of_rows(every)
        ),
        "the columns were chosen on the validation rows, those with the answers that must stay "
        "hidden.": measured(lambda train, val: of_rows(val)),
        "the columns are chosen well; but the model is measured on the rows it was fitted to.": (
            measured(lambda train, val: of_rows(train), lambda train, val: train)
        ),
    }
    for text, values in guesses.items():
        if _close(maes, values, 0.02):
            yield wrong(f"noise_maes: {text}")
            return
    yield wrong(
        "noise_maes: in each fold, choose 20 columns by best_columns on the training rows and "
        "their prices, fit on the training rows, and measure on the validation rows."
    )
