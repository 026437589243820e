"""What the checks of notebook 10 say: of right answers, of mistakes that learners make."""

import keras
import numpy as np
import pytest

from answers import assert_explained, is_right
from lesson.outputs import outputs_folder

layers = keras.layers
EXERCISES = {
    "10-count": "counts",
    "10-checkpoint": "checkpoint",
    "10-suits": "suits",
    "10-norm": "batch_norm",
    "10-block": "residual",
}
JUNK = [3, "text", [], {}, np.ones(2), [None] * 5, ["a"] * 5, [[1], [1, 2]], keras.Sequential(),
        print, lambda *given: None, lambda *given: 7, lambda *given: "text", lambda: 1,
        lambda *given: given, keras.callbacks.History(), {"faces": 1}, np.nan]  # fmt: skip


@pytest.mark.parametrize("exercise", EXERCISES)
def test_before_anything_is_done(said, exercise):
    assert said(exercise).startswith("Nothing to check yet: ")


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__}-{junk!r:.12}")
def test_junk_is_wrong_and_explained(said, exercise, junk):
    assert_explained(said(exercise, **{EXERCISES[exercise]: junk}))


# --- 10-count ------------------------------------------------------------------------

COUNTS = [208, 2_080, 8_256, 512_500, 5_010]


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda c: np.array(c, float)])
def test_counts(said, kind):
    assert is_right(said("10-count", counts=kind(COUNTS)))


@pytest.mark.parametrize(
    ("place", "given", "reason"),
    [
        (0, 192, "conv_1: almost: each of the filters has one number more"),
        (0, 448, "conv_1: that is with patches of 3 × 3"),
        (0, 80, "conv_1: that is for one channel below"),
        (0, 13, "conv_1: that is a single filter"),
        (1, 2_048, "conv_2: almost"),
        (1, 4_640, "conv_2: that is with patches of 3 × 3"),
        (1, 160, "conv_2: that is for one channel below"),
        (2, 8_192, "conv_3: almost"),
        (2, 18_496, "conv_3: that is with patches of 3 × 3"),
        (2, 1, "conv_3: each filter has a weight for each number of its patch"),
        (3, 512_000, "hidden: almost: each of the units"),
        (3, 32_500, "hidden: that takes one number for each of the 64 channels"),
        (3, 2_048_500, "There is a third"),
        (3, 288_500, "padding 'same' leaves the size alone"),
        (3, 358_500, "dropout sets some numbers to 0 in training"),
        (3, 1, "hidden: each unit has a weight for each number that it reads"),
        (4, 5_000, "classes: almost"),
        (4, 10_250, "which layer stands right below?"),
        (4, 3_010, "dropout sets some numbers to 0"),
        (4, np.nan, "classes: each unit has a weight"),
    ],
)
def test_counts_wrong(said, place, given, reason):
    counts = [*COUNTS[:place], given, *COUNTS[place + 1 :]]
    text = said("10-count", counts=counts)
    assert reason in text
    assert text.endswith("4 of 5 right so far.")
    assert not any(f"{COUNTS[place]:{form}}" in text for form in ("", ",")), "gives it away"


# --- 10-checkpoint -------------------------------------------------------------------


def checkpoint(**given):
    options = {
        "filepath": outputs_folder() / "model_classic.keras",
        "monitor": "val_categorical_accuracy",
        "mode": "max",
        "save_best_only": True,
    }
    return keras.callbacks.ModelCheckpoint(**(options | given))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mode": "auto"},
        {"verbose": 1},
        {"filepath": str(outputs_folder() / "model_classic.keras")},
        {"initial_value_threshold": 0.1},
    ],
)
def test_checkpoint(said, given):
    assert is_right(said("10-checkpoint", checkpoint=checkpoint(**given)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"mode": "min"}, "'min' would keep the epoch with the *lowest* accuracy"),
        ({"monitor": "categorical_accuracy"}, "measured on the images it learns from"),
        ({"monitor": "val_loss", "mode": "min"}, "that is what it watches unless told otherwise"),
        ({"monitor": "val_loss", "mode": "auto"}, "that is what it watches unless told otherwise"),
        ({"monitor": "loss", "mode": "min"}, "that is the training loss"),
        ({"monitor": "val_accuracy"}, "nothing called 'val_accuracy': Keras would warn"),
        ({"monitor": "accuracy"}, "nothing called 'accuracy'"),
        ({"save_best_only": False}, "so the last one is kept"),
        ({"filepath": "model_classic.keras"}, "Use the path `best_file`"),
        ({"filepath": outputs_folder() / "best.keras"}, "Use the path `best_file`"),
        ({"filepath": outputs_folder() / "{epoch}.keras"}, "a file for each epoch"),
        (
            {"filepath": "model_classic.weights.h5", "save_weights_only": True},
            "save_weights_only leaves out the layers",
        ),
        ({"save_freq": 100}, "save_freq counts steps"),
    ],
)
def test_checkpoint_wrong(said, given, reason):
    text = said("10-checkpoint", checkpoint=checkpoint(**given))
    assert reason in text
    assert text.endswith("3 of 4 right so far.")


def test_checkpoint_that_watches_a_loss_upwards(said):
    text = said("10-checkpoint", checkpoint=checkpoint(monitor="val_loss"))
    assert "you monitor a loss, of which less is better" in text
    assert text.endswith("2 of 4 right so far.")


def test_another_callback(said):
    text = said("10-checkpoint", checkpoint=keras.callbacks.EarlyStopping())
    assert "yours is EarlyStopping, which saves nothing" in text


@pytest.mark.parametrize("mode", ["max", "auto"])
def test_what_the_check_calls_right_keeps_the_best_epoch(mode, tmp_path):
    """Keras finds out by itself that more is better, as the check takes for granted."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(10, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.CategoricalAccuracy()])
    callback = checkpoint(mode=mode, filepath=tmp_path / "best.keras")
    x, y = np.random.default_rng(0).random((20, 2)), np.eye(10)[np.arange(20) % 10]
    curve = model.fit(x, y, epochs=8, validation_data=(x, y), callbacks=[callback], verbose=0)
    assert callback.best == max(curve.history["val_categorical_accuracy"])


# --- 10-suits ------------------------------------------------------------------------

SUITS = {
    "faces": {"left-right", "shift"},
    "cells": {"left-right", "upside down", "shift"},
    "arrows": {"shift"},
}


@pytest.mark.parametrize("kind", [set, list, tuple, lambda s: next(iter(s)) if len(s) == 1 else s])
def test_suits(said, kind):
    assert is_right(said("10-suits", suits={name: kind(words) for name, words in SUITS.items()}))


@pytest.mark.parametrize(
    ("data", "given", "reason"),
    [
        ("faces", {"shift"}, "faces: left-right: seen in a mirror"),
        ("faces", {"left-right"}, "faces: shift: moved by a pixel"),
        ("faces", {"left-right", "shift", "upside down"}, "who laughs still laughs; but"),
        ("faces", set(), "shift: moved by a pixel"),
        ("cells", {"shift"}, "cells: left-right: seen in a mirror, is it another thing?"),
        ("cells", {"shift", "left-right"}, "is there a right way up for these?"),
        ("arrows", {"shift", "left-right"}, "what does the sign say afterwards?"),
        ("arrows", {"upside down", "shift"}, "an arrow to the left points where?"),
        ("faces", {"shifts"}, "faces: 'shifts' is none of"),
        ("faces", {...}, "faces: Ellipsis is none of"),
        ("faces", ..., "faces: nothing chosen yet"),
        ("faces", 7, "faces: this should be a set of words"),
        ("faces", [[1]], "faces: this should be a set of words"),
    ],
)
def test_suits_wrong(said, data, given, reason):
    text = said("10-suits", suits={**SUITS, data: given})
    assert reason in text
    assert text.endswith("2 of 3 right so far.")


# --- 10-norm -------------------------------------------------------------------------


def norm(statistics=None, epsilon=0.001, swap=False, **options):
    """A batch normalisation with a slip, if one is given."""

    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        if training != swap:
            mean, variance = (
                values.mean(**({"axis": 0} | options)),
                values.var(**({"axis": 0} | options)),
            )
        else:
            mean, variance = moving_mean, moving_variance
        return gamma * (values - mean) / np.sqrt(variance + epsilon) + beta

    return batch_norm


def by_keras(values, gamma, beta, moving_mean, moving_variance, training):
    layer = layers.BatchNormalization()
    layer.build(values.shape)
    layer.set_weights([gamma, beta, moving_mean, moving_variance])
    return layer(values, training=training)


def in_loops(values, gamma, beta, moving_mean, moving_variance, training):
    columns = []
    for i, column in enumerate(values.T):
        mean = sum(column) / len(column) if training else moving_mean[i]
        square = sum((column - mean) ** 2) / len(column) if training else moving_variance[i]
        columns.append(gamma[i] * (column - mean) / (square + 1e-3) ** 0.5 + beta[i])
    return np.array(columns).T.tolist()


def using(formula):
    """A function that gets the right statistics and does this with them."""

    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        mean, variance = moving_mean, moving_variance
        if training:
            mean, variance = values.mean(axis=0), values.var(axis=0)
        return formula(values, gamma, beta, mean, variance)

    return batch_norm


@pytest.mark.parametrize("function", [norm(), by_keras, in_loops])
def test_norm(said, function):
    assert is_right(said("10-norm", batch_norm=function))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (norm(epsilon=0), "training: ε is missing under the root"),
        (norm(epsilon=0), "prediction: ε is missing under the root"),
        (norm(epsilon=1e-7), "training: another ε; Keras's is 0.001"),
        (norm(swap=True), "training: it used the moving statistics"),
        (norm(swap=True), "prediction: it used the statistics of the batch"),
        (lambda v, g, b, m, s, t: norm()(v, g, b, m, s, True), "prediction: it used the stat"),
        (lambda v, g, b, m, s, t: norm()(v, g, b, m, s, False), "training: it used the moving"),
        (norm(axis=None), "training: one mean and variance for all numbers together"),
        (norm(axis=1, keepdims=True), "training: mean and variance of each *row*"),
        (
            using(lambda v, g, b, m, s: g * (v - m) / (s + 0.001) + b),
            "prediction: it divides by the variance",
        ),
        (
            using(lambda v, g, b, m, s: g * (v - m) / (np.sqrt(s) + 0.001) + b),
            "prediction: ε belongs under the root",
        ),
        (using(lambda v, g, b, m, s: (v - m) / np.sqrt(s + 0.001)), "training: γ and β are missi"),
        (using(lambda v, g, b, m, s: g * (v - m) / np.sqrt(s + 0.001)), "training: β is missing"),
        (using(lambda v, g, b, m, s: (v - m) / np.sqrt(s + 0.001) + b), "training: γ is missing"),
        (
            using(lambda v, g, b, m, s: b * (v - m) / np.sqrt(s + 0.001) + g),
            "training: γ and β have changed places",
        ),
        (
            using(lambda v, g, b, m, s: g * ((v - m) / np.sqrt(s + 0.001) + b)),
            "training: β comes last",
        ),
        (using(lambda v, g, b, m, s: v), "training: nothing is normalised"),
        (using(lambda v, g, b, m, s: v * 3), "the numbers differ from γ · (value"),
        (using(lambda v, g, b, m, s: v[:2]), "(8, 3) numbers go in, (2, 3) come out"),
        (using(lambda v, g, b, m, s: None), "training: batch_norm returns nothing"),
        (using(lambda v, g, b, m, s: v.wrong), "batch_norm stops with AttributeError"),
        (lambda values: values, "batch_norm stops with TypeError"),
    ],
)
def test_norm_wrong(said, function, reason):
    text = said("10-norm", batch_norm=function)
    assert reason in text
    assert not is_right(text)


def test_norm_with_the_other_variance(said):
    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        mean, variance = moving_mean, moving_variance
        if training:
            mean, variance = values.mean(axis=0), values.var(axis=0, ddof=1)
        return gamma * (values - mean) / np.sqrt(variance + 0.001) + beta

    text = said("10-norm", batch_norm=batch_norm)
    assert "training: the variance divides by n − 1" in text
    assert text.endswith("1 of 2 right so far.")


def test_norm_that_changes_what_it_is_given(said):
    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        result = norm()(values, gamma, beta, moving_mean, moving_variance, training)
        values -= 1
        return result

    text = said("10-norm", batch_norm=batch_norm)
    assert is_right(text)
    assert "· Your function changes an array" in text


# --- 10-block ------------------------------------------------------------------------


def convolution(x, filters, pool=False, activation="relu"):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation(activation)(x)


def block(convolve=convolution, always=False, project=None, join=None, after=None):
    """A residual block with a slip, if one is given."""

    def residual(x, filters):
        skip = x
        if always or x.shape[-1] != filters:
            skip = (project or (lambda x, filters: layers.Conv2D(filters, 1)(x)))(x, filters)
        result = (join or (lambda a, b: layers.Add()([a, b])))(skip, convolve(x, filters))
        return after(result) if after else result

    return residual


@pytest.mark.parametrize(
    "function",
    [
        block(),
        block(join=lambda a, b: a + b),
        block(join=lambda a, b: layers.add([b, a])),
        block(project=lambda x, filters: layers.Conv2D(filters, (1, 1), padding="same")(x)),
        block(project=lambda x, filters: layers.Conv2D(filters, 1, use_bias=False)(x)),
        block(join=lambda a, b: keras.ops.add(a, b)),
    ],
)
def test_block(said, function):
    assert is_right(said("10-block", residual=function))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (block(project=lambda x, filters: x), "another width: with 4 channels in x and 7 filters"),
        (block(always=True), "x needs no 1 × 1 convolution here"),
        (block(join=lambda a, b: b), "skip: with f(x) = 0 nothing of x comes out"),
        (block(join=lambda a, b: layers.Concatenate()([a, b])), "channels side by side"),
        (block(join=lambda a, b: layers.Multiply()([a, b])), "nothing of x comes out"),
        (block(join=lambda a, b: layers.Add()([a, a, b])), "x is added twice"),
        (block(after=layers.Activation("relu")), "something cuts off what is negative"),
        (block(convolve=lambda x, f: convolution(convolution(x, f), f)), "parameters; one `conv"),
        (
            block(convolve=lambda x, f: layers.Conv2D(f, 3, padding="same")(x)),
            "batch normalisation",
        ),
        (block(convolve=lambda x, f: layers.BatchNormalization()(x)), "no convolution of 3 × 3"),
        (
            block(project=lambda x, filters: layers.Conv2D(filters, 1, activation="relu")(x)),
            "leave out its activation",
        ),
        (
            block(project=lambda x, filters: layers.Conv2D(filters, 3, padding="same")(x)),
            "another width: there are 0 convolutions of 1 × 1",
        ),
        (lambda x, filters: None, "returns nothing"),
        (lambda x, filters: layers.Dense(filters), "should return what a layer gave"),
        (lambda x: x, "stops with TypeError"),
        (lambda x, filters: keras.Input((6, 6, filters)), "does not come from x"),
        (lambda x, filters: x, "f(x): there is no convolution"),
        (lambda x, filters: convolution(x, filters), "nothing of x comes out"),
    ],
)
def test_block_wrong(said, function, reason):
    text = said("10-block", residual=function)
    assert reason in text
    assert not is_right(text)


def test_wide_block_that_adds_the_projection_of_something_else(said):
    def residual(x, filters):
        branch = convolution(x, filters)
        if x.shape[-1] == filters:
            return layers.Add()([x, branch])
        return layers.Add()([branch, layers.Conv2D(filters, 1)(branch)])

    text = said("10-block", residual=residual)
    assert "another width: the 1 × 1 convolution should read x" in text


# What the solutions need; see test_checks.py.
PREPARE = {
    "10-count": dict,
    "10-checkpoint": ["best-file"],
    "10-suits": dict,
    "10-norm": dict,
    "10-block": ["convolution-function"],
}
