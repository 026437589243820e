"""What the exercises of notebook 01 find in the kernel, and what attempts are made of."""

import warnings

import keras
import numpy as np
from keras import layers, losses, metrics, optimizers

PREPARE = {
    "01-count": dict,
    "01-twin": ["chain"],
    "01-steps": dict,
    "01-choose": dict,
    "01-repair": dict,
}


def chain():
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def graph(shape=(28, 28), hidden=64, middle="relu", end="softmax", like=None, first=None):
    inputs = keras.Input(shape)
    x = (first or layers.Flatten())(inputs)
    x = layers.Dense(hidden, activation=middle)(x)
    model = keras.Model(inputs, layers.Dense(10, activation=end)(x))
    if like is not None:
        model.set_weights(like.get_weights())
    return model


def around(model):
    """The same layers, called anew."""
    x = inputs = keras.Input((28, 28))
    for layer in model.layers:
        x = layer(x)
    return keras.Model(inputs, x)


class Own(keras.Model):
    def call(self, inputs):
        return inputs


def steps(said, epoch=391, last=80, changes=1173):
    return said("01-steps", steps_per_epoch=epoch, last_batch=last, weight_changes=changes)


RIGHT = {
    "fraud": (1, "sigmoid", "binary_crossentropy", "binary_accuracy"),
    "season": (4, "softmax", "sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
    "tags": (12, "sigmoid", "binary_crossentropy", "binary_accuracy"),
    "weather": (3, "linear", "mean_squared_error", "mean_absolute_error"),
}


def line(said, task, choice):
    """What the check says of one task."""
    text = said("01-choose", choices={task: choice})
    lines = text.splitlines()
    assert len(lines) == 5, text
    return lines[list(RIGHT).index(task)]


LOGITS = {"from_logits": True}

BCE, SCE, CCE = "binary_crossentropy", "sparse_categorical_crossentropy", "categorical_crossentropy"

SCHEDULES = optimizers.schedules


def falling(rate=0.1, decay=0.001, steps=1, **options):
    return SCHEDULES.InverseTimeDecay(rate, decay_steps=steps, decay_rate=decay, **options)


class Rule(SCHEDULES.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1.0 + 0.001 * float(keras.ops.convert_to_numpy(step)))


def repaired(stack=None, rate=None, momentum=0.9, optimizer=None, **given):
    model = stack or keras.Sequential([
        keras.Input((784,)), layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    rate = falling() if rate is None else rate
    options = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], **given}
    model.compile(optimizer or optimizers.SGD(rate, momentum=momentum), **options)
    return model


def functional():
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def with_old_shape():
    with warnings.catch_warnings(action="ignore"):
        first = layers.Dense(64, activation="relu", input_shape=(784,))
    return keras.Sequential([first, layers.Dense(10, activation="softmax")])


def unbuilt():
    return keras.Sequential(
        [layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def stack(*parts, size=784):
    return keras.Sequential([keras.Input((size,)), *parts])
