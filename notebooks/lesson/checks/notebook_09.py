"""Checks of notebook 09, Evaluate and predict."""

import math
import numbers

import numpy as np

from lesson.checks.engine import RIGHT, WRONG, exercise, note, right, wrong
from lesson.datasets import CIFAR10_CLASSES

PATIENTS = (100, 30, 70, 800)
BUGGY = (40, 10, 20, 130)  # counts of the function with bugs: tp, fn, fp, tn


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


# --- 3. Find the bugs ----------------------------------------------------------------


@exercise("09-bug", "make fixed_metrics", fixed_metrics=object)
def _bug(found):
    function = found["fixed_metrics"]
    if not callable(function):
        yield wrong("fixed_metrics: this should be a function. Begin with def fixed_metrics(…):")
        return
    tries = [BUGGY, (7, 1, 5, 29), (10, 8, 22, 60)]
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
        f"{name}: right for the counts of the exercise, wrong for others. Are numbers written in "
        "where tp, fn, fp and tn should be?"
    )


# --- 4. A threshold for a purpose ----------------------------------------------------


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


# --- 5. The recall of the dogs, with intervals -----------------------------------------

DOG, STEPS = 5, 1.96  # the class; standard errors to either end


@exercise(
    "09-dogs",
    "make dog_recall, dog_bootstrap and dog_formula",
    predicted=object,
    test_classes=object,
    dog_recall=object,
    dog_bootstrap=object,
    dog_formula=object,
)
def _dogs(found):
    said, truth = _classes(found["predicted"]), _classes(found["test_classes"])
    if said is None or truth is None or not np.any((truth == DOG) & (said == DOG)):
        yield wrong(
            "predicted or test_classes has changed: run the cells that make them once more."
        )
        return
    dogs, called = truth == DOG, said == DOG
    facts = {
        "recall": np.mean(called[dogs]),
        "precision": np.mean(dogs[called]),
        "accuracy of all ten classes": np.mean(said == truth),
    }
    yield _judge_recall(_number(found["dog_recall"]), facts)
    yield _judge_bootstrap(_interval(found["dog_bootstrap"]), facts, dogs.sum())
    yield _judge_formula(_interval(found["dog_formula"]), facts, dogs.sum(), called.sum())


def _classes(value):
    """The classes of 10,000 photographs, or None."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    fits = array.shape == (10_000,) and array.dtype.kind in "iu"
    return array if fits else None


def _interval(value):
    """Two finite numbers in what a learner left, or None."""
    if isinstance(value, str | bytes | dict | set):
        return None
    try:
        ends = [_number(end) for end in value]
    except TypeError:
        return None
    if len(ends) != 2 or None in ends or not all(map(math.isfinite, ends)):
        return None
    return tuple(ends)


def _of_something_else(label, middle, facts, tolerance):
    """A line on a number or interval of another score than recall, or None."""
    for name in ("precision", "accuracy of all ten classes"):
        if math.isclose(middle, facts[name], abs_tol=tolerance):
            return wrong(f"{label}: this is the {name}. {_asked('recall')}")
    return None


def _judge_recall(value, facts):
    if value is None or not math.isfinite(value):
        return wrong("dog_recall: this should be a number between 0 and 1.")
    if math.isclose(value, facts["recall"], abs_tol=0.00051):
        return right("dog_recall: of the dogs, the share that was called a dog.")
    if math.isclose(value, 100 * facts["recall"], abs_tol=0.051):
        return wrong("dog_recall: right as a percentage; give it as a share between 0 and 1.")
    if math.isclose(value, 1000 * facts["recall"], abs_tol=0.5):
        return wrong("dog_recall: this is how many dogs are found; give it as a share of the dogs.")
    if math.isclose(value, facts["recall"] / 10, abs_tol=0.00051):
        return wrong("dog_recall: you divided by all photographs. Of whom is it to be a share?")
    return _of_something_else("dog_recall", value, facts, 0.00051) or wrong(
        f"dog_recall: not this. {_asked('recall')}"
    )


def _judge_ends(label, ends, facts):
    """A line on what any interval of a share must be, or None."""
    if ends is None:
        return wrong(f"{label}: this should be two numbers, the lower end and the upper.")
    low, high = ends
    if low > high:
        return wrong(f"{label}: the lower end comes first.")
    if high > 1 or low < 0:
        return wrong(f"{label}: the ends of an interval of a share lie between 0 and 1.")
    return None


def _judge_bootstrap(ends, facts, dogs):
    label = "dog_bootstrap"
    if fault := _judge_ends(label, ends, facts):
        return fault
    (low, high), recall = ends, facts["recall"]
    middle, reach = (low + high) / 2, (high - low) / 2
    if not math.isclose(middle, recall, abs_tol=0.006):
        return _of_something_else(label, middle, facts, 0.006) or wrong(
            f"{label}: it does not lie around the recall of the dogs. What does each draw compute?"
        )
    expected = reach / (STEPS * math.sqrt(recall * (1 - recall) / dogs))
    if 0.92 < expected < 1.1:
        return right(f"{label}: the middle 95% of the draws.")
    if expected < 0.02:
        return wrong(
            f"{label}: it has no width. Draw with replacement: without it every draw is the same "
            "dogs in another order. And keep the score of each draw."
        )
    if 0.27 < expected < 0.37:
        return wrong(
            f"{label}: too narrow. How many dogs are there, and how many were drawn each time?"
        )
    if 0.75 < expected <= 0.92:
        return wrong(
            f"{label}: a little too narrow: about 90% of the draws lie in it. Which share is to "
            "lie below the lower end, and which above the upper?"
        )
    if 0.45 < expected < 0.56:
        return wrong(
            f"{label}: too narrow: about two thirds of the draws lie in it. The middle 95% are "
            "asked for."
        )
    return wrong(
        f"{label}: too {'narrow' if expected < 1 else 'wide'}. Draw as many dogs as there are, "
        "2,000 times, and take the middle 95% of the scores."
    )


def _judge_formula(ends, facts, dogs, called):
    label = "dog_formula"
    if fault := _judge_ends(label, ends, facts):
        return fault
    (low, high), recall = ends, facts["recall"]
    middle, reach = (low + high) / 2, (high - low) / 2
    if not math.isclose(middle, recall, abs_tol=0.0011):
        return _of_something_else(label, middle, facts, 0.0011) or wrong(
            f"{label}: its middle should be the recall of the dogs."
        )
    variance = recall * (1 - recall)

    def is_near(steps, n, root=math.sqrt):
        return math.isclose(reach, steps * root(variance / n), rel_tol=0.025)

    if is_near(STEPS, dogs):
        return right(f"{label}: 1.96 standard errors to either side, with the n of a recall.")
    if is_near(STEPS, 10_000):
        return wrong(
            f"{label}: you put in n = 10,000. The n counts what the share is a share of. Of which "
            "photographs is recall a share?"
        )
    if is_near(STEPS, called):
        return wrong(
            f"{label}: you put in as n how many photographs were called a dog. Of which "
            "photographs is recall a share?"
        )
    if is_near(1, dogs):
        return wrong(f"{label}: this is one standard error to either side. How many make 95%?")
    if is_near(1, 10_000):
        return wrong(
            f"{label}: one standard error to either side is not 95%, and the n is another: of "
            "which photographs is recall a share?"
        )
    if is_near(1.645, dogs):
        return wrong(f"{label}: with 1.645 standard errors it is an interval of 90%.")
    if is_near(STEPS, dogs, root=float) or is_near(1, dogs, root=float):
        return wrong(f"{label}: the square root is missing from the standard error.")
    if is_near(STEPS, found := recall * dogs) or is_near(STEPS, dogs - found):
        return wrong(f"{label}: the n counts all the dogs, those found and those missed.")
    return wrong(
        f"{label}: not this. The standard error is √(p(1 − p)/n): which p, and which n? And how "
        "many standard errors make 95%?"
    )
