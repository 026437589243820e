"""Checks of notebook 10, Beyond ninety percent."""

import types
from pathlib import Path

import keras
import numpy as np

from lesson.checks.engine import exercise, judged, note, right, told, wrong
from lesson.outputs import outputs_folder


def _numbers(given):
    """A sequence of numbers as an array of floats, or None."""
    try:
        if isinstance(given, str | bytes | dict | set):
            return None
        array = np.asarray(given)
        return array.astype(float) if array.dtype.kind in "iuf" else None
    except (TypeError, ValueError):
        return None


# --- 1. Count ---------------------------------------------------------------------

COUNTS = {
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
    "conv_1": {448: THREE, 432: THREE, 80: DEPTH, 64: DEPTH, 13: ONE, 12: ONE},
    "conv_2": {4_640: THREE, 160: DEPTH, 416: DEPTH, 65: ONE, 64: ONE},
    "conv_3": {18_496: THREE, 320: DEPTH, 832: DEPTH, 129: ONE, 128: ONE},
    "hidden": {
        32_500: "that takes one number for each of the 64 channels. Flatten hands over every "
        "number of the maps.",
        2_048_500: "that is what the second pooling leaves. There is a third.",
        8_192_500: "that is what the first pooling leaves. There are two more.",
        32_768_500: "the maps are no longer 32 × 32 there: count the poolings.",
        288_500: "padding 'same' leaves the size alone, so only pooling shrinks the maps.",
        358_500: DROPPED,
        359_000: DROPPED,
        359_340: DROPPED,
    },
    "classes": {
        10_250: "that reads the flattened maps; which layer stands right below?",
        3_010: DROPPED,
        501: "that is one unit. How many are there?",
    },
}


@exercise("10-count", "make counts, a list of five numbers", counts=object)
def _count(found):
    counts = _numbers(found["counts"])
    if counts is None or counts.shape != (5,):
        yield wrong("counts: this should be a list of five numbers, one for each layer that has "
                    "parameters.")  # fmt: skip
        return
    for (layer, (expected, units)), count in zip(COUNTS.items(), counts, strict=True):
        kind = "filters" if layer.startswith("conv") else "units"
        if count == expected - units:
            hint = f"almost: each of the {kind} has one number more than its weights."
        else:
            hint = SLIPS[layer].get(
                count,
                "each filter has a weight for each number of its patch, in all channels below, "
                "and one more."
                if kind == "filters"
                else "each unit has a weight for each number that it reads, and one more.",
            )
        yield judged(count == expected, f"{layer}: that is its count.", f"{layer}: {hint}")


# --- 2. A checkpoint --------------------------------------------------------------

METRIC = "categorical_accuracy"


@exercise(
    "10-checkpoint",
    "make checkpoint, a ModelCheckpoint",
    checkpoint=keras.callbacks.Callback,
)
def _checkpoint(found):
    callback = found["checkpoint"]
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
    wanted = outputs_folder() / "model_classic.keras"
    return judged(
        path.resolve() == wanted,
        "file: model_classic.keras, where load_model will look for it.",
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


@exercise("10-suits", "fill the three sets in suits", suits=dict)
def _suits(found):
    suits = found["suits"]
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


@exercise("10-norm", "write the function batch_norm", batch_norm=types.FunctionType)
def _norm(found):
    function, given = found["batch_norm"], _probe()
    for training, head in ((True, "training"), (False, "prediction")):
        copies = [array.copy() for array in given]
        try:
            result = function(*copies, training)
        except Exception as error:
            yield wrong(f"{head}: batch_norm stops with {told(error)}.")
            continue
        if result is None:
            yield wrong(f"{head}: batch_norm returns nothing.")
            continue
        yield _judge_normalised(head, result, given)
        if not all(np.array_equal(a, b) for a, b in zip(copies, given, strict=True)):
            yield note(
                "Your function changes an array that it is given. Better leave that as it is and "
                "return a new one."
            )


def _judge_normalised(head, result, given):
    values, gamma, beta, moving_mean, moving_variance = given
    try:
        result = np.asarray(keras.ops.convert_to_numpy(result), float)
    except (TypeError, ValueError):
        return wrong(f"{head}: the result should be numbers; yours is {type(result).__name__}.")
    if result.shape != values.shape:
        return wrong(f"{head}: {values.shape} numbers go in, {result.shape} come out; as many "
                     "should come out as go in.")  # fmt: skip
    batch = values.mean(axis=0), values.var(axis=0)
    moving = moving_mean, moving_variance
    own, other = (batch, moving) if head == "training" else (moving, batch)
    mean, variance = own

    def same(expected):
        return np.allclose(result, expected, rtol=1e-4, atol=1e-5)

    if same(_normalised(values, gamma, beta, mean, variance)):
        return right(
            {
                "training": "training: by the mean and variance of the batch, channel by channel.",
                "prediction": "prediction: by the moving mean and variance alone.",
            }[head]
        )
    rows = values.mean(axis=1, keepdims=True), values.var(axis=1, keepdims=True)
    swapped = {
        "training": "it used the moving statistics. In training the batch's own count.",
        "prediction": "it used the statistics of the batch, so an image's answer would depend on "
        "the company it comes in. At prediction the moving statistics count.",
    }[head]
    guesses = {
        swapped: _normalised(values, gamma, beta, *other),
        "ε is missing under the root: see the third channel, whose variance is tiny.": _normalised(
            values, gamma, beta, mean, variance, 0
        ),
        "ε belongs under the root, added to the variance.": (
            gamma * (values - mean) / (np.sqrt(variance) + EPSILON) + beta
        ),
        "another ε; Keras's is 0.001.": None,
        "it divides by the variance; the root is missing.": (
            gamma * (values - mean) / (variance + EPSILON) + beta
        ),
        "one mean and variance for all numbers together. Each channel has its own: see axis.": (
            _normalised(values, gamma, beta, values.mean(), values.var())
        ),
        "mean and variance of each *row*. Each channel, a column, has its own: see axis.": (
            _normalised(values, gamma, beta, *rows)
        ),
        "γ and β are missing.": _normalised(values, 1, 0, mean, variance),
        "β is missing.": _normalised(values, gamma, 0, mean, variance),
        "γ is missing.": _normalised(values, 1, beta, mean, variance),
        "γ and β have changed places.": _normalised(values, beta, gamma, mean, variance),
        "β comes last: it is added after γ has multiplied.": gamma
        * (_normalised(values, 1, 0, mean, variance) + beta),
        "the variance divides by n − 1; take NumPy's var as it is, which divides by n.": (
            _normalised(values, gamma, beta, mean, values.var(axis=0, ddof=1))
        ),
        "nothing is normalised: these are the values as they were.": values,
    }
    for text, expected in guesses.items():
        if expected is None:
            others = (1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
            found = any(same(_normalised(values, gamma, beta, mean, variance, e)) for e in others)
        else:
            found = same(expected)
        if found:
            return wrong(f"{head}: {text}")
    return wrong(f"{head}: the numbers differ from γ · (value − mean) / √(variance + ε) + β.")


# --- 5. A residual block ----------------------------------------------------------

SIZE, WIDTH, WIDER = 6, 4, 7


@exercise("10-block", "write the function residual", residual=types.FunctionType)
def _block(found):
    same, fault = _block_model(found["residual"], WIDTH)
    if fault:
        yield wrong(f"same width: {fault}")
        return
    yield _judge_branch(same, WIDTH)
    yield _judge_skip(same)
    wider, fault = _block_model(found["residual"], WIDER)
    yield wrong(f"another width: {fault}") if fault else _judge_projection(wider)


def _block_model(function, filters):
    """A model of the learner's block alone, or what is wrong with the block."""
    inputs = keras.Input((SIZE, SIZE, WIDTH))
    try:
        outputs = function(inputs, filters)
    except Exception as error:
        if "shape" in str(error).lower() and filters != WIDTH:
            return None, (
                f"with {WIDTH} channels in x and {filters} filters the two cannot be added. What "
                f"can make {filters} channels of x, pixel by pixel?"
            )
        return None, f"residual(x, {filters}) stops with {told(error)}."
    if outputs is None:
        return None, "residual returns nothing: end it with return and the sum."
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
    expected = 9 * WIDTH * filters + 4 * filters
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
        "f(x): convolution, batch normalisation, ReLU.",
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
    expected = x @ kernel[0, 0] + (bias[0] if bias else 0)
    if np.allclose(said, np.maximum(expected, 0), atol=1e-3):
        return wrong("another width: the 1 × 1 convolution only changes the number of channels; "
                     "leave out its activation.")  # fmt: skip
    if np.allclose(said, expected, atol=1e-3):
        return right(
            "another width: 1 × 1 filters bring x to the shape of f(x), then they are added."
        )
    return elsewhere
