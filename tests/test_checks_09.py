"""What the checks of notebook 09 say: of right answers, of mistakes that learners make."""

import numpy as np
import pandas as pd
import pytest

from answers import assert_explained, is_right
from lesson import CIFAR10_CLASSES

JUNK = [7, "cat", 1.5, -3, [], [1, 2], {}, {"a": 1}, np.ones((2, 2)), np.array([]), len, [None] * 4,
        [[1], [1, 2]], np.nan, np.inf, ("cat", "cow"), object(), pd.DataFrame({"a": [1]}),
        range(3), {1, 2}, 1j, lambda: None, print, dict]  # fmt: skip
EXERCISES = {
    "09-pair": ("pair", "times"),
    "09-patients": tuple(
        f"patients_{name}" for name in ("accuracy", "recall", "specificity", "precision")
    ),
    "09-bug": ("fixed_metrics",),
    "09-threshold": ("threshold",),
    "09-dogs": ("dog_recall", "dog_bootstrap", "dog_formula"),
}


def context(exercise):
    """What earlier cells have made when this check is run."""
    reviews = {"choose_p": P, "choose_labels": LABELS}
    photographs = {"predicted": SAID, "test_classes": TRUTH}
    return {
        "09-pair": {"confusion": CONFUSION}, "09-threshold": reviews, "09-dogs": photographs,
    }.get(exercise, {})  # fmt: skip


@pytest.mark.parametrize("exercise", EXERCISES)
def test_before_anything_is_done(said, exercise):
    assert said(exercise, **context(exercise)).startswith("Nothing to check yet: make ")


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__}-{junk!r:.20}")
def test_junk_is_wrong_and_explained(said, exercise, junk):
    assert_explained(
        said(exercise, **context(exercise), **dict.fromkeys(EXERCISES[exercise], junk))
    )


# --- 09-pair -------------------------------------------------------------------------

# In one direction most go from ship to airplane; in both, between cat and dog.
CONFUSION = np.full((10, 10), 20)
CONFUSION[3, 5], CONFUSION[5, 3], CONFUSION[8, 0] = 150, 170, 180
np.fill_diagonal(CONFUSION, 0)
np.fill_diagonal(CONFUSION, 1000 - CONFUSION.sum(axis=1))


@pytest.mark.parametrize(
    ("pair", "times"),
    [
        (("cat", "dog"), 320),
        (["dog", "cat"], np.int64(320)),
        ({"cat", "dog"}, 320.0),
        ((3, 5), np.array(320)),
        (np.array(["cat", "dog"]), np.array([320])),
        (np.array([5, 3]), 320),
    ],
)
def test_pair(said, pair, times):
    assert is_right(said("09-pair", confusion=CONFUSION, pair=pair, times=times))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("pair", ("ship", "airplane"), "the largest count in one direction"),
        ("pair", ("frog", "frog"), "twice the same class"),
        ("pair", ("cat", "deer"), "another pair is mixed up more often"),
        ("pair", ("cat", "cow"), "the names of two classes"),
        ("pair", "cat", "the names of two classes"),
        ("pair", ("cat", "dog", "frog"), "the names of two classes"),
        ("pair", (3, 50), "the names of two classes"),
        ("times", 150, "one direction alone"),
        ("times", 170, "one direction alone"),
        ("times", 180, "one direction alone"),
        ("times", 640, "counted twice"),
        ("times", int(CONFUSION[1, 1]), "the diagonal"),
        ("times", 2 * int(CONFUSION[1, 1]), "the diagonal"),
        ("times", 0.32, "a whole number"),
        ("times", 321, "Add the two fields of the pair"),
    ],
)
def test_pair_that_is_wrong(said, name, value, reason):
    answers = {"pair": ("cat", "dog"), "times": 320, name: value}
    text = said("09-pair", confusion=CONFUSION, **answers)
    assert f"✗ {name}: " in text
    assert reason in text
    assert text.endswith("1 of 2 right so far.")


@pytest.mark.parametrize("confusion", [CONFUSION / 1000, CONFUSION * 2, "matrix", [[1], [2, 3]], 4])
def test_pair_with_spoilt_confusion(said, confusion):
    text = said("09-pair", confusion=confusion, pair=("cat", "dog"), times=320)
    assert "run the cell that makes it once more" in text


def test_pair_leaves_the_matrix_as_it_is(said):
    before = CONFUSION.copy()
    said("09-pair", confusion=CONFUSION, pair=("cat", "dog"), times=320)
    assert np.array_equal(CONFUSION, before)


# --- 09-patients ---------------------------------------------------------------------

PATIENTS = {
    "patients_accuracy": 0.9,
    "patients_recall": 100 / 130,
    "patients_specificity": 800 / 870,
    "patients_precision": 100 / 170,
}


def test_patients_are_those_of_the_table(said):
    """90%, 76.9%, 92.0%, 58.8%."""
    assert [f"{value:.1%}" for value in PATIENTS.values()] == ["90.0%", "76.9%", "92.0%", "58.8%"]
    assert is_right(said("09-patients", **PATIENTS))
    assert is_right(said("09-patients", **{k: np.float32(v) for k, v in PATIENTS.items()}))
    assert is_right(said("09-patients", **{k: round(v, 2) for k, v in PATIENTS.items()}))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        # The classic ones.
        ("specificity", 100 / 170, "this is the precision"),
        ("precision", 100 / 130, "this is the recall"),
        ("accuracy", 100 + 800 / 1000, "division comes before addition"),
        ("accuracy", 800 + 100 / 1000, "division comes before addition"),
        ("accuracy", (100 + 800) / 100 + 30 + 70 + 800, "division comes before addition"),
        ("accuracy", 100 + 800 / 100 + 30 + 70 + 800, "division comes before addition"),
        # Others.
        ("recall", 100 / 170, "this is the precision"),
        ("recall", 800 / 870, "this is the specificity"),
        ("precision", 800 / 870, "this is the specificity"),
        ("specificity", 100 / 130, "this is the recall"),
        ("specificity", 800 / 830, "among those said to be healthy"),
        ("recall", 100 / 1000, "you divided by everybody"),
        ("specificity", 800 / 1000, "you divided by everybody"),
        ("accuracy", 100 / 1000, "you divided by everybody"),
        ("recall", 30 / 130, "is missed: the rest to 1"),
        ("specificity", 70 / 870, "is alarmed: the rest to 1"),
        ("precision", 70 / 170, "is false: the rest to 1"),
        ("recall", 76.9, "as a percentage"),
        ("accuracy", 90, "as a percentage"),
        ("recall", 100 / 100 + 30, "Are parentheses missing?"),
        ("precision", 0.5, "Precision asks: of those who were said to have it"),
        ("precision", 2 / 3, "this is F1"),
        ("precision", "58%", "this should be a number"),
        ("precision", np.nan, "is no share"),
    ],
)
def test_patients_that_are_wrong(said, name, value, reason):
    text = said("09-patients", **{**PATIENTS, f"patients_{name}": value})
    assert f"✗ patients_{name}: " in text
    assert reason in text
    assert text.endswith("3 of 4 right so far.")


# --- 09-bug --------------------------------------------------------------------------

BUGGY = ("accuracy", "recall", "specificity")


def metrics(accuracy=None, recall=None, specificity=None):
    """A function of the four counts, right but for what is given."""

    def function(tp, fn, fp, tn):
        rules = {
            "accuracy": accuracy or (lambda tp, fn, fp, tn: (tp + tn) / (tp + fn + fp + tn)),
            "recall": recall or (lambda tp, fn, fp, tn: tp / (tp + fn)),
            "specificity": specificity or (lambda tp, fn, fp, tn: tn / (tn + fp)),
        }
        return {name: rule(tp, fn, fp, tn) for name, rule in rules.items()}

    return function


def other_right_metrics(fp, tn, fn, tp, **more):
    """Other formulas, in another order, with a metric more."""
    wrong = fn + fp
    return {
        "precision": tp / (tp + fp),
        "specificity": np.float64(1 - fp / (fp + tn)),
        "recall": 1 - fn / (fn + tp),
        "accuracy": 1 - wrong / sum((tp, tn, fp, fn)),
    }


@pytest.mark.parametrize("function", [metrics(), other_right_metrics])
def test_bugs_are_found(said, function):
    assert is_right(said("09-bug", fixed_metrics=function))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (metrics(accuracy=lambda tp, fn, fp, tn: tp + tn / (tp + fn + fp + tn)),
         "accuracy: division comes before addition"),
        (metrics(accuracy=lambda tp, fn, fp, tn: (tp + tn) / tp + fn + fp + tn),
         "accuracy: division comes before addition"),
        (metrics(accuracy=lambda tp, fn, fp, tn: tp + tn / tp + fn + fp + tn),
         "accuracy: division comes before addition"),
        (metrics(specificity=lambda tp, fn, fp, tn: tp / (tp + fp)),
         "specificity: this is the precision"),
        (metrics(recall=lambda tp, fn, fp, tn: tp / (tp + fp)), "recall: this is the precision"),
        (metrics(specificity=lambda tp, fn, fp, tn: tp / (tp + fn)),
         "specificity: this is the recall"),
        (metrics(specificity=lambda tp, fn, fp, tn: fp / (tn + fp)), "is alarmed: the rest to 1"),
        (metrics(specificity=lambda tp, fn, fp, tn: tn / tn + fp), "Are parentheses missing?"),
        (metrics(accuracy=lambda *_: 0.85), "accuracy: right for the counts of the exercise"),
        (metrics(recall=lambda *_: "high"), "recall: the dict should hold a number"),
        (lambda tp, fn, fp, tn: None, "Is the return there?"),
        (lambda tp, fn, fp, tn: (0.7, 0.55, 0.73), "should return a dict"),
        (lambda tp, fn, fp, tn: {"accuracy": (tp + tn) / (tp + fn + fp + tn)}, "under this name"),
        (lambda tp, fn: {}, "it fails (TypeError"),
        (lambda tp, fn, fp, tn: {"accuracy": tp / 0}, "it fails (ZeroDivisionError"),
        ({"accuracy": 0.7}, "should be a function"),
    ],
)  # fmt: skip
def test_bugs_that_are_left(said, function, reason):
    text = said("09-bug", fixed_metrics=function)
    assert reason in text
    assert not is_right(text)


# --- 09-threshold --------------------------------------------------------------------

rng = np.random.default_rng(0)
LABELS = (rng.random(5000) < 0.5).astype("uint8")
P = rng.beta(1 + 4 * LABELS, 5 - 4 * LABELS * 0.9).astype("float32")
POSITIVE, NEGATIVE = np.sort(P[LABELS == 1])[::-1], np.sort(P[LABELS == 0])[::-1]
ENOUGH = int(np.ceil(0.95 * len(POSITIVE)))
BEST = POSITIVE[ENOUGH - 1]
BELOW = np.sort(P)[::-1][np.sum(P >= BEST)]  # the next review of either kind


@pytest.mark.parametrize("value", [BEST, float(BEST), np.float64(BEST), float(BEST + BELOW) / 2])
def test_threshold(said, value):
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert is_right(text)
    assert "·" not in text


def test_threshold_from_a_quantile(said):
    value = np.quantile(P[LABELS == 1], 0.05)
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert is_right(text)


def test_threshold_one_review_short_is_noted(said):
    value = float(POSITIVE[ENOUGH - 2] + BEST) / 2
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert is_right(text)
    assert "· One positive review is missing" in text


def test_threshold_from_a_grid_is_noted(said):
    value = np.floor(BEST * 100) / 100
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert is_right(text)
    assert "· It is within a hundredth" in text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.95, "95 in 100 is the recall that is wanted"),
        (0.5, "of the positive reviews"),
        (0.01, "but a higher one would do"),
        (0.9, "fewer than wanted"),
        (np.sort(P)[::-1][int(np.ceil(0.95 * 5000)) - 1], "95 in 100 of all reviews"),
        (np.quantile(NEGATIVE, 0.05), "of the negative reviews"),
        (np.quantile(POSITIVE, 0.95), "the other way round"),
        (POSITIVE[::-1][ENOUGH - 1], "the other way round"),
        (ENOUGH, "is no probability"),
        (-0.2, "is no probability"),
        (np.nan, "is no probability"),
    ],
)
def test_threshold_that_is_wrong(said, value, reason):
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert reason in text
    assert not is_right(text)


def test_threshold_for_precision_is_told(said):
    order = np.argsort(-P, kind="stable")
    precision = np.cumsum(LABELS[order]) / np.arange(1, 5001)
    value = P[order][np.flatnonzero(precision >= 0.95)[-1]]
    text = said("09-threshold", **context("09-threshold"), threshold=value)
    assert "that is precision" in text
    assert not is_right(text)


@pytest.mark.parametrize(
    "spoilt", [{"choose_p": P[:10]}, {"choose_labels": "all"}, {"choose_labels": np.ones(5000)}]
)
def test_threshold_with_spoilt_reviews(said, spoilt):
    text = said("09-threshold", **{**context("09-threshold"), **spoilt}, threshold=BEST)
    assert "run the cell that makes them once more" in text


# --- 09-dogs -------------------------------------------------------------------------

# 560 of 1,000 dogs are found; 895 photographs are called a dog. As with the reference run.
TRUTH = np.repeat(np.arange(10), 1_000)
SAID = TRUTH.copy()
SAID[5_560:6_000] = 3
SAID[3_000:3_335] = 5
SAID[:2_000] = 9
FOUND = SAID[TRUTH == 5] == 5
RECALL, PRECISION, ACCURACY = 0.56, 560 / 895, np.mean(SAID == TRUTH)


def bootstrap(values=FOUND, size=None, share=95, replace=True, draws=2_000):
    """The middle of the means of `draws` draws from `values`."""
    chance = np.random.default_rng(10)
    size = size or len(values)
    means = [chance.choice(values, size, replace).mean() for _ in range(draws)]
    return np.percentile(means, [50 - share / 2, 50 + share / 2])


def formula(p=RECALL, n=1_000, steps=1.96, root=np.sqrt):
    reach = steps * root(p * (1 - p) / n)
    return p - reach, p + reach


def of_all_photographs():
    """The bootstrap of the recall, drawing from all ten classes."""
    chance, scores = np.random.default_rng(10), []
    for _ in range(2_000):
        rows = chance.integers(10_000, size=10_000)
        dogs = TRUTH[rows] == 5
        scores.append(np.mean(SAID[rows][dogs] == 5))
    return np.quantile(scores, [0.025, 0.975])


def from_the_spread():
    chance = np.random.default_rng(11)
    scores = [FOUND[chance.integers(1_000, size=1_000)].mean() for _ in range(2_000)]
    return [RECALL - 1.96 * np.std(scores), RECALL + 1.96 * np.std(scores)]


DOGS = {"dog_recall": RECALL, "dog_bootstrap": bootstrap(), "dog_formula": formula()}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"dog_bootstrap": of_all_photographs()},
        {"dog_bootstrap": from_the_spread()},
        {"dog_bootstrap": tuple(np.round(bootstrap(), 3))},
        {"dog_formula": np.round(formula(), 3)},
        {"dog_formula": formula(steps=2)},
        {"dog_formula": list(map(np.float32, formula(n=999)))},
        {"dog_recall": np.float32(RECALL)},
    ],
)
def test_dogs(said, other):
    assert is_right(said("09-dogs", **context("09-dogs"), **{**DOGS, **other}))


def test_dogs_are_right_whatever_the_draws(said):
    """The check leaves room for chance: 20 bootstraps, each with draws of its own."""
    for seed in range(20):
        scores = np.random.default_rng(seed).binomial(1_000, RECALL, 2_000) / 1_000
        drawn = {"dog_bootstrap": tuple(np.percentile(scores, [2.5, 97.5]))}
        assert is_right(said("09-dogs", **context("09-dogs"), **{**DOGS, **drawn})), seed


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        # The classic ones.
        ("formula", formula(n=10_000), "you put in n = 10,000"),
        ("formula", formula(steps=1), "one standard error to either side"),
        ("formula", formula(n=10_000, steps=1), "one standard error to either side is not 95%"),
        ("formula", formula(p=PRECISION), "this is the precision"),
        ("formula", formula(p=PRECISION, n=895), "this is the precision"),
        ("bootstrap", bootstrap(TRUTH[SAID == 5] == 5), "this is the precision"),
        ("bootstrap", bootstrap(replace=False), "Draw with replacement"),
        ("bootstrap", bootstrap(share=90), "about 90% of the draws lie in it"),
        ("recall", PRECISION, "this is the precision"),
        # Others.
        ("bootstrap", bootstrap(size=10_000), "how many were drawn each time"),
        ("bootstrap", bootstrap(SAID == TRUTH), "this is the accuracy of all ten classes"),
        ("bootstrap", bootstrap(share=68), "about two thirds of the draws"),
        ("bootstrap", bootstrap(share=99.9), "too wide"),
        ("bootstrap", bootstrap(size=100), "too wide"),
        ("bootstrap", bootstrap(size=2_500), "too narrow. Draw as many dogs"),
        ("bootstrap", (0.2, 0.3), "does not lie around the recall"),
        ("bootstrap", bootstrap()[::-1], "the lower end comes first"),
        ("bootstrap", 0.56, "two numbers"),
        ("bootstrap", (0.53, 0.56, 0.59), "two numbers"),
        ("bootstrap", ("0.53", "0.59"), "two numbers"),
        ("bootstrap", 100 * bootstrap(), "between 0 and 1"),
        ("formula", formula(p=ACCURACY, n=10_000), "this is the accuracy of all ten classes"),
        ("formula", formula(n=895), "were called a dog"),
        ("formula", formula(n=560), "those found and those missed"),
        ("formula", formula(steps=1.645), "interval of 90%"),
        ("formula", formula(root=float), "square root is missing"),
        ("formula", formula(n=4_000, steps=3), "which p, and which n?"),
        ("formula", (0.2, 0.3), "its middle should be the recall"),
        ("formula", 1.96 * np.sqrt(0.56 * 0.44 / 1_000), "two numbers"),
        ("recall", 560, "how many dogs are found"),
        ("recall", 0.056, "divided by all photographs"),
        ("recall", 56, "as a percentage"),
        ("recall", ACCURACY, "this is the accuracy of all ten classes"),
        ("recall", 0.3, "Recall asks: of those who have it"),
    ],
)
def test_dogs_that_are_wrong(said, name, value, reason):
    text = said("09-dogs", **context("09-dogs"), **{**DOGS, f"dog_{name}": value})
    assert f"✗ dog_{name}: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")


@pytest.mark.parametrize(
    "spoilt", [{"predicted": SAID / 1}, {"predicted": SAID[:10]}, {"test_classes": "dogs"},
               {"predicted": np.zeros(10_000, int)}, {"test_classes": [[1], [1, 2]]}]
)  # fmt: skip
def test_dogs_with_spoilt_classes(said, spoilt):
    text = said("09-dogs", **{**context("09-dogs"), **spoilt}, **DOGS)
    assert "run the cells that make them once more" in text


def test_no_check_gives_the_answer_away(said):
    """What is said of a wrong answer holds no right number."""
    text = said("09-patients", **dict.fromkeys(PATIENTS, 0.123))
    text += said("09-bug", fixed_metrics=lambda **_: dict.fromkeys(BUGGY, 0.123))
    text += said("09-dogs", **context("09-dogs"), dog_recall=0.123, dog_bootstrap=(0.1, 0.2),
                 dog_formula=(0.1, 0.2))  # fmt: skip
    text += said("09-pair", confusion=CONFUSION, pair=("frog", "deer"), times=1)
    numbers = ("0.9", "0.76", "0.58", "0.85", "0.8", "0.867", "0.56", "1,000", "1000", "320")
    assert not any(number in text for number in numbers)
    assert CIFAR10_CLASSES[3] not in text


# What the solutions need; see test_checks.py.
PREPARE = {
    "09-pair": lambda: {"confusion": CONFUSION},
    "09-patients": [],
    "09-bug": [],
    "09-threshold": lambda: context("09-threshold"),
    "09-dogs": lambda: {**context("09-dogs"), "rng": np.random.default_rng(9)},
}
