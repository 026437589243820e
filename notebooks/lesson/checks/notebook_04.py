"""Checks of notebook 04, Dropout."""

import math
import numbers
import types

import keras
import numpy as np
import pandas as pd

from lesson.checks.engine import exercise, judged, note, right, told, wrong


@exercise(
    "04-hand",
    "write the function dropout_by_hand",
    dropout_by_hand=types.FunctionType,
)
def _hand(found):
    drop = found["dropout_by_hand"]
    values = np.random.default_rng(4).uniform(1, 2, (200, 200))
    results, changed = {}, False
    for rate in (0.2, 0.2, 0.7):
        given = values.copy()
        try:
            result = drop(given, rate)
        except Exception as error:
            yield wrong(f"dropout_by_hand(values, {rate}) stops with {told(error)}.")
            return
        if result is None:
            yield wrong("dropout_by_hand returns nothing: end it with return and the result.")
            return
        result = np.asarray(keras.ops.convert_to_numpy(result))
        if result.shape != values.shape or result.dtype.kind not in "fiu":
            yield wrong(
                f"the result should be numbers of shape {values.shape}, as the values that were "
                f"given; yours has shape {result.shape} and type {result.dtype}."
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
        return all(math.isclose(zeros[r], expected(r), abs_tol=0.03) for r in zeros)

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


@exercise(
    "04-model",
    "write the function create_model_dropout",
    create_model_dropout=types.FunctionType,
)
def _model(found):
    create = found["create_model_dropout"]
    try:
        model = create()
    except Exception as error:
        yield wrong(f"create_model_dropout() stops with {told(error)}.")
        return
    if not isinstance(model, keras.Model):
        got = "nothing" if model is None else f"a {type(model).__name__}"
        yield wrong(f"create_model_dropout() returns {got}; it should return the keras.Model.")
        return
    if not model.built or model.input_shape != (None, 32, 32, 3):
        yield wrong("the model should start with keras.Input(shape=(32, 32, 3)).")
        return
    layers = _unfolded(model)
    yield _judge_convolutions([layer for kind, layer in layers if kind == "Conv2D"])
    yield _judge_pooling(layers)
    yield from _judge_dropout(layers, create)
    yield _judge_output(layers)
    known = {"Conv2D", "MaxPooling2D", "Dropout", "Flatten", "Dense"}
    others = [kind for kind, _ in layers if kind not in known and "Dropout" not in kind]
    if others:
        yield wrong(f"other layers: there is also {', '.join(others)}, which is not in the table.")


def _unfolded(model):
    """The layers in order, as (kind, settings): activations belong to the layer before."""
    layers = []
    for layer in model.layers:
        kind = type(layer).__name__
        config = dict(layer.get_config())
        if isinstance(layer, keras.Model):
            layers += _unfolded(layer)
        elif kind in ("ReLU", "Softmax", "Activation") and layers:
            layers[-1][1]["activation"] = config.get("activation", kind.lower())
        elif kind != "InputLayer":
            if isinstance(config.get("activation"), dict):  # a layer given as the activation
                config["activation"] = config["activation"]["class_name"].lower()
            layers.append((kind, config))
    return layers


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
    if not math.isclose(rate, 0.5):
        return wrong(f"rate: create_model_dropout() gives a rate of {rate:g}, not of 0.5.")
    try:
        other = create(0.25)
        rates = [layer["rate"] for kind, layer in _unfolded(other) if kind == "Dropout"]
    except Exception as error:
        return wrong(f"rate: create_model_dropout(0.25) stops with {told(error)}.")
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


@exercise(
    "04-count",
    "set hidden_params, classes_params and total_params to your three numbers",
    hidden_params=numbers.Real,
    classes_params=numbers.Real,
    total_params=numbers.Real,
)
def _count(found):
    hidden, classes, total = (found[f"{name}_params"] for name in ("hidden", "classes", "total"))
    hints = {
        131072: "almost: each of the 128 units has a bias as well.",
        147584: "1,152 numbers came out of 03's network; how many come out of this one?",
        147456: "1,152 numbers came out of 03's network; how many come out of this one?",
        8320: "`flatten` gives more than 64 numbers: 64 for every place in the image.",
        65664: "dropout takes no numbers away: those that it drops are there, and are 0.",
    }
    yield judged(
        hidden == 131_200,
        "hidden_params: 128 units, each with its weights and a bias.",
        "hidden_params: "
        + hints.get(hidden, "each of the 128 units reads every number of `flatten`."),
    )
    hints = {
        1280: "almost: each of the 10 units has a bias as well.",
        10250: "that is without the new layer. What does `classes` read once it is there?",
        10240: "that is without the new layer. What does `classes` read once it is there?",
    }
    yield judged(
        classes == 1_290,
        "classes_params: 10 units, each with its weights and a bias.",
        "classes_params: " + hints.get(classes, "each of the 10 units reads the new layer."),
    )
    yield _judge_total(total, hidden, classes)


def _judge_total(total, hidden, classes):
    convolutions = 448 + 4_640 + 18_496
    if total == hidden + classes:
        text = "the three convolutions have weights too."
    elif total == convolutions + 10_250 + 131_200 + 1_290:
        text = "the old `classes` with its 10,250 is gone; the new one takes its place."
    elif total == convolutions + hidden + 10_250:
        text = "`classes` does not keep its 10,250: it reads another layer now."
    elif total == convolutions + hidden + classes:
        text = "that follows from your other two, which are not both right yet."
    elif total == convolutions + 10_250:
        text = "that is the network without the new layer."
    else:
        text = "add up the three convolutions, the new layer and `classes`."
    return judged(total == 156_074, "total_params: the whole network.", f"total_params: {text}")


ACCURACY = "categorical_accuracy"


@exercise(
    "04-compare",
    "set gain, gap_intro and gap_dropout",
    history_intro=pd.DataFrame,
    history_dropout=keras.callbacks.History,
    gain=numbers.Real,
    gap_intro=numbers.Real,
    gap_dropout=numbers.Real,
)
def _compare(found):
    curves = {"intro": found["history_intro"]}
    try:
        curves["dropout"] = pd.DataFrame(found["history_dropout"].history)
    except Exception:  # absent from one that never ran, or lists of unequal length
        curves["dropout"] = pd.DataFrame()
    for name, frame in curves.items():
        if frame.empty or not {ACCURACY, f"val_{ACCURACY}"} <= set(frame):
            yield wrong(
                f"history_{name} has no {ACCURACY} for training and validation: run the cells "
                "above that make it."
            )
            return
    last = {name: frame.iloc[-1] for name, frame in curves.items()}
    yield _judge_gain(found["gain"], last)
    for name in last:
        yield _judge_gap(f"gap_{name}", found[f"gap_{name}"], last[name])


def _judge_gain(gain, last):
    def difference(column):
        return last["dropout"][column] - last["intro"][column]

    expected = difference(f"val_{ACCURACY}")
    if _close(gain, expected):
        return right("gain: in validation accuracy, after the last epoch.")
    if _close(gain, -expected):
        text = "the sign is the other way round: the new network minus 03's."
    elif _close(gain, difference(ACCURACY)):
        text = "that compares the training accuracies; which tells about new photographs?"
    elif _close(gain, difference("val_loss")) or _close(-gain, difference("val_loss")):
        text = "that compares the losses; the task asks about the accuracies."
    elif _close(gain / 100, expected):
        text = "give it as a share, such as 0.02, not in percent."
    else:
        text = "subtract 03's last validation accuracy from that of the new network."
    return wrong(f"gain: {text}")


def _judge_gap(name, gap, last):
    expected = last[ACCURACY] - last[f"val_{ACCURACY}"]
    if _close(gap, expected):
        return right(f"{name}: training minus validation.")
    if _close(gap, -expected):
        text = "the sign is the other way round: training minus validation."
    elif _close(gap, last["loss"] - last["val_loss"]):
        text = "that is the gap between the losses; the task asks about the accuracies."
    elif _close(gap / 100, expected):
        text = "give it as a share, such as 0.02, not in percent."
    else:
        text = "subtract the last validation accuracy from the last training accuracy."
    return wrong(f"{name}: {text}")


def _close(value, expected):
    return math.isclose(value, expected, abs_tol=0.0006)
