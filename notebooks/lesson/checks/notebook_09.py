"""Checks of notebook 09, Evaluate and predict."""

import math
from collections.abc import Callable
from numbers import Real

import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    RIGHT,
    WRONG,
    as_array,
    as_number,
    called,
    changed,
    close,
    number,
    right,
    share,
    wrong,
)
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
    if close(value, ratios[name], 0, tolerance):
        return right(f"{label}: {ASKS[name].replace('what share', 'the share that')[:-1]}.")
    for other, wanted in ratios.items():
        if close(value, wanted, 0, tolerance):
            if other in ASKS:
                return wrong(f"{label}: this is the {other}: {ASKS[other]} {_asked(name)}")
            return wrong(f"{label}: {MISTAKES[other]}")
    if name == "accuracy" and any(
        close(value, slip, 0, tolerance) for slip in _without_parentheses(*counts)
    ):
        return wrong(
            f"{label}: division comes before addition, so not everything was divided, or not by "
            "everything. Which sums belong together?"
        )
    if close(value, 100 * ratios[name], 0, 100 * tolerance):
        return wrong(f"{label}: right as a percentage; give it as a share between 0 and 1.")
    if not 0 <= value <= 1:
        return wrong(
            f"{label}: {value:g} is not between 0 and 1, as a share is. Are parentheses missing?"
        )
    return wrong(f"{label}: not this. {_asked(name)}")


def _asked(name):
    return f"{name.capitalize()} asks: {ASKS[name]}"


# --- 1. The pair that is mixed up most -----------------------------------------------


@exercise("09-pair", "make pair and times")
def pair(pair: object, times: Real, confusion: object):
    matrix = as_array(confusion)
    if matrix is None or matrix.shape != (10, 10) or np.any(matrix.sum(axis=1) != 1000):
        yield changed("confusion")
        return
    one_way = matrix - np.diag(matrix.diagonal())
    yield _judge_pair(pair, one_way)
    yield _judge_times(times, matrix, one_way)


def _judge_pair(pair, one_way):
    names = list(pair) if isinstance(pair, list | tuple | set | np.ndarray) else []
    if len(names) == 2 and not any(isinstance(name, str) for name in names):
        return wrong(
            "pair: the names of two classes are asked for, and those are not names. "
            "CIFAR10_CLASSES has a name at each number."
        )
    if len(names) != 2 or not all(str(name) in CIFAR10_CLASSES for name in names):
        return wrong("pair: this should be the names of two classes, as in CIFAR10_CLASSES.")
    if isinstance(pair, set):
        return wrong("pair: a set has no order; the next cell takes one name after the other.")
    i, j = (CIFAR10_CLASSES.index(str(name)) for name in names)
    both = one_way + one_way.T
    if i == j:
        return wrong(
            "pair: twice the same class. The diagonal holds what is classified correctly; it must "
            "not take part."
        )
    if both[i, j] == both.max():
        return right("pair: in both directions together, no two classes are mixed up more.")
    if max(one_way[i, j], one_way[j, i]) == one_way.max():
        return wrong(
            "pair: these have the largest count in one direction. Add the other direction for "
            "every pair, then look for the largest."
        )
    return wrong("pair: another pair is mixed up more often.")


def _judge_times(times, matrix, one_way):
    both = one_way + one_way.T
    i, j = np.argwhere(both == both.max())[0]
    return number(
        "times",
        times,
        both.max(),
        "both directions counted.",
        {
            "this is one direction alone. Add the other.": (
                one_way.max(),
                one_way[i, j],
                one_way[j, i],
            ),
            "every photograph was counted twice.": 2 * both.max(),
            "this comes from the diagonal, which holds what is classified correctly.": [
                *matrix.diagonal(),
                *(2 * matrix.diagonal()),
            ],
            "this is a share; a count of photographs is asked for.": [
                both.max() / n for n in (1_000, 2_000, 10_000)
            ],
        },
        "not this. Add the two fields of the pair, one on each side of the diagonal.",
    )


# --- 2. A thousand patients ----------------------------------------------------------


@exercise(
    "09-patients",
    "make patients_accuracy, patients_recall, patients_specificity and patients_precision",
)
def patients(
    patients_accuracy: Real,
    patients_recall: Real,
    patients_specificity: Real,
    patients_precision: Real,
):
    given = {
        "accuracy": patients_accuracy,
        "recall": patients_recall,
        "specificity": patients_specificity,
        "precision": patients_precision,
    }
    for name, value in given.items():
        yield _judge_ratio(name, value, PATIENTS, f"patients_{name}", tolerance=0.0051)


# --- 3. Find the bugs ----------------------------------------------------------------


@exercise("09-bug", "make fixed_metrics")
def bug(fixed_metrics: Callable):
    tries = [BUGGY, (7, 1, 5, 29), (10, 8, 22, 60)]
    results = []
    for tp, fn, fp, tn in tries:
        result, fault = called("fixed_metrics", fixed_metrics, tp=tp, fn=fn, fp=fp, tn=tn)
        if fault:
            yield fault
            return
        if not isinstance(result, dict):
            yield wrong(
                "fixed_metrics: it should return a dict with three names, as buggy_metrics does; "
                f"yours returns a {type(result).__name__}."
            )
            return
        results.append(result)
    for name in ("accuracy", "recall", "specificity"):
        yield _judge_results(name, [result.get(name) for result in results], tries)


def _judge_results(name, given, tries):
    """A line on what a function gave for several sets of counts; the first fault tells."""
    values = [as_number(value) for value in given]
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


@exercise("09-threshold", "make threshold")
def threshold(threshold: Real, choose_p: object, choose_labels: object):
    p, labels = as_array(choose_p), as_array(choose_labels)
    if p is None or labels is None or p.shape != labels.shape or p.ndim != 1:
        yield changed("choose_p", "choose_labels")
        return
    if set(labels) != {0, 1}:
        yield changed("choose_p", "choose_labels")
        return
    if not 0 <= threshold <= 1:
        yield wrong(f"threshold: {threshold:g} is no probability; it should lie between 0 and 1.")
        return
    positive, negative = np.sort(p[labels == 1])[::-1], np.sort(p[labels == 0])[::-1]
    enough = math.ceil(0.95 * len(positive))
    best, kept = positive[enough - 1], int(np.sum(positive >= threshold))
    if kept >= enough and np.sum(p >= threshold) <= np.sum(p >= best):
        yield right(f"threshold: it lets through {kept} of the {len(positive)} positive reviews,")
        yield right("and no higher one lets through 95%.")
    else:
        fault = _fault_of_threshold(threshold, p, labels, positive, negative)
        yield wrong(f"threshold: {fault}")


def _fault_of_threshold(value, p, labels, positive, negative):
    enough, kept = math.ceil(0.95 * len(positive)), int(np.sum(positive >= value))
    part = kept / len(positive)
    if kept == enough - 1:
        return (
            f"it lets through {kept} of the {len(positive)} positive reviews, and one more is "
            "needed for 95%. Places are counted from 0; and a quantile may lie between two reviews."
        )
    ranked, share_of_all = np.sort(p)[::-1], math.ceil(0.95 * len(p))
    known = {
        "95% is the recall that is wanted. From which probability on is that share of the "
        "positive reviews let through?": (0.95,),
        "95% of all reviews are let through; the wish is about the positive ones.": (
            ranked[share_of_all - 1],
            np.quantile(p, 0.05),
        ),
        "these are 95% of the negative reviews. Which label means positive?": (
            negative[math.ceil(0.95 * len(negative)) - 1],
            np.quantile(negative, 0.05),
        ),
        f"it lets through only {part:.0%} of the positive reviews. Were they sorted the other way "
        "round, from low to high?": (
            positive[::-1][enough - 1],
            positive[::-1][enough],
            np.quantile(positive, 0.95),
        ),
        "with it 95% of what is let through is positive: that is precision.": (
            _for_precision(p, labels),
        ),
    }
    for text, values in known.items():
        if any(close(value, other, 0, 1e-6) for other in values):
            return text
    if kept < enough:
        return (
            f"it lets through {part:.1%} of the positive reviews, fewer than wanted. Should it be "
            "higher or lower?"
        )
    if kept <= enough + 20:
        return (
            f"it lets through {kept} of the {len(positive)} positive reviews. That is enough, but "
            "a slightly higher one would do. Places are counted from 0; and do not round."
        )
    return (
        f"it lets through {part:.1%} of the positive reviews, enough; but a higher one would do, "
        "and leave less to read."
    )


def _for_precision(p, labels):
    """The lowest threshold from which on precision is 95 in 100."""
    order = np.argsort(-p, kind="stable")
    precision = np.cumsum(labels[order]) / np.arange(1, len(p) + 1)
    return p[order][np.flatnonzero(precision >= 0.95)[-1]] if np.any(precision >= 0.95) else -1


# --- 5. The recall of the dogs, with intervals -----------------------------------------

DOG, STEPS = 5, 1.96  # the class; standard errors to either end


@exercise("09-dogs", "make dog_recall, dog_bootstrap and dog_formula")
def dogs(
    dog_recall: Real,
    dog_bootstrap: object,
    dog_formula: object,
    predicted: object,
    test_classes: object,
):
    said, truth = as_array(predicted), as_array(test_classes)
    if said is None or truth is None or said.shape != (10_000,) or truth.shape != (10_000,):
        yield changed("predicted", "test_classes")
        return
    is_dog, called_dog = truth == DOG, said == DOG
    if not np.any(is_dog & called_dog):
        yield changed("predicted", "test_classes")
        return
    facts = {
        "recall": np.mean(called_dog[is_dog]),
        "precision": np.mean(is_dog[called_dog]),
        "accuracy of all ten classes": np.mean(said == truth),
    }
    yield share(
        "dog_recall",
        dog_recall,
        facts["recall"],
        "of the dogs, the share that was called a dog.",
        {
            "this is how many dogs are found; give it as a share of the dogs.": (
                np.sum(is_dog & called_dog)
            ),
            "you divided by all photographs. Of whom is it to be a share?": facts["recall"] / 10,
            f"this is the precision. {_asked('recall')}": facts["precision"],
            f"this is the accuracy of all ten classes. {_asked('recall')}": (
                facts["accuracy of all ten classes"]
            ),
        },
        f"not this. {_asked('recall')}",
        within=0.00051,
    )
    yield _judge_bootstrap(dog_bootstrap, facts, is_dog.sum())
    yield _judge_formula(dog_formula, facts, is_dog.sum(), called_dog.sum())


def _of_something_else(label, middle, facts, tolerance):
    """A line on an interval of another score than recall, or None."""
    for name in ("precision", "accuracy of all ten classes"):
        if close(middle, facts[name], 0, tolerance):
            return wrong(f"{label}: this is the {name}. {_asked('recall')}")
    return None


def _ends(label, given):
    """The middle of an interval of a share and how far it reaches, and None; or None and a line."""
    ends = as_array(given)
    if ends is None or ends.shape != (2,):
        return None, wrong(f"{label}: this should be two numbers, the lower end and the upper.")
    low, high = ends
    if low > high:
        return None, wrong(f"{label}: the lower end comes first.")
    if high > 1 or low < 0:
        return None, wrong(f"{label}: the ends of an interval of a share lie between 0 and 1.")
    return ((low + high) / 2, (high - low) / 2), None


def _judge_bootstrap(given, facts, dogs):
    label, recall = "dog_bootstrap", facts["recall"]
    ends, fault = _ends(label, given)
    if fault:
        return fault
    middle, reach = ends
    if not close(middle, recall, 0, 0.006):
        return _of_something_else(label, middle, facts, 0.006) or wrong(
            f"{label}: it does not lie around the recall of the dogs. What does each draw compute?"
        )
    width = reach / (STEPS * math.sqrt(recall * (1 - recall) / dogs))
    if 0.92 < width < 1.1:
        return right(f"{label}: the middle 95% of the draws.")
    slips = {
        (0, 0.02): "it has no width. Draw with replacement: without it every draw is the same dogs "
        "in another order. And keep the score of each draw.",
        (0.27, 0.37): "too narrow. How many dogs are there, and how many were drawn each time?",
        (0.75, 0.92): "a little too narrow: about 90% of the draws lie in it. Which share is to "
        "lie below the lower end, and which above the upper?",
        (0.45, 0.56): "too narrow: about two thirds of the draws lie in it. The middle 95% are "
        "asked for.",
    }
    otherwise = (
        f"too {'narrow' if width < 1 else 'wide'}. Draw as many dogs as there are, 2,000 times, "
        "and take the middle 95% of the scores."
    )
    text = next((t for (low, high), t in slips.items() if low <= width <= high), otherwise)
    return wrong(f"{label}: {text}")


def _judge_formula(given, facts, dogs, called):
    label, recall = "dog_formula", facts["recall"]
    ends, fault = _ends(label, given)
    if fault:
        return fault
    middle, reach = ends
    if not close(middle, recall, 0, 0.0011):
        return _of_something_else(label, middle, facts, 0.0011) or wrong(
            f"{label}: its middle should be the recall of the dogs."
        )
    variance, hits = recall * (1 - recall), recall * dogs

    def width(steps, n, root=math.sqrt):
        return steps * root(variance / n)

    return number(
        label,
        reach,
        width(STEPS, dogs),
        "1.96 standard errors to either side, with the n of a recall.",
        {
            "you put in n = 10,000. The n counts what the share is a share of. Of which "
            "photographs is recall a share?": width(STEPS, 10_000),
            "you put in as n how many photographs were called a dog. Of which photographs is "
            "recall a share?": width(STEPS, called),
            "this is one standard error to either side. How many make 95%?": width(1, dogs),
            "one standard error to either side is not 95%, and the n is another: of which "
            "photographs is recall a share?": width(1, 10_000),
            "with 1.645 standard errors it is an interval of 90%.": width(1.645, dogs),
            "the square root is missing from the standard error.": (
                width(STEPS, dogs, float),
                width(1, dogs, float),
            ),
            "the n counts all the dogs, those found and those missed.": (
                width(STEPS, hits),
                width(STEPS, dogs - hits),
            ),
        },
        "not this. The standard error is √(p(1 − p)/n): which p, and which n? And how many "
        "standard errors make 95%?",
        tolerance=0.025,
    )


# --- 6. Answer, or pass ------------------------------------------------------------------

GOAL, COST, PASS = 0.15, 5, -1  # points a photograph; what a wrong answer costs; no answer


@exercise("09-pass", "make decide")
def answer_or_pass(decide: Callable, val_probabilities: object, val_classes: object):
    given = val_probabilities.get("model_dropout") if isinstance(val_probabilities, dict) else None
    p, classes = as_array(given), as_array(val_classes)
    if p is None or classes is None or p.shape != (10_000, 10) or classes.shape != (10_000,):
        yield changed("val_probabilities", "val_classes")
        return
    p, classes = np.asarray(given)[5_000:], classes[5_000:]
    decisions, fault = _decisions(decide, p)
    if fault:
        yield fault
        return
    order = np.random.default_rng(0).permutation(len(p))
    again, fault = _decisions(decide, p[order])
    if fault or np.mean(again != decisions[order]) > 0.001:
        yield wrong(
            "decide: given the same photographs in another order, it decides otherwise. Does it go "
            "by the probabilities that it is given, and by nothing else?"
        )
        return
    yield right("decide: a class or -1 for each row of probabilities.")
    yield _judge_points(decisions, classes, p)


def _decisions(decide, p):
    """What a learner's function decides, and None; or None and a line on what is wrong."""
    returned, fault = called("decide", decide, p.copy())
    if fault:
        return None, fault
    found = as_array(returned)
    if found is None:
        return None, wrong(
            "decide: it should return numbers, one for each row: the place of a class, 0 to 9, or "
            "-1 to pass."
        )
    if found.shape != (len(p),):
        return None, wrong(
            f"decide: for {len(p):,} rows it returns an array of shape {found.shape}; it should "
            f"have {(len(p),)}, a decision for each."
        )
    if not np.isin(found, np.arange(-1, 10)).all():
        return None, wrong(
            "decide: a decision is the place of a class, 0 to 9, or -1. Yours returns others too, "
            f"such as {found[~np.isin(found, np.arange(-1, 10))][0]:g}."
        )
    return found, None


def _judge_points(decisions, classes, p):
    answered, hits = decisions != PASS, decisions == classes
    points = np.mean(np.where(answered, np.where(hits, 1, -COST), 0))
    if not answered.any():
        return wrong("points: it passes everything, which costs nothing and earns nothing.")
    told = (
        f"points: {points:+.2f} a photograph on the 5,000 others. It answers "
        f"{answered.mean():.0%} of them, and of the answers {hits[answered].mean():.0%} are right"
    )
    if points >= GOAL:
        return right(f"{told}.")
    if hits[answered].mean() < np.mean(p.argmax(axis=1) == classes):
        return wrong(
            f"{told}, fewer than if it answered everything. Does it answer those of which the "
            "model is least sure?"
        )
    if points > 0.85 * GOAL:
        return wrong(f"{told}: a little below the goal of {GOAL}.")
    if hits[answered].mean() < COST / (COST + 1):
        return wrong(f"{told}: too few, when each wrong one costs what {COST} right ones earn.")
    return wrong(
        f"{told}: below the goal of {GOAL}. Is it too careful, or not careful enough? Try both on "
        "choose_photographs."
    )
