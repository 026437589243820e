"""Checks of notebook 13, Look it up."""

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    close,
    judge_accuracy_for_one_hot,
    judge_loss_for_one_hot,
    judged,
    loss_of,
    metrics_of,
    name_in_history,
    not_compiled,
    right,
    wrong,
)


@exercise("13-repair", "build and compile model_new")
def repair(model_new: keras.Model):
    yield _judge_layers(model_new)
    if not model_new.compiled:
        yield not_compiled("model_new")
        return
    yield from _judge_sgd(model_new.optimizer)
    loss, name = loss_of(model_new)
    if name.replace("_", "").lower() == "categoricalcrossentropy":
        yield judge_loss_for_one_hot(model_new)
    else:
        yield wrong(f"loss: the old one has not changed its name; yours is {name}.")
    names = [name_in_history(metric) for metric in metrics_of(model_new)]
    if "accuracy" not in names:
        yield wrong(
            "metrics: none would be called 'accuracy' in the history (yours: "
            f"{', '.join(names) or 'none'})."
        )
    else:
        yield from judge_accuracy_for_one_hot(model_new, "accuracy")


def _judge_layers(model):
    layers = [la for la in model.layers if not isinstance(la, keras.layers.InputLayer)]
    wanted = [(64, "relu"), (10, "softmax")]
    if not model.built:
        return wrong("layers: the model does not know its input: the 784 got lost.")
    got = [
        (getattr(la, "units", None), getattr(getattr(la, "activation", None), "__name__", None))
        for la in layers
    ]
    if tuple(model.input_shape) != (None, 784):
        return wrong(f"layers: one sample has 784 numbers; yours has {model.input_shape[1:]}.")
    if any(getattr(la, "_input_shape_arg", None) for la in layers):
        return wrong("layers: a layer is still given its input shape, and Keras warns of it.")
    return judged(
        got == wanted,
        "layers: 784 inputs, 64 units with ReLU, 10 with softmax.",
        f"layers: they should be {wanted}; yours are {got}.",
    )


def _judge_sgd(optimizer):
    if type(optimizer).__name__ != "SGD":
        yield wrong(f"optimizer: the old one was SGD; yours is {type(optimizer).__name__}.")
        return
    yield _judge_rate(optimizer)
    yield judged(
        close(float(optimizer.momentum), 0.9, 1e-6),
        "momentum: 0.9.",
        f"momentum: {float(optimizer.momentum):g}. The old code set another.",
    )


def _judge_rate(optimizer):
    schedule = optimizer._learning_rate
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        if close(rate, 0.01, 1e-4):
            return wrong("learning rate: 0.01, always. That is SGD's default: what lr and decay "
                         "said got lost.")  # fmt: skip
        return wrong(f"learning rate: {rate:g}, always. What decay did got lost.")
    steps = np.array([0, 1, 10, 100, 1_000, 10_000])
    rates = np.array([float(keras.ops.convert_to_numpy(schedule(int(s)))) for s in steps])
    if np.allclose(rates, 0.1 / (1 + 0.001 * steps), rtol=1e-3):
        return right("learning rate: 0.1, falling as the old decay made it fall.")
    shown = f"{rates[3]:.4g} after 100 steps and {rates[4]:.4g} after 1,000"
    if not close(rates[0], 0.1):
        return wrong(f"learning rate: it begins at {rates[0]:g}; lr said otherwise.")
    return wrong(
        f"learning rate: it begins at 0.1, and is {shown}. The old rule was lr / (1 + decay × "
        "step)."
    )
