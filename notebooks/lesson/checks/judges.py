"""Judges that several notebooks share: of what a model was compiled with."""

import math
import warnings

import keras
import numpy as np

from lesson.checks.engine import judged, note, right, wrong

# Two predictions, to see what a loss makes of them.
THREE_CLASSES = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2]], "float32")
YES_NO = np.array([[1], [0], [1]], "float32")
SHARES_OF_YES = np.array([[0.7], [0.4], [0.2]], "float32")


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


def _kind_of_metric(metric, suitable="categoricalaccuracy"):
    name = metric if isinstance(metric, str) else _name_of(metric)
    kind = name.replace("_", "").lower()
    # Keras picks the accuracy that suits the labels, but only for these words.
    if isinstance(metric, str) and kind in ("accuracy", "acc"):
        return suitable
    return kind


def _name_of(thing):
    return getattr(thing, "__name__", type(thing).__name__)


def _name_in_history(metric):
    if isinstance(metric, str):
        return metric
    made = keras.metrics.get(metric)
    return getattr(made, "name", None) or _name_of(made)


def _no_loss(model, name):
    if model.loss is None:
        return wrong("loss: none. Without one there is nothing for the optimizer to lower.")
    return wrong(f"loss: Keras knows none called {name}. Mind the spelling.")


def judge_loss_for_one_hot(model):
    """A line on a loss that must suit one-hot labels and softmax outputs."""
    loss, name = _loss(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return _no_loss(model, name)
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
        _computes(loss, np.eye(3, dtype="float32")[:2], THREE_CLASSES, [0.7, 0.5]),
        "loss: cross-entropy between one-hot labels and predicted probabilities.",
        f"loss: yours is {name}. {advice}",
    )


def judge_loss_for_integers(model):
    """A line on a loss that must suit integer labels and softmax outputs."""
    loss, name = _loss(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return wrong("loss: none that Keras knows. Keep the sparse one, and set it right.")
    if kind == "categoricalcrossentropy":
        return wrong(
            "loss: yours suits one-hot labels, and is one way out. The task is to keep the sparse "
            "loss."
        )
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: sparse, but it still takes the outputs for raw scores. What has the last layer "
            "done to them already?"
        )
    return judged(
        _computes(loss, [0, 1], THREE_CLASSES, [0.7, 0.5]),
        "loss: cross-entropy between integer labels and predicted probabilities.",
        f"loss: yours is {name}; the task is to keep the sparse one.",
    )


def _computes(loss, labels, outputs, shares):
    """Judge a loss by what it computes: minus the logarithm of the true class's
    probability, averaged. A right loss of any make passes."""
    labels, outputs = (keras.ops.convert_to_tensor(np.asarray(x)) for x in (labels, outputs))
    try:
        with warnings.catch_warnings(action="ignore"):  # an unsuitable loss says so
            value = float(np.mean(keras.ops.convert_to_numpy(loss(labels, outputs))))
    except Exception:  # it wants labels of another form
        return False
    return math.isclose(value, -float(np.mean(np.log(shares))), rel_tol=1e-3)


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
    """A line on an optimizer that must be Adam with default settings."""
    return _judge_optimizer(optimizer, "Adam")


def _judge_optimizer(optimizer, wanted):
    name = type(optimizer).__name__
    if name != wanted:
        return wrong(f"optimizer: yours is {name}; the task asks for {wanted}.")
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    return judged(
        math.isclose(rate, 0.001, rel_tol=1e-4),
        f"optimizer: {wanted}, with learning rate 0.001.",
        f"optimizer: {wanted}, but with learning rate {rate:g}; the task asks for its default.",
    )


def judge_binary_loss(model):
    """A line on a loss that must suit 0 or 1 as labels and a sigmoid at the end."""
    loss, name = _loss(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return _no_loss(model, name)
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: from_logits=True says that the model's outputs are raw scores. This model ends "
            "in a sigmoid, so its outputs are probabilities already."
        )
    if "categorical" in kind:
        advice = (
            "It compares several outputs, one for each class. Here is one output, for yes or no."
        )
    else:
        advice = (
            "For one output that is the probability of yes, use the cross-entropy for two classes."
        )
    return judged(
        _computes(loss, YES_NO, SHARES_OF_YES, [0.7, 0.6, 0.2]),
        "loss: cross-entropy between labels of 0 or 1 and predicted probabilities.",
        f"loss: yours is {name}. {advice}",
    )


def judge_binary_accuracy(model):
    """Lines on metrics that must hold the accuracy for labels of 0 or 1."""
    metrics = {_kind_of_metric(m, "binaryaccuracy"): _name_in_history(m) for m in _metrics(model)}
    if "binaryaccuracy" not in metrics:
        if "accuracy" in metrics:
            yield wrong(
                "metrics: Accuracy() asks whether outputs equal labels to the last digit, which "
                "probabilities never do. Use the accuracy for two classes."
            )
            return
        got = ", ".join(metrics.values()) or "none"
        yield wrong(f"metrics: no accuracy for two classes in the list (yours: {got}).")
        return
    yield right("metrics: the share of verdicts on the right side of one half.")
    name = metrics["binaryaccuracy"]
    if name != "binary_accuracy":
        yield note(f"Keras will call it {name!r} in the history, ours is 'binary_accuracy'.")


def judge_rmsprop(optimizer):
    """A line on an optimizer that must be RMSprop with default settings."""
    return _judge_optimizer(optimizer, "RMSprop")
