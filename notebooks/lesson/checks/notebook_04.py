"""Checks of notebook 04, Dropout."""

from collections.abc import Callable
from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    as_array,
    called,
    close,
    cross_entropy,
    curves,
    judged,
    note,
    right,
    share,
    steps_taken,
    unfolded,
    wrong,
)

ACCURACY = "categorical_accuracy"
LARGE = 156_074  # weights of the network in 04-own


@exercise("04-hand", "write the function dropout_by_hand")
def hand(dropout_by_hand: Callable):
    values = np.random.default_rng(4).uniform(1, 2, (200, 200))
    results, changed = {}, False
    for rate in (0.2, 0.2, 0.7):
        given = values.copy()
        returned, fault = called("dropout_by_hand", dropout_by_hand, given, rate)
        if fault:
            yield fault
            return
        result = as_array(returned)
        if result is None or result.shape != values.shape:
            shape = "" if result is None else f"; yours has shape {result.shape}"
            yield wrong(
                f"dropout_by_hand: the result should be numbers of shape {values.shape}, as the "
                f"values that were given{shape}."
            )
            return
        changed |= not np.array_equal(given, values)
        results.setdefault(rate, []).append(result / values)
    yield _judge_share({rate: np.mean(r[0] == 0) for rate, r in results.items()})
    yield _judge_independence(*results[0.2])
    yield _judge_scale({rate: r[0][r[0] != 0] for rate, r in results.items()})
    if changed:
        yield note(
            "Your function changes the array that it is given. Better leave that as it is and "
            "return a new one."
        )


def _judge_share(zeros):
    def shares(expected):
        return all(close(zeros[r], expected(r), 0, 0.03) for r in zeros)

    shown = " and ".join(f"{share:.2f} of the values at rate {r}" for r, share in zeros.items())
    if shares(lambda rate: 1 - rate):
        text = "the rate is the share that is dropped; yours is the share that stays."
    elif shares(lambda rate: 0.5):
        text = "yours drops half of the values whatever the rate."
    else:
        text = f"yours drops {shown}."
    return judged(
        shares(lambda rate: rate), "mask: each value is dropped with probability rate.",
        f"mask: {text}",
    )  # fmt: skip


def _judge_independence(first, second):
    dropped = first == 0
    if np.array_equal(dropped, second == 0):
        return wrong(
            "chance: two calls dropped the very same values. Draw new random numbers in each "
            "call, from a generator that was made before."
        )
    if any(np.isin(dropped.mean(axis=axis), (0, 1)).all() for axis in (0, 1)):
        return wrong("chance: whole rows or columns go together. Draw a number for each value.")
    return right("chance: every value has its own, and every call another.")


def _judge_scale(survivors):
    def factor(expected):
        return all(
            len(s) and np.allclose(s, expected(rate), rtol=1e-3) for rate, s in survivors.items()
        )

    if factor(lambda rate: 1):
        text = "the survivors are as they were, so the mean has fallen."
    elif factor(lambda rate: 1 - rate):
        text = "the survivors became smaller; some values are missing, so they should grow."
    elif factor(lambda rate: 1 / rate):
        text = "the factor follows from the share that stays, not from the share that is dropped."
    elif factor(lambda rate: 1 + rate):
        text = (
            "at rate 0.2 you multiply by 1.2. Four fifths of the values, each 1.2 times as large, "
            "have a mean of 0.96 of the old one."
        )
    else:
        means = ", ".join(f"{np.mean(s):.2f} at rate {r}" for r, s in survivors.items() if len(s))
        text = f"your survivors are multiplied by {means or 'nothing: there are none'}; that does "
        text += "not bring the mean back."
    return judged(
        factor(lambda rate: 1 / (1 - rate)),
        "scale: the survivors make up for what was dropped.",
        f"scale: {text}",
    )


@exercise("04-model", "write the function create_model_dropout")
def model(create_model_dropout: Callable):
    made, fault = called("create_model_dropout", create_model_dropout)
    if fault:
        yield fault
        return
    if not isinstance(made, keras.Model):
        yield wrong(
            f"create_model_dropout() returns a {type(made).__name__}; it should return the "
            "keras.Model."
        )
        return
    if not made.built or made.input_shape != (None, 32, 32, 3):
        yield wrong("the model should start with keras.Input(shape=(32, 32, 3)).")
        return
    layers = _unfolded(made)
    yield _judge_convolutions([layer for kind, layer in layers if kind == "Conv2D"])
    yield _judge_pooling(layers)
    yield from _judge_dropout(layers, create_model_dropout)
    yield _judge_output(layers)
    known = {"Conv2D", "MaxPooling2D", "Dropout", "Flatten", "Dense"}
    others = [kind for kind, _ in layers if kind not in known and "Dropout" not in kind]
    if others:
        yield wrong(f"other layers: there is also {', '.join(others)}, which is not in the table.")


def _unfolded(model):
    """The layers in order, as (kind, settings): activations belong to the layer before."""
    return [
        (type(layer).__name__, {**layer.get_config(), "activation": activation})
        for layer, activation in unfolded(model)
    ]


def _judge_convolutions(found):
    filters = [layer["filters"] for layer in found]
    if filters != [16, 32, 64]:
        return wrong(
            f"convolutions: yours have {', '.join(map(str, filters)) or 'no'} filters; the table "
            "has three, of 16, 32 and 64."
        )
    sizes = {tuple(layer["kernel_size"]) for layer in found}
    if sizes != {(3, 3)}:
        return wrong("convolutions: every filter should cover 3 × 3.")
    if {layer["activation"] for layer in found} != {"relu"}:
        return wrong("convolutions: each should have the activation relu.")
    if any(layer["padding"] != "valid" or tuple(layer["strides"]) != (1, 1) for layer in found):
        return wrong("convolutions: leave padding and strides at their defaults.")
    return right("convolutions: 16, 32 and 64 filters of 3 × 3, with ReLU.")


def _judge_pooling(layers):
    found = [layer for kind, layer in layers if kind == "MaxPooling2D"]
    kinds = [kind for kind, _ in layers if kind in ("Conv2D", "MaxPooling2D")]
    if kinds.count("MaxPooling2D") > 2:
        return wrong("pooling: there are more than two; none comes after the third convolution.")
    if kinds != ["Conv2D", "MaxPooling2D"] * 2 + ["Conv2D"]:
        return wrong("pooling: one should follow the first convolution and one the second.")
    halves = all(tuple(layer["pool_size"]) == (2, 2) for layer in found)
    halves &= all(tuple(layer["strides"]) == (2, 2) for layer in found)
    return judged(
        halves, "pooling: twice, after the first and the second convolution.",
        "pooling: each should take the largest of 2 × 2.",
    )  # fmt: skip


def _judge_dropout(layers, create):
    kinds = [kind for kind, _ in layers]
    if relatives := [kind for kind in kinds if "Dropout" in kind and kind != "Dropout"]:
        yield wrong(f"dropout: {relatives[0]} is another layer. The one asked for is Dropout.")
        return
    if kinds.count("Dropout") != 1:
        yield wrong(f"dropout: there are {kinds.count('Dropout')} such layers; there should be 1.")
        return
    place, convolutions = kinds.index("Dropout"), [i for i, k in enumerate(kinds) if k == "Conv2D"]
    dense = [i for i, kind in enumerate(kinds) if kind == "Dense"]
    if dense and place > dense[-1]:
        yield wrong("place: yours comes after the output layer, so parts of the answer are lost.")
    elif convolutions and place < convolutions[-1]:
        yield wrong("place: yours comes before the last convolution; the table has it after.")
    else:
        yield right("place: dropout acts on what the last convolution found.")
    yield _judge_rate(layers[place][1]["rate"], create)


def _judge_rate(rate, create):
    if not close(rate, 0.5):
        return wrong(f"rate: create_model_dropout() gives a rate of {rate:g}, not of 0.5.")
    other, fault = called("create_model_dropout(0.25)", create, 0.25)
    if fault or not isinstance(other, keras.Model):
        return fault or wrong("rate: create_model_dropout(0.25) returns no model.")
    rates = [layer["rate"] for kind, layer in _unfolded(other) if kind == "Dropout"]
    return judged(
        rates == [0.25], "rate: 0.5, or what is asked for.",
        "rate: create_model_dropout(0.25) should build a dropout layer with a rate of 0.25, but "
        f"its rate is {', '.join(f'{r:g}' for r in rates)}. Use the argument.",
    )  # fmt: skip


def _judge_output(layers):
    dense = [layer for kind, layer in layers if kind == "Dense"]
    if not dense:
        return wrong("output: there is no dense layer with the ten classes.")
    if len(dense) > 1:
        return wrong(f"output: there are {len(dense)} dense layers; the table has one.")
    if dense[0]["units"] != 10 or dense[0]["activation"] != "softmax":
        return wrong("output: it should have 10 units and the activation softmax.")
    kinds = [kind for kind, _ in layers]
    return judged(
        "Flatten" in kinds[: kinds.index("Dense")],
        "output: 10 probabilities for each photograph.",
        "output: without Flatten before it, the dense layer answers once for every place in the "
        "image.",
    )


@exercise("04-compare", "set gain, gap_intro and gap_dropout")
def compare(
    gain: Real,
    gap_intro: Real,
    gap_dropout: Real,
    history_intro: object,
    history_dropout: object,
):
    last, means = {}, {}
    for name, history in {"intro": history_intro, "dropout": history_dropout}.items():
        found, fault = curves(
            history,
            f"history_{name}",
            ("loss", "val_loss", ACCURACY, f"val_{ACCURACY}"),
            "run the cells above that make it.",
        )
        if fault:
            yield fault
            return
        last[name] = {column: values[-1] for column, values in found.items()}
        means[name] = {column: np.mean(values) for column, values in found.items()}
    differences = {c: last["dropout"][c] - last["intro"][c] for c in last["dropout"]}
    averaged = "that is a mean over the epochs; the task asks for the last one, .iloc[-1]."
    yield share(
        "gain",
        gain,
        differences[f"val_{ACCURACY}"],
        "in validation accuracy, after the last epoch.",
        {
            "the sign is the other way round: the new network minus 03's.": (
                -differences[f"val_{ACCURACY}"]
            ),
            "that compares the training accuracies; which tells about new photographs?": (
                differences[ACCURACY]
            ),
            "that compares the losses; the task asks about the accuracies.": (
                differences["val_loss"],
                -differences["val_loss"],
            ),
            averaged: means["dropout"][f"val_{ACCURACY}"] - means["intro"][f"val_{ACCURACY}"],
        },
        "subtract 03's last validation accuracy from that of the new network.",
        within=0.0006,
    )
    for name, gap in {"intro": gap_intro, "dropout": gap_dropout}.items():
        expected = last[name][ACCURACY] - last[name][f"val_{ACCURACY}"]
        other = last["dropout" if name == "intro" else "intro"]
        yield share(
            f"gap_{name}",
            gap,
            expected,
            "training minus validation.",
            {
                "the sign is the other way round: training minus validation.": -expected,
                "that is the gap between the losses; the task asks about the accuracies.": (
                    last[name]["loss"] - last[name]["val_loss"],
                    last[name]["val_loss"] - last[name]["loss"],
                ),
                averaged: means[name][ACCURACY] - means[name][f"val_{ACCURACY}"],
                "one of the two numbers is the other network's; take both from one history.": (
                    last[name][ACCURACY] - other[f"val_{ACCURACY}"],
                    other[ACCURACY] - last[name][f"val_{ACCURACY}"],
                ),
            },
            "subtract the last validation accuracy from the last training accuracy.",
            within=0.0006,
        )


@exercise("04-own", "build and fit model_own")
def own(
    model_own: keras.Model,
    train_images: object,
    train_labels: object,
    val_images: object,
    val_labels: object,
):
    if not model_own.built:
        yield wrong("model_own has no weights yet: begin it with keras.Input, or fit it.")
        return
    weights = model_own.count_params()
    yield judged(
        weights >= LARGE,
        f"weights: {weights:,}.",
        f"weights: {weights:,}. The network with `Dense(128)` has {LARGE:,}, and that one is to be "
        "tamed, not a smaller one.",
    )
    validation = cross_entropy(model_own, val_images, val_labels, 5_000)
    training = None
    if validation is not None:
        training = cross_entropy(model_own, train_images, train_labels, 4_000)
    if training is None:
        yield wrong(
            "model_own should take photographs, 32 × 32 × 3, and give ten probabilities for each; "
            "if it does, run the cells that make the training and validation images again."
        )
        return
    if not (model_own.compiled and steps_taken(model_own)):
        yield wrong("model_own has taken no step yet: compile it and fit it on 4,000 photographs.")
        return
    if validation < 1.2:
        yield wrong(
            f"validation loss: {validation:.2f} is better than 4,000 photographs allow here. Was "
            "the network fitted on more of them, or on those it is validated with?"
        )
        return
    yield judged(
        validation < 1.5,
        f"validation loss: {validation:.2f}, below 1.50.",
        f"validation loss: {validation:.2f}; the goal is below 1.50. Training loss is "
        f"{training:.2f}: is it memorising, or has it not learned enough yet?",
    )
    yield judged(
        validation - training < 0.3,
        f"gap: {validation - training:.2f}, less than 0.30.",
        f"gap: validation loss is {validation - training:.2f} above training loss; the goal is "
        "less than 0.30. A higher rate or fewer epochs narrow it.",
    )
