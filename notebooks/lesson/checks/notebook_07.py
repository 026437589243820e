"""Checks of notebook 07, Fighting overfitting."""

import math
import numbers

import keras
import numpy as np

from lesson.checks.engine import exercise, judge_number, judged, note, right, wrong

# The curves of exercise 1 as the notebook draws them.
UNITS = {"a": 512, "b": 4, "c": 16}


@exercise(
    "07-curves",
    "set units_a, units_b and units_c",
    units_a=numbers.Real,
    units_b=numbers.Real,
    units_c=numbers.Real,
)
def _curves(found):
    given = {letter: found[f"units_{letter}"] for letter in UNITS}
    if sorted(given.values()) != sorted(UNITS.values()):
        yield wrong("Each of 4, 16 and 512 belongs to one curve.")
        return
    signs = {
        "a": (
            "quick at first, and the steepest climb after it.",
            "how low is it after one epoch, and how high after ten?",
        ),
        "b": (
            "the slowest.",
            "how far has it come after the first epochs, beside the others?",
        ),
        "c": (
            "between the two others.",
            "it lies between the others, in speed and in what follows.",
        ),
    }
    for letter, units in UNITS.items():
        seen, hint = signs[letter]
        name = f"units_{letter}"
        yield judged(given[letter] == units, f"{name}: {seen}", f"{name}: {hint}")


@exercise(
    "07-penalty",
    "set penalty_l2, penalty_l1 and pull_l2",
    penalty_l2=numbers.Real,
    penalty_l1=numbers.Real,
    pull_l2=numbers.Real,
)
def _penalty(found):
    yield judge_number(
        "penalty_l2",
        found["penalty_l2"],
        0.0525,
        "λ times the sum of the squares.",
        {
            5.25: "that is the sum of the squares; λ is missing.",
            0.02625: "that is half of it. Some books put a half before λ; Keras does not.",
            0.013125: "that is an average over the weights; the penalty is a sum.",
            0.01 * math.sqrt(5.25): "no root is taken: each square counts as it is.",
            0.0225: "square each weight first, then add. You squared the sum.",
            0.000525: "λ counts once; it is not squared.",
            0.035: "that is without squares: the penalty of L1.",
            0.0425: "the square of a negative weight is positive: it adds.",
            0.0325: "the square of a negative weight is positive: it adds.",
        },
        "square each weight, add the squares, multiply by λ.",
    )
    yield judge_number(
        "penalty_l1",
        found["penalty_l1"],
        0.035,
        "λ times the sum of the sizes.",
        {
            0.015: "a negative weight counts without its sign: it adds too.",
            3.5: "that is the sum of the sizes; λ is missing.",
            0.00875: "that is an average over the weights; the penalty is a sum.",
            0.0525: "those are squares: the penalty of L2.",
        },
        "take each weight without its sign, add, multiply by λ.",
    )
    yield judge_number(
        "pull_l2",
        found["pull_l2"],
        0.04,
        "the slope of λw² is 2λw.",
        {
            0.02: "that is λw. What is the slope of w²?",
            0.08: "the slope of w² is not a square any more.",
            4: "λ is missing.",
            -0.04: "the slope is positive: a larger weight is a larger penalty. The step goes "
            "against it.",
            0.01: "that is the pull of L1.",
        },
        "what is the slope of λw² at w = 2?",
    )


@exercise("07-l2", "build model_l2", model_l2=keras.Model)
def _l2(found):
    model = found["model_l2"]
    if not model.built:
        yield wrong(
            "model_l2 has no weights yet: begin it with keras.Input(shape=(10_000,)), as the "
            "others do."
        )
        return
    layers = [layer for layer in model.layers if layer.weights]
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    shapes = [tuple(layer.kernel.shape) for layer in dense]
    if len(dense) != len(layers) or shapes != [(10_000, 16), (16, 16), (16, 1)]:
        units = "-".join(str(shape[1]) for shape in shapes) or "none"
        yield wrong(
            f"layers: the task is the 16-16-1 network for 10,000 inputs; its dense layers are "
            f"{units} in yours."
        )
        return
    yield _judge_rest(model, dense)
    for place, layer in zip(("first", "second"), dense[:2], strict=True):
        yield _judge_l2(place, layer)
    yield judged(
        dense[2].kernel_regularizer is None and _unpenalised(dense[2]),
        "output layer: no penalty.",
        "output layer: it has a penalty; the task gives one to the two hidden layers only.",
    )


def _judge_rest(model, dense):
    activations = [getattr(layer.activation, "__name__", "?") for layer in dense]
    others = [type(x).__name__ for x in model.layers if isinstance(x, keras.layers.Dropout)]
    if others:
        return wrong("layers: there is Dropout too. Then the models differ in two things.")
    return judged(
        activations == ["relu", "relu", "sigmoid"],
        "layers: 16, 16 and 1 units, as in the other models.",
        f"activations: relu, relu, sigmoid in the others; yours are {', '.join(activations)}.",
    )


def _unpenalised(layer):
    return layer.bias_regularizer is None and layer.activity_regularizer is None


def _judge_l2(place, layer):
    head = f"{place} hidden layer: "
    penalty = layer.kernel_regularizer
    if penalty is None:
        if layer.bias_regularizer is not None:
            return wrong(
                head + "bias_regularizer penalises its 16 biases. It is the many weights of the "
                "kernel that memorise."
            )
        if layer.activity_regularizer is not None:
            return wrong(
                head + "activity_regularizer penalises the outputs of the layer; the task asks "
                "for its kernel."
            )
        return wrong(head + "its kernel has no penalty.")
    # What it computes tells, whatever it was made of.
    ones, twos = (_value(penalty, w * np.ones((2, 2), "float32")) for w in (1, 2))
    if ones is None or twos is None or not ones > 0:
        return wrong(head + "kernel_regularizer is not a penalty that Keras can compute.")
    if math.isclose(twos, 2 * ones, rel_tol=1e-3):
        return wrong(head + "twice the weights cost twice as much: that is L1. L2 squares them.")
    if not math.isclose(twos, 4 * ones, rel_tol=1e-3):
        return wrong(head + "this penalty is more than L2: is there some L1 in it?")
    price = ones / 4
    if not math.isclose(price, 0.002, rel_tol=1e-3):
        is_default = math.isclose(price, 0.01, rel_tol=1e-3)
        default = " (Keras's default when none is given)" if is_default else ""
        return wrong(head + f"L2, but with λ = {price:g}{default}; the task asks for 0.002.")
    if not _unpenalised(layer):
        return wrong(head + "its kernel is right, but its biases or outputs have a penalty too.")
    return right(head + "L2 with λ = 0.002 on its kernel.")


def _value(penalty, weights):
    try:
        return float(keras.ops.convert_to_numpy(penalty(keras.ops.convert_to_tensor(weights))))
    except Exception:  # it may be anything callable
        return None


@exercise(
    "07-fair",
    "set lowest_base and lowest_l2",
    history_base=keras.callbacks.History,
    history_l2=keras.callbacks.History,
    lowest_base=numbers.Real,
    lowest_l2=numbers.Real,
)
def _fair(found):
    for name in ("base", "l2"):
        curves = getattr(found[f"history_{name}"], "history", {})
        needed = ("loss", "val_loss", "cross_entropy", "val_cross_entropy")
        missing = [n for n in needed if not curves.get(n)]
        if missing:
            yield wrong(f"history_{name} has no {', '.join(missing)}: run its fit above once more.")
            continue
        yield _judge_lowest(f"lowest_{name}", found[f"lowest_{name}"], curves)


def _judge_lowest(name, given, curves):
    def close(value):
        return math.isclose(given, value, abs_tol=0.0006)

    fair = curves["val_cross_entropy"]
    if close(min(curves["val_loss"])):
        text = "that is the lowest val_loss, and the penalty is in it."
    elif close(fair[-1]):
        text = "that is the value after the last epoch; the task asks for the lowest."
    elif close(min(curves["cross_entropy"])) or close(min(curves["loss"])):
        text = "that is about the training reviews, which the model may know by heart."
    elif given == int(np.argmin(fair)) + 1:
        text = "that is an epoch; the task asks for the value there."
    elif close(max(fair)):
        text = "that is the highest; less cross-entropy is better."
    else:
        text = "look for the lowest point of the validation metric that has no penalty in it."
    return judged(close(min(fair)), f"{name}: validation reviews, no penalty.", f"{name}: {text}")


@exercise("07-early", "make stopper", stopper=keras.callbacks.Callback)
def _early(found):
    stopper = found["stopper"]
    if not isinstance(stopper, keras.callbacks.EarlyStopping):
        yield wrong(f"stopper is a {type(stopper).__name__}; the task asks for EarlyStopping.")
        return
    yield from _judge_monitor(stopper)
    yield judged(
        stopper.patience == 3,
        "patience: 3 epochs.",
        f"patience: yours is {stopper.patience}; the task asks for 3."
        + (" With 0 the first wobble ends the fit." if stopper.patience == 0 else ""),
    )
    yield judged(
        bool(stopper.restore_best_weights),
        "weights: the best are put back.",
        "weights: the model would keep those of its last epoch, some epochs after the best. Ask "
        "for the best back.",
    )
    if stopper.min_delta:
        yield note(f"min_delta is {abs(stopper.min_delta):g}: smaller improvements do not count.")
    if stopper.start_from_epoch:
        yield note(f"It does not watch before epoch {stopper.start_from_epoch + 1}.")


def _judge_monitor(stopper):
    hints = {
        "loss": "that is the training loss, which goes on falling: it would never stop.",
        "cross_entropy": "that is the one of the training reviews, which goes on falling.",
        "val_accuracy": "the models here are compiled without an accuracy.",
        "accuracy": "the models here are compiled without an accuracy.",
    }
    name = stopper.monitor
    if name not in ("val_cross_entropy", "val_loss"):
        text = hints.get(name, f"no {name!r} in these histories. Mind the spelling.")
        yield wrong(f"monitor: {text}")
    elif stopper.mode == "max":
        yield wrong("mode: a cross-entropy is better when it is lower, so not 'max'.")
    else:
        yield right("monitor: the validation curve.")
        if name == "val_loss":
            yield note(
                "For 16-16 val_loss is the same number. With a penalty it is not: then watch "
                "val_cross_entropy."
            )
