"""Checks of notebook 09, Evaluate and predict."""

import math
import numbers

import numpy as np

from lesson.checks.engine import RIGHT, WRONG, exercise, note, right, wrong
from lesson.datasets import CIFAR10_CLASSES

TP, FN, FP, TN = 10, 8, 22, 60  # the scans
PATIENTS = (100, 30, 70, 800)


def _ratios(tp, fn, fp, tn):
    """Every ratio of four counts that a learner could take for another, by name."""
    total = tp + fn + fp + tn
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    return {
        "accuracy": (tp + tn) / total,
        "recall": recall,
        "specificity": tn / (tn + fp),
        "precision": precision,
        "f1": 2 * precision * recall / (precision + recall),
        "of the said healthy": tn / (tn + fn),
        "share found": tp / total,
        "share cleared": tn / total,
        "share of mistakes": (fp + fn) / total,
        "missed": fn / (tp + fn),
        "alarmed": fp / (tn + fp),
        "false alarms": fp / (tp + fp),
    }


ASKS = {
    "accuracy": "of all answers, what share is right?",
    "recall": "of those who have it, what share is found?",
    "specificity": "of those who do not have it, what share is cleared?",
    "precision": "of those who were said to have it, what share has?",
}
MISTAKES = {
    "f1": "this is F1, made of two of the ratios.",
    "of the said healthy": "this is the share of the healthy among those said to be healthy, the "
    "other column's counterpart of precision.",
    "share found": "you divided by everybody. Of whom is it to be a share?",
    "share cleared": "you divided by everybody. Of whom is it to be a share?",
    "share of mistakes": "this is the share of wrong answers; the question is about right ones.",
    "missed": "this is the share of those who have it that is missed: the rest to 1.",
    "alarmed": "this is the share of those without it that is alarmed: the rest to 1.",
    "false alarms": "this is the share of the alarms that is false: the rest to 1.",
}


def _without_parentheses(tp, fn, fp, tn):
    """What accuracy comes to when the sums are not kept together."""
    total, others = tp + fn + fp + tn, fn + fp + tn
    return (
        tp + tn / total,
        tn + tp / total,
        (tp + tn) / tp + others,
        tp + tn / tp + others,
    )


def _judge_ratio(name, value, counts, label=None, tolerance=1e-6):
    """A line on a number that should be the ratio `name` of four counts."""
    label, ratios = label or name, _ratios(*counts)
    if not math.isfinite(value):
        return wrong(f"{label}: {value} is no share.")
    if math.isclose(value, ratios[name], abs_tol=tolerance):
        return right(f"{label}: {ASKS[name].replace('what share', 'the share that')[:-1]}.")
    for other, wanted in ratios.items():
        if math.isclose(value, wanted, abs_tol=tolerance):
            if other in ASKS:
                return wrong(f"{label}: this is the {other}: {ASKS[other]} {_asked(name)}")
            return wrong(f"{label}: {MISTAKES[other]}")
    if name == "accuracy" and any(
        math.isclose(value, slip, abs_tol=tolerance) for slip in _without_parentheses(*counts)
    ):
        return wrong(
            f"{label}: division comes before addition, so not everything was divided, or not by "
            "everything. Which sums belong together?"
        )
    if math.isclose(value, 100 * ratios[name], abs_tol=100 * tolerance):
        return wrong(f"{label}: right as a percentage; give it as a share between 0 and 1.")
    if not 0 <= value <= 1:
        return wrong(
            f"{label}: {value:g} is not between 0 and 1, as a share is. Are parentheses missing?"
        )
    return wrong(f"{label}: not this. {_asked(name)}")


def _asked(name):
    return f"{name.capitalize()} asks: {ASKS[name]}"


def _number(value):
    """A float made from what a learner left, or None."""
    if isinstance(value, bool | str | bytes | None):
        return None
    try:
        number = float(np.asarray(value, dtype=float).item())
    except (TypeError, ValueError, OverflowError):
        return None
    return number


# --- 1. The pair that is mixed up most -----------------------------------------------


@exercise("09-pair", "make pair and times", confusion=object, pair=object, times=object)
def _pair(found):
    confusion = _matrix(found["confusion"])
    if confusion is None:
        yield wrong(
            "confusion should be a matrix of ten rows and ten columns, with 1,000 photographs in "
            "each row: run the cell that makes it once more."
        )
        return
    named = _two_classes(found["pair"])
    both = confusion + confusion.T
    np.fill_diagonal(both, 0)
    most = both.max()
    yield _judge_pair(named, confusion, both)
    yield _judge_times(_number(found["times"]), confusion, most)


def _matrix(value):
    try:
        matrix = np.array(value)
    except (TypeError, ValueError):
        return None
    whole = matrix.shape == (10, 10) and matrix.dtype.kind in "iu"
    return matrix.astype(int) if whole and np.all(matrix.sum(axis=1) == 1000) else None


def _two_classes(value):
    """Numbers of the two classes in what a learner left, or None."""
    if isinstance(value, str | bytes | dict):
        return None
    try:
        items = [item.item() if isinstance(item, np.generic) else item for item in value]
    except TypeError:
        return None
    numbers_ = [
        CIFAR10_CLASSES.index(item) if isinstance(item, str) and item in CIFAR10_CLASSES else item
        for item in items
    ]
    fits = all(type(item) is int and 0 <= item < 10 for item in numbers_)
    return tuple(numbers_) if len(numbers_) == 2 and fits else None


def _judge_pair(named, confusion, both):
    if named is None:
        return wrong("pair: this should be the names of two classes, as in CIFAR10_CLASSES.")
    i, j = named
    if i == j:
        return wrong(
            "pair: twice the same class. The diagonal holds what is named right; it must not "
            "take part."
        )
    if both[i, j] == both.max():
        return right("pair: in both directions together, no two classes are mixed up more.")
    one_way = confusion - np.diag(confusion.diagonal())
    if max(one_way[i, j], one_way[j, i]) == one_way.max():
        return wrong(
            "pair: these have the largest count in one direction. Add the other direction for "
            "every pair, then look for the largest."
        )
    return wrong("pair: another pair is mixed up more often.")


def _judge_times(times, confusion, most):
    if times is None or not times.is_integer():
        return wrong("times: this should be a count, a whole number of photographs.")
    one_way = confusion - np.diag(confusion.diagonal())
    if times == most:
        return right("times: both directions counted.")
    diagonal = confusion.diagonal()
    if times in (one_way.max(), *_halves(one_way, most)):
        return wrong("times: this is one direction alone. Add the other.")
    if times == 2 * most:
        return wrong("times: every photograph was counted twice.")
    if times in diagonal or times in 2 * diagonal:
        return wrong("times: this comes from the diagonal, which holds what is named right.")
    return wrong(
        "times: not this. Add the two fields of the pair, one on each side of the diagonal."
    )


def _halves(one_way, most):
    """The counts of either direction, for the pair whose sum is `most`."""
    i, j = np.argwhere(one_way + one_way.T == most)[0]
    return one_way[i, j], one_way[j, i]


# --- 2. A thousand patients ----------------------------------------------------------


@exercise(
    "09-patients",
    "make patients_accuracy, patients_recall, patients_specificity and patients_precision",
    patients_accuracy=object,
    patients_recall=object,
    patients_specificity=object,
    patients_precision=object,
)
def _patients(found):
    for name in ("accuracy", "recall", "specificity", "precision"):
        label = f"patients_{name}"
        value = _number(found[label])
        if value is None:
            yield wrong(f"{label}: this should be a number between 0 and 1.")
        else:
            yield _judge_ratio(name, value, PATIENTS, label, tolerance=0.0051)


# --- 3. F1 of the scans --------------------------------------------------------------


@exercise("09-f1", "make f1_scans", f1_scans=object)
def _f1(found):
    value = _number(found["f1_scans"])
    if value is None or not math.isfinite(value):
        yield wrong("f1_scans: this should be a number between 0 and 1.")
        return
    ratios = _ratios(TP, FN, FP, TN)
    p, r = ratios["precision"], ratios["recall"]
    if math.isclose(value, ratios["f1"], abs_tol=0.0011):
        yield right("f1_scans: the harmonic mean of precision and recall.")
        return
    if 0.385 <= value < ratios["f1"]:
        yield wrong("f1_scans: something was cut off on the way. Round once, at the end.")
        return
    mistakes = {
        "this is the plain mean of precision and recall; F1 is the harmonic one.": (p + r) / 2,
        "the 2 in the formula is missing.": p * r / (p + r),
        "mind the parentheses: all of p + r is what one divides by.": 2 * p * r / p + r,
        "this is the geometric mean; F1 is the harmonic one.": math.sqrt(p * r),
        "made of specificity and recall. Precision is the share of the alarmed who have it.": (
            _harmonic(ratios["specificity"], r)
        ),
        "made of accuracy and recall.": _harmonic(ratios["accuracy"], r),
        "made of accuracy and precision.": _harmonic(ratios["accuracy"], p),
        "this is accuracy alone.": ratios["accuracy"],
        "this is recall alone.": r,
        "this is precision alone.": p,
        "this is specificity alone.": ratios["specificity"],
        "right as a percentage; give it as a share between 0 and 1.": 100 * ratios["f1"],
    }
    for text, wanted in mistakes.items():
        if math.isclose(value, wanted, abs_tol=0.0011):
            yield wrong(f"f1_scans: {text}")
            return
    yield wrong("f1_scans: not this. Work out precision and recall first, then put them into F1.")


def _harmonic(a, b):
    return 2 * a * b / (a + b)


# --- 4. Find the bugs ----------------------------------------------------------------


@exercise("09-bug", "make fixed_metrics", fixed_metrics=object)
def _bug(found):
    function = found["fixed_metrics"]
    if not callable(function):
        yield wrong("fixed_metrics: this should be a function. Begin with def fixed_metrics(…):")
        return
    tries = [(TP, FN, FP, TN), (7, 1, 5, 29), (40, 23, 3, 11)]
    try:
        results = [function(tp=tp, fn=fn, fp=fp, tn=tn) for tp, fn, fp, tn in tries]
    except Exception as error:
        yield wrong(
            f"fixed_metrics: called with tp, fn, fp and tn it fails ({type(error).__name__}: "
            f"{str(error)[:120]})."
        )
        return
    names = ("accuracy", "recall", "specificity")
    if not all(isinstance(result, dict) for result in results):
        yield wrong(
            "fixed_metrics: it should return a dict with three names, as buggy_metrics does. "
            "Is the return there?"
        )
        return
    for name in names:
        yield _judge_results(name, [result.get(name) for result in results], tries)


def _judge_results(name, given, tries):
    """A line on what a function gave for several sets of counts; the first fault tells."""
    values = [_number(value) for value in given]
    if None in values:
        return wrong(f"{name}: the dict should hold a number under this name.")
    lines = [_judge_ratio(name, value, counts) for value, counts in zip(values, tries, strict=True)]
    if lines[0][0] == WRONG or all(mark == RIGHT for mark, _ in lines):
        return lines[0]
    return wrong(
        f"{name}: right for the scans, wrong for other counts. Are numbers written in where tp, "
        "fn, fp and tn should be?"
    )


# --- 5. A threshold for a purpose ----------------------------------------------------


@exercise(
    "09-threshold",
    "make threshold",
    choose_p=object,
    choose_labels=object,
    threshold=numbers.Real,
)
def _threshold(found):
    p, labels = _reviews(found["choose_p"]), _reviews(found["choose_labels"])
    if p is None or labels is None or len(p) != len(labels) or set(labels.tolist()) != {0, 1}:
        yield wrong(
            "choose_p or choose_labels has changed: run the cell that makes them once more."
        )
        return
    value = float(found["threshold"])
    if not 0 <= value <= 1:
        yield wrong(f"threshold: {value:g} is no probability; it should lie between 0 and 1.")
        return
    positive, negative = np.sort(p[labels == 1])[::-1], np.sort(p[labels == 0])[::-1]
    enough = math.ceil(0.95 * len(positive))
    best, kept = positive[enough - 1], int(np.sum(positive >= value))
    if best >= value and np.sum(p >= value) <= np.sum(p >= best):
        yield right(f"threshold: it lets through {kept} of the {len(positive)} positive reviews,")
        yield right("and no higher one lets through 95 in 100.")
        return
    if 0 < best - value <= 0.01:
        yield right(f"threshold: it lets through {kept} of the {len(positive)} positive reviews.")
        yield note("It is within a hundredth of the highest threshold that does.")
        return
    if kept == enough - 1:
        yield right("threshold: as high as it can be.")
        yield note(
            "One positive review is missing from the 95 in 100; a quantile between two "
            "probabilities does that. Take the probability of a review instead."
        )
        return
    yield wrong(f"threshold: {_threshold_fault(value, p, labels, positive, negative, kept)}")


def _threshold_fault(value, p, labels, positive, negative, kept):
    def is_near(other):
        return math.isclose(value, other, abs_tol=1e-6)

    share = kept / len(positive)
    ranked = np.sort(p)[::-1]
    if is_near(0.95):
        return (
            "95 in 100 is the recall that is wanted. From which probability on is that share of "
            "the positive reviews let through?"
        )
    if any(is_near(x) for x in (ranked[math.ceil(0.95 * len(p)) - 1], np.quantile(p, 0.05))):
        return "95 in 100 of all reviews are let through; the wish is about the positive ones."
    if any(is_near(x) for x in (negative[math.ceil(0.95 * len(negative)) - 1],
                                np.quantile(negative, 0.05))):  # fmt: skip
        return "these are 95 in 100 of the negative reviews. Which label means positive?"
    up = positive[::-1][math.ceil(0.95 * len(positive)) - 1]
    if is_near(up) or is_near(np.quantile(positive, 0.95)):
        return (
            f"it lets through only {share:.0%} of the positive reviews. Were they sorted the other "
            "way round, from low to high?"
        )
    if is_near(_for_precision(p, labels)):
        return "with it 95 in 100 of what is let through is positive: that is precision."
    if share < 0.95:
        return (
            f"it lets through {share:.1%} of the positive reviews, fewer than wanted. Should it be "
            "higher or lower?"
        )
    return (
        f"it lets through {share:.1%} of the positive reviews, enough; but a higher one would do, "
        "and leave less to read."
    )


def _for_precision(p, labels):
    """The lowest threshold from which on precision is 95 in 100."""
    order = np.argsort(-p, kind="stable")
    precision = np.cumsum(labels[order]) / np.arange(1, len(p) + 1)
    return p[order][np.flatnonzero(precision >= 0.95)[-1]] if np.any(precision >= 0.95) else -1


def _reviews(value):
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    fits = array.ndim == 1 and array.size > 100 and np.isfinite(array).all()
    return array if fits else None
