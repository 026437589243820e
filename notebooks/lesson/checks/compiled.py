"""Judges of what a model was compiled with, for the checks to share."""

import math

import keras
import numpy as np

from lesson.checks.engine import judged, note, right, wrong


def _loss(model):
    """The loss function a model was compiled with, or None, and its name."""
    given = keras.tree.flatten(model.loss)  # a list of one is as good
    given = given[0] if len(given) == 1 else None
    if given in ("crossentropy", "ce"):  # what Keras makes of these for one-hot labels
        given = "categorical_crossentropy"
    try:
        loss = keras.losses.get(given)
    except ValueError:
        return None, repr(given)
    return loss, getattr(loss, "__name__", type(loss).__name__)


def _loss_config(loss):
    return loss.get_config() if isinstance(loss, keras.losses.Loss) else {}


def _metrics(model):
    """What a model was compiled with as metrics: texts, functions, classes, objects."""
    # `get_compile_config` serialises them, which fails for some that Keras takes.
    config = getattr(model, "_compile_config", None)
    given = keras.tree.flatten(config.config.get("metrics") if config else None)
    return [m for m in given if m is not None]


def _kind_of_metric(metric):
    name = metric if isinstance(metric, str) else _name_of(metric)
    kind = name.replace("_", "").lower()
    # Keras picks the accuracy that suits the labels, but only for these words.
    if isinstance(metric, str) and kind in ("accuracy", "acc"):
        return "categoricalaccuracy"
    return kind


def _name_of(thing):
    return getattr(thing, "__name__", type(thing).__name__)


def _name_in_history(metric):
    if isinstance(metric, str):
        return metric
    made = keras.metrics.get(metric)
    return getattr(made, "name", None) or _name_of(made)


def judge_loss_for_one_hot(model):
    """A line on a loss that must suit one-hot labels and softmax outputs."""
    loss, name = _loss(model)
    kind = name.replace("_", "").lower()
    if model.loss is None:
        return wrong("loss: none. Without one there is nothing for the optimizer to lower.")
    if loss is None:
        return wrong(f"loss: Keras knows none called {name}. Mind the spelling.")
    if kind == "sparsecategoricalcrossentropy":
        return wrong(
            f"loss: yours is {name}, which wants integer labels such as 6. The labels here are "
            "one-hot rows of ten numbers."
        )
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: from_logits=True says that the model's outputs are raw scores. This model ends "
            "in a softmax, so its outputs are probabilities already."
        )
    if kind == "categoricalcrossentropy":
        advice = "The one asked for has default settings; yours computes something else."
    else:
        advice = "To choose one class out of ten, with one-hot labels, use the cross-entropy "
        advice += "for categories."
    return judged(
        _is_cross_entropy(loss),
        "loss: cross-entropy between one-hot labels and predicted probabilities.",
        f"loss: yours is {name}. {advice}",
    )


def _is_cross_entropy(loss):
    """Judge by what it computes: minus the logarithm of the true class's
    probability, averaged. A right loss of any make passes."""
    labels = np.eye(3, dtype="float32")[:2]
    outputs = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2]], "float32")
    try:
        value = loss(keras.ops.convert_to_tensor(labels), keras.ops.convert_to_tensor(outputs))
        value = float(np.mean(keras.ops.convert_to_numpy(value)))
    except Exception:  # it wants labels of another form
        return False
    return math.isclose(value, -(math.log(0.7) + math.log(0.5)) / 2, rel_tol=1e-3)


def judge_accuracy_for_one_hot(model):
    metrics = {_kind_of_metric(m): _name_in_history(m) for m in _metrics(model)}
    unsuitable = {
        "sparsecategoricalaccuracy": (
            "SparseCategoricalAccuracy wants integer labels; yours are one-hot."
        ),
        "binaryaccuracy": (
            "BinaryAccuracy judges each of the ten outputs alone, so it says 0.9 of a model that "
            "knows nothing. Use the accuracy for categories."
        ),
        "accuracy": (
            "Accuracy() asks whether outputs equal labels to the last digit, which probabilities "
            "never do. Use the accuracy for categories."
        ),
    }
    if "categoricalaccuracy" in metrics:
        yield right("metrics: the share of images whose most probable class is the right one.")
        name = metrics["categoricalaccuracy"]
        if name != "categorical_accuracy":
            yield note(
                f"Keras will call it {name!r} in the history. The cells below look for "
                "'categorical_accuracy', so ask for it by that name."
            )
    elif known := [k for k in unsuitable if k in metrics]:
        yield wrong(f"metrics: {unsuitable[known[0]]}")
    else:
        got = ", ".join(metrics.values()) or "none"
        yield wrong(f"metrics: no accuracy for categories in the list (yours: {got}).")


def judge_adam(optimizer):
    name = type(optimizer).__name__
    if name != "Adam":
        return wrong(f"optimizer: yours is {name}; the task asks for Adam.")
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    return judged(
        math.isclose(rate, 0.001, rel_tol=1e-4),
        "optimizer: Adam, with learning rate 0.001.",
        f"optimizer: Adam, but with learning rate {rate:g}; the task asks for its default.",
    )
