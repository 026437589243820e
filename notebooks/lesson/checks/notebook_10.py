"""Checks of notebook 10, Beyond ninety percent."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    as_array,
    called,
    function,
    judged,
    number,
    right,
    told,
    wrong,
)
from lesson.outputs import outputs_folder

# --- 1. Count ---------------------------------------------------------------------

COUNTS = {  # and how many units there are
    "conv_1": (208, 16),
    "conv_2": (2_080, 32),
    "conv_3": (8_256, 64),
    "hidden": (512_500, 500),
    "classes": (5_010, 10),
}
THREE = "that is with patches of 3 × 3, as in notebook 03. Here they are 2 × 2."
DEPTH = "that is for one channel below. How many does a filter look at here?"
ONE = "that is a single filter. How many are there?"
DROPPED = "dropout sets some numbers to 0 in training, but takes no place away: all have weights."
SLIPS = {
    "conv_1": {THREE: (448, 432), DEPTH: (80, 64), ONE: (13, 12)},
    "conv_2": {THREE: 4_640, DEPTH: (160, 416), ONE: (65, 64)},
    "conv_3": {THREE: 18_496, DEPTH: (320, 832), ONE: (129, 128)},
    "hidden": {
        "that takes one number for each of the 64 channels. Flatten hands over every number of "
        "the maps.": 32_500,
        "that is what the second pooling leaves. There is a third.": 2_048_500,
        "that is what the first pooling leaves. There are two more.": 8_192_500,
        "the maps are no longer 32 × 32 there: count the poolings.": 32_768_500,
        "padding 'same' leaves the size alone, so only pooling shrinks the maps.": 288_500,
        DROPPED: (358_500, 359_000, 359_340),
    },
    "classes": {
        "that reads the flattened maps; which layer stands right below?": 10_250,
        DROPPED: 3_010,
        "that is one unit. How many are there?": 501,
    },
}


@exercise("10-count", "make counts, a list of five numbers")
def count(counts: object):
    found = as_array(counts)
    if found is None or found.shape != (5,):
        yield wrong(
            "counts: this should be a list of five numbers, one for each layer that has parameters."
        )
        return
    for (layer, (expected, units)), given in zip(COUNTS.items(), found, strict=True):
        kind, rule = (
            ("filters", "each filter has a weight for each number of its patch, in all channels "
             "below, and one more.")
            if layer.startswith("conv")
            else ("units", "each unit has a weight for each number that it reads, and one more.")
        )  # fmt: skip
        almost = f"almost: each of the {kind} has one number more than its weights."
        yield number(
            layer,
            given,
            expected,
            "that is its count.",
            {almost: expected - units} | SLIPS[layer],
            rule,
        )


# --- 2. A checkpoint --------------------------------------------------------------

METRIC = "categorical_accuracy"


@exercise("10-checkpoint", "make checkpoint, a ModelCheckpoint")
def make_checkpoint(checkpoint: keras.callbacks.Callback):
    callback = checkpoint
    if not isinstance(callback, keras.callbacks.ModelCheckpoint):
        yield wrong(f"checkpoint: yours is {type(callback).__name__}, which saves nothing. The "
                    "task asks for a ModelCheckpoint.")  # fmt: skip
        return
    yield _judge_monitor(callback.monitor)
    yield _judge_mode(callback)
    yield judged(
        callback.save_best_only,
        "save_best_only: an epoch that is no better leaves the file alone.",
        "save_best_only: without it every epoch overwrites the file, so the last one is kept and "
        "not the best.",
    )
    yield _judge_file(callback)


def _judge_monitor(monitor):
    text = {
        METRIC: "that is measured on the images it learns from. A model that memorises goes on "
        "getting better there.",
        "val_loss": "that is what it watches unless told otherwise. Here the validation accuracy "
        "is to decide.",
        "loss": "that is the training loss, which falls whether or not the model gets better.",
    }.get(monitor)
    if text is None:
        text = (
            f"the history will have nothing called {monitor!r}: Keras would warn, and keep "
            "the last epoch. What are the columns of the histories in 03 called?"
        )
    return judged(
        monitor == f"val_{METRIC}",
        "monitor: the accuracy on images that it does not learn from.",
        f"monitor: {text}",
    )


def _judge_mode(callback):
    falls = callback.monitor.endswith("loss")
    if callback.mode == "auto":
        return right("mode: Keras works out which way is better from the metric.")
    if falls:
        return judged(
            callback.mode == "min",
            "mode: suits what you monitor, a loss.",
            "mode: you monitor a loss, of which less is better.",
        )
    return judged(
        callback.mode == "max",
        "mode: the higher the better.",
        "mode: 'min' would keep the epoch with the *lowest* accuracy, so the worst model.",
    )


def _judge_file(callback):
    path = Path(callback.filepath)
    if callback.save_weights_only:
        return wrong("file: save_weights_only leaves out the layers; keep the whole model, so "
                     "that it can be loaded by itself.")  # fmt: skip
    if callback.save_freq != "epoch":
        return wrong("file: save_freq counts steps here; the accuracy on validation images is "
                     "known at the end of an epoch.")  # fmt: skip
    if "{" in path.name:
        return wrong("file: with { } in its name there is a file for each epoch; one is enough.")
    wanted = outputs_folder() / "checkpoints" / "control.keras"
    return judged(
        path.resolve() == wanted,
        "file: control.keras, which is loaded again below.",
        f"file: yours is called {path.name} in the folder {path.parent.name or '.'}. Use the path "
        "`best_file` from the cell above.",
    )


# --- 3. Which change suits --------------------------------------------------------

CHANGES = ("left-right", "upside down", "shift")
SUITS = {
    "faces": {"left-right", "shift"},
    "cells": {"left-right", "upside down", "shift"},
    "arrows": {"shift"},
}
WHY_NOT = {
    ("faces", "upside down"): "turned by half a turn, who laughs still laughs; but do the "
    "photographs that the model will meet look like that?",
    ("arrows", "left-right"): "what does the sign say afterwards?",
    ("arrows", "upside down"): "seen upside down, an arrow to the left points where?",
}
WHY = {
    "shift": "moved by a pixel or two, it is the same thing.",
    "left-right": "seen in a mirror, is it another thing? Would it look out of place?",
    "upside down": "is there a right way up for these?",
}


@exercise("10-suits", "fill the three sets in suits")
def suit(suits: dict):
    if set(suits) != set(SUITS):
        yield wrong(f"suits: the names on the left should be {', '.join(SUITS)}.")
        return
    for data, expected in SUITS.items():
        given = suits[data]
        given = {given} if isinstance(given, str) else given
        if given is ...:
            yield wrong(f"{data}: nothing chosen yet.")
            continue
        try:
            given = set(given)
        except TypeError:
            yield wrong(f"{data}: this should be a set of words, such as {{'shift'}}.")
            continue
        unknown = [word for word in given if word not in CHANGES]
        if unknown:
            yield wrong(f"{data}: {unknown[0]!r} is none of {', '.join(map(repr, CHANGES))}.")
            continue
        hints = [WHY_NOT[data, change] for change in CHANGES if change in given - expected]
        hints += [f"{change}: {WHY[change]}" for change in CHANGES if change in expected - given]
        yield judged(
            given == expected,
            f"{data}: these keep the label, and look like what the model will meet.",
            f"{data}: {' '.join(hints)}",
        )


# --- 4. Batch normalisation by hand -----------------------------------------------

EPSILON = 1e-3


def _normalised(values, gamma, beta, mean, variance, epsilon=EPSILON):
    return gamma * (values - mean) / np.sqrt(variance + epsilon) + beta


def _probe():
    rng = np.random.default_rng(10)
    values = rng.normal([3, -2, 0.1], [2, 0.5, 0.03], (8, 3))
    gamma, beta = np.array([1.5, 0.8, 2.0]), np.array([0.5, -1.0, 0.2])
    moving_mean, moving_variance = np.array([2.5, -1.0, 0.3]), np.array([6.0, 0.5, 0.002])
    return values, gamma, beta, moving_mean, moving_variance


@exercise("10-norm", "write the function batch_norm")
def norm(batch_norm: Callable):
    for training, name, why in (
        (True, "training", "by the mean and variance of the batch, channel by channel."),
        (False, "prediction", "by the moving mean and variance alone."),
    ):
        yield function(
            name,
            lambda *given, training=training: batch_norm(*given, training),
            [_probe()],
            lambda *given, training=training: _by_rule(*given, training=training),
            why,
            _slips(training),
            "the numbers differ from γ · (value − mean) / √(variance + ε) + β.",
        )


def _statistics(values, moving_mean, moving_variance, training):
    return (values.mean(axis=0), values.var(axis=0)) if training else (moving_mean, moving_variance)


def _by_rule(values, gamma, beta, moving_mean, moving_variance, training, **options):
    statistics = _statistics(values, moving_mean, moving_variance, training)
    return _normalised(values, gamma, beta, *statistics, **options)


def _slips(training):
    """What mistakes give, by what to say of them: functions of what batch_norm takes."""

    def plain(v, g, b, m, s):
        return _normalised(v, 1, 0, *_statistics(v, m, s, training))

    def other_epsilon(epsilon):
        return lambda *given: _by_rule(*given, training=training, epsilon=epsilon)

    def divided_by(divisor):
        def slip(v, g, b, m, s):
            mean, variance = _statistics(v, m, s, training)
            return g * (v - mean) / divisor(variance) + b

        return slip

    swapped = (
        "it used the moving statistics. In training the batch's own count."
        if training
        else "it used the statistics of the batch, so an image's answer would depend on the "
        "company it comes in. At prediction the moving statistics count."
    )
    return {
        swapped: lambda *given: _by_rule(*given, training=not training),
        "ε is missing under the root, or far too small; see the third channel, whose variance is "
        "tiny. Keras's is 0.001.": (other_epsilon(0)),
        "ε belongs under the root, added to the variance.": (
            divided_by(lambda variance: np.sqrt(variance) + EPSILON)
        ),
        "another ε; Keras's is 0.001.": [other_epsilon(epsilon) for epsilon in (1e-2, 1e-4, 1e-5)],
        "it divides by the variance; the root is missing.": (
            divided_by(lambda variance: variance + EPSILON)
        ),
        "one mean and variance for all numbers together. Each channel has its own: see axis.": (
            lambda v, g, b, m, s: _normalised(v, g, b, v.mean(), v.var())
        ),
        "mean and variance of each *row*. Each channel, a column, has its own: see axis.": (
            lambda v, g, b, m, s: _normalised(
                v, g, b, v.mean(axis=1, keepdims=True), v.var(axis=1, keepdims=True)
            )
        ),
        "γ and β are missing.": plain,
        "β is missing.": lambda v, g, b, m, s: g * plain(v, g, b, m, s),
        "γ is missing.": lambda v, g, b, m, s: plain(v, g, b, m, s) + b,
        "γ and β have changed places.": lambda v, g, b, m, s: b * plain(v, g, b, m, s) + g,
        "β comes last: it is added after γ has multiplied.": (
            lambda v, g, b, m, s: g * (plain(v, g, b, m, s) + b)
        ),
        "the variance divides by n − 1; take NumPy's var as it is, which divides by n.": (
            lambda v, g, b, m, s: _normalised(v, g, b, v.mean(axis=0), v.var(axis=0, ddof=1))
        ),
        "nothing is normalised: these are the values as they were.": lambda v, *_: v,
    }


# --- 5. A residual block ----------------------------------------------------------

SIZE, WIDTH, WIDER = 6, 4, 7


@exercise("10-block", "write the function residual")
def block(residual: Callable):
    same, fault = _block_model(residual, WIDTH)
    if fault:
        yield wrong(f"same width: {fault}")
        return
    yield _judge_branch(same, WIDTH)
    yield _judge_skip(same)
    wider, fault = _block_model(residual, WIDER)
    yield wrong(f"another width: {fault}") if fault else _judge_projection(wider)


def _block_model(function, filters):
    """A model of the learner's block alone, or what is wrong with the block."""
    inputs = keras.Input((SIZE, SIZE, WIDTH))
    outputs, fault = called(f"residual(x, {filters})", function, inputs, filters)
    if fault and "shape" in fault[1] and filters != WIDTH:
        return None, (
            f"with {WIDTH} channels in x and {filters} filters the two cannot be added. What can "
            f"make {filters} channels of x, pixel by pixel?"
        )
    if fault:
        return None, fault[1]
    if not isinstance(outputs, keras.KerasTensor):
        return None, f"residual should return what a layer gave; yours is {type(outputs).__name__}."
    if outputs.shape != (None, SIZE, SIZE, filters):
        hint = ""
        if outputs.shape[-1] == WIDTH + filters:
            hint = " To join channels side by side is something else: the two should be added."
        return None, (
            f"x has the shape {inputs.shape}, and with {filters} filters the sum should have "
            f"{(None, SIZE, SIZE, filters)}; yours has {outputs.shape}.{hint}"
        )
    try:
        return keras.Model(inputs, outputs), None
    except Exception as error:
        return None, f"what it returns does not come from x ({told(error)})."


def _convolutions(model, size):
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size == (size, size)
    ]


def _said(model, one_by_one=False):
    """What goes in and what comes out, when f(x) is silenced."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=(5, SIZE, SIZE, WIDTH)).astype("float32")
    for layer in model.layers:
        keep = one_by_one and layer in _convolutions(model, 1)
        weights = [rng.normal(size=w.shape) if keep else np.zeros(w.shape) for w in layer.weights]
        layer.set_weights(weights)
    said = keras.ops.convert_to_numpy(model(x, training=False))
    return x, said, [w for layer in _convolutions(model, 1) for w in layer.get_weights()]


def _judge_branch(model, filters):
    expected = 9 * WIDTH * filters + 3 * filters
    on_path = sum(
        layer.count_params() for layer in model.layers if layer not in _convolutions(model, 1)
    )
    kinds = {type(layer).__name__ for layer in model.layers}
    if not _convolutions(model, 3):
        return wrong("f(x): there is no convolution of 3 × 3. Call `convolution` on x.")
    if not {"BatchNormalization"} <= kinds:
        return wrong("f(x): batch normalisation is missing. `convolution` brings it along.")
    return judged(
        on_path == expected,
        "f(x): convolution, batch normalisation, GELU.",
        f"f(x): it has {on_path:,} parameters; one `convolution` of {filters} filters on {WIDTH} "
        f"channels has {expected:,}.",
    )


def _judge_skip(model):
    projected = bool(_convolutions(model, 1))
    x, said, _ = _said(model)
    if np.allclose(said, x, atol=1e-5):
        return right("skip: where f(x) is 0, x comes out as it went in.")
    if projected:
        text = "the shapes fit already, so x needs no 1 × 1 convolution here: let it pass as it is."
    elif np.allclose(said, np.maximum(x, 0), atol=1e-5):
        text = "something cuts off what is negative after the sum. Return the sum itself."
    elif np.allclose(said, 2 * x, atol=1e-5):
        text = "x is added twice."
    elif np.allclose(said, said.flat[0], atol=1e-5):
        text = "with f(x) = 0 nothing of x comes out. Add x to f(x), and return the sum."
    else:
        text = "with f(x) = 0, x should come out as it went in, and something else does."
    return wrong(f"skip: {text}")


def _judge_projection(model):
    ones = _convolutions(model, 1)
    if len(ones) != 1:
        return wrong(
            f"another width: there are {len(ones)} convolutions of 1 × 1; one, of {WIDER} "
            "filters, brings x to the shape of f(x)."
        )
    x, said, (kernel, *bias) = _said(model, one_by_one=True)
    elsewhere = wrong(
        "another width: the 1 × 1 convolution should read x, and be added to f(x) unchanged."
    )
    if kernel.shape[2:] != (WIDTH, WIDER):
        return elsewhere
    if all(layer.kernel.shape[2] != WIDTH for layer in _convolutions(model, 3)):
        return wrong("another width: f should be of x itself, not of what the 1 × 1 filters made "
                     "of it.")  # fmt: skip
    expected = x @ kernel[0, 0] + (bias[0] if bias else 0)
    if np.allclose(said, np.maximum(expected, 0), atol=1e-3):
        return wrong("another width: the 1 × 1 convolution only changes the number of channels; "
                     "leave out its activation.")  # fmt: skip
    if np.allclose(said, expected, atol=1e-3):
        return right(
            "another width: 1 × 1 filters bring x to the shape of f(x), then they are added."
        )
    return elsewhere


# --- 6. A new task with few images ------------------------------------------------

GOAL, TOO_GOOD, GUESSING = 0.85, 0.95, 0.45


@exercise("10-transfer", "make model_own, for horses, ships and trucks")
def transfer(model_own: keras.Model, new_val_images: object, new_val_labels: object):
    if not model_own.built:
        yield wrong("model_own has no weights yet: begin it with keras.Input, or fit it.")
        return
    outputs = model_own.output_shape
    if not isinstance(outputs, tuple) or outputs[-1] != 3:
        yield wrong(
            f"model_own gives {_last(outputs)} numbers for an image; the new task has three "
            "classes: cut off the old answers and put three new ones there."
        )
        return
    reached = _accuracy(model_own, new_val_images, new_val_labels)
    if reached is None:
        yield wrong(
            "model_own should take photographs, 32 × 32 × 3, scaled to 0 to 1; if it does, run "
            "again the cell that makes new_val_images and new_val_labels."
        )
        return
    shown = f"validation accuracy: {reached:.1%}"
    if reached > TOO_GOOD:
        yield wrong(
            f"{shown} is better than 150 images allow here. Was the network fitted on more of "
            "them, or on those it is validated with, or had it learned these classes before?"
        )
        return
    hint = "below the goal, 85%. What did the five seeds say of freezing and of low rates?"
    if reached < GUESSING:
        hint = "about what guessing gives, 33%. Was it fitted, and are the weights loaded?"
    yield judged(reached >= GOAL, f"{shown}, at least 85%.", f"{shown}, {hint}")


def _last(shape):
    return shape[-1] if isinstance(shape, tuple) else "several arrays of"


def _accuracy(model, images, labels):
    try:
        answers = as_array(model.predict(images, batch_size=500, verbose=0)).argmax(axis=1)
        truth = as_array(labels)
        truth = truth.argmax(axis=1) if truth.ndim == 2 and truth.shape[1] == 3 else truth.ravel()
        return float(np.mean(answers == truth.astype(int)))
    except Exception:  # whatever the learner has built, or left in these names
        return None
