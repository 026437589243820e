"""What the exercises of notebook 09 find in the kernel, and what attempts are made of."""

import keras
import numpy as np
import pandas as pd

from lesson import CIFAR10_CLASSES

CONFUSION = np.full((10, 10), 20)

CONFUSION[3, 5], CONFUSION[5, 3], CONFUSION[8, 0] = 150, 170, 180

np.fill_diagonal(CONFUSION, 0)

np.fill_diagonal(CONFUSION, 1000 - CONFUSION.sum(axis=1))

PATIENTS = {
    "patients_accuracy": 0.9,
    "patients_recall": 100 / 130,
    "patients_specificity": 800 / 870,
    "patients_precision": 100 / 170,
}

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


rng = np.random.default_rng(0)

LABELS = (rng.random(5000) < 0.5).astype("uint8")

P = rng.beta(1 + 4 * LABELS, 5 - 4 * LABELS * 0.9).astype("float32")

POSITIVE, NEGATIVE = np.sort(P[LABELS == 1])[::-1], np.sort(P[LABELS == 0])[::-1]

ENOUGH = int(np.ceil(0.95 * len(POSITIVE)))

BEST = POSITIVE[ENOUGH - 1]

BELOW = np.sort(P)[::-1][np.sum(P >= BEST)]

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

# Photographs as hard as the notebook's: of the answers with probability p, a share p is right.
chance = np.random.default_rng(1)

SCORES = chance.normal(size=(10_000, 10))

SCORES[np.arange(10_000), chance.integers(10, size=10_000)] += 6 * chance.random(10_000)

PHOTOGRAPHS = (np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)).astype("float32")

CLASSES = np.sum(chance.random((10_000, 1)) > PHOTOGRAPHS.cumsum(axis=1), axis=1).clip(max=9)


def points(decisions, classes):
    answered = np.where(decisions == classes, 1, -5)
    return np.where(decisions == -1, 0, answered).mean()


def with_temperature(probabilities, temperature):
    shares = probabilities ** (1 / temperature)
    return shares / shares.sum(axis=1, keepdims=True)


def surer_than(least, sign=None):
    """Answers where a sign, the largest probability if none is given, is above a number."""

    def decide(probabilities):
        sure = probabilities.max(axis=1) if sign is None else sign(probabilities)
        return np.where(sure > least, probabilities.argmax(axis=1), -1)

    return decide


def lead(probabilities):
    """By how much the largest probability is above the second."""
    ranked = np.sort(probabilities, axis=1)
    return ranked[:, -1] - ranked[:, -2]


def row_by_row(probabilities):
    decisions = []
    for row in probabilities:
        best = max(range(10), key=lambda place: row[place])
        decisions.append(best if row[best] - 5 * (1 - row[best]) > 0 else -1)
    return decisions


def the_surest_third(probabilities):
    sure = probabilities.max(axis=1)
    return np.where(sure >= np.quantile(sure, 0.67), probabilities.argmax(axis=1), -1)


def upside_down(probabilities):
    return np.where(probabilities.max(axis=1) > 5 / 6, -1, probabilities.argmax(axis=1))


PREPARE = {
    "09-pair": lambda: {"confusion": CONFUSION},
    "09-patients": [],
    "09-bug": [],
    "09-threshold": lambda: {"choose_p": P, "choose_labels": LABELS},
    "09-dogs": lambda: {
        "predicted": SAID,
        "test_classes": TRUTH,
        "rng": np.random.default_rng(9),
    },
    "09-pass": lambda: {
        "val_probabilities": {"model_dropout": PHOTOGRAPHS},
        "val_classes": CLASSES,
        "p_photographs": PHOTOGRAPHS,
        "choose_photographs": PHOTOGRAPHS[:5_000],
        "choose_classes": CLASSES[:5_000],
        "best_temperature": lambda probabilities, classes: 1.0,
    },
}
