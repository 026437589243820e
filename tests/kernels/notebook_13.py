"""What the exercise of notebook 13 finds in the kernel, and what attempts are made of."""

import warnings

import keras
from keras import layers, losses, metrics, optimizers

PREPARE = {"13-repair": dict}

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
