"""What the exercises of notebook 04 find in the kernel, and what attempts are made of."""

import functools

import keras
import numpy as np
import pandas as pd

layers = keras.layers

rng = np.random.default_rng(0)


def as_in_the_solution(values, rate):
    return values * (rng.random(values.shape) >= rate) / (1 - rate)


def with_where(values, rate):
    return np.where(np.random.rand(*values.shape) < rate, 0, values / (1 - rate))


def with_a_loop(values, rate):
    result = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        if rng.random() < 1 - rate:
            result[place] = values[place] * (1 / (1 - rate))
    return result


def with_binomial(values, rate):
    return values * rng.binomial(1, 1 - rate, values.shape) / (1 - rate)


def with_keras(values, rate):
    return keras.layers.Dropout(rate)(values, training=True)


def in_lists(values, rate):
    return as_in_the_solution(values, rate).tolist()


def masked(decide, scale=lambda rate: 1 / (1 - rate)):
    return lambda values, rate: values * decide(values, rate) * scale(rate)


def keep(values, rate):
    return rng.random(values.shape) >= rate


def network(
    filters=(16, 32, 64),
    size=3,
    activation="relu",
    pools=(2, 2),
    dropout=layers.Dropout,
    place=3,
    last=10,
    final="softmax",
    flatten=True,
    hidden=None,
    default=0.5,
    **options,
):
    """The solution, but for what is given; dropout comes after convolution `place`."""

    def create_model_dropout(rate=default):
        stack = []
        for count, pool in zip(filters, [*pools, *[None] * 3], strict=False):
            stack.append(layers.Conv2D(count, size, activation=activation, **options))
            if pool:
                stack.append(layers.MaxPooling2D(pool))
            if place == sum(isinstance(one, layers.Conv2D) for one in stack) and dropout:
                stack.append(dropout(rate))
        if flatten:
            stack.append(layers.Flatten())
        if hidden:
            stack.append(layers.Dense(hidden, activation="relu"))
        stack.append(layers.Dense(last, activation=final))
        if place == "output":
            stack.append(dropout(rate))
        if place == "flatten":
            stack.insert(-1, dropout(rate))
        return keras.Sequential([keras.Input((32, 32, 3)), *stack])

    return create_model_dropout


def with_separate_activations(rate=0.5):
    inputs = x = keras.Input((32, 32, 3))
    for filters in (16, 32, 64):
        x = layers.ReLU()(layers.Conv2D(filters, (3, 3))(x))
        x = layers.MaxPool2D()(x) if filters < 64 else layers.Dropout(rate)(x)
    x = layers.Dense(10)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Softmax()(x))


def normalised(rate=0.5):
    whole = network()(rate).layers
    return keras.Sequential([keras.Input((32, 32, 3)), layers.BatchNormalization(), *whole])


def curves(training, validation):
    """Two epochs, the second with these accuracies."""
    return {
        "categorical_accuracy": [0.4, training],
        "val_categorical_accuracy": [0.5, validation],
        "loss": [1.6, 1.5 - training],
        "val_loss": [1.4, 1.6 - validation],
    }


def history_of(lists):
    history = keras.callbacks.History()
    history.history = lists
    return history


@functools.cache
def photographs():
    """Ten patterns under noise, a third of the labels drawn at random: easy to memorise."""
    rng = np.random.default_rng(0)
    patterns = rng.normal(size=(10, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    classes = rng.integers(0, 10, 1_400)
    images = 0.5 + 0.3 * patterns[classes] + 0.3 * rng.normal(size=(1_400, 32, 32, 3))
    labels = np.where(rng.random(1_400) < 0.35, rng.integers(0, 10, 1_400), classes)
    images, one_hot = images.astype("float32"), keras.utils.to_categorical(labels, 10)
    return {
        "create_model_dropout": create_model_dropout,
        "train_images": images[:800],
        "train_labels": one_hot[:800],
        "val_images": images[800:],
        "val_labels": one_hot[800:],
        "few_images": images[:800],
        "few_labels": one_hot[:800],
        "some_images": images[800:],
        "some_labels": one_hot[800:],
    }


def create_model_dropout(rate=0.5):
    inputs = x = keras.Input((32, 32, 3))
    for filters in (16, 32):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Conv2D(64, 3, activation="relu", name="conv_3")(x)
    x = layers.Flatten(name="flatten")(layers.Dropout(rate)(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def large(rate, hidden_rate, units=128):
    """The network of the exercise, compiled."""
    base = create_model_dropout(rate)
    x = layers.Dense(units, activation="relu")(base.get_layer("flatten").output)
    x = layers.Dense(10, activation="softmax")(layers.Dropout(hidden_rate)(x))
    model = keras.Model(base.inputs, x)
    model.compile("adam", "categorical_crossentropy")
    return model


GIVEN = {
    "history_intro": pd.DataFrame(curves(0.69, 0.65)),
    "history_dropout": history_of(curves(0.66, 0.67)),
}

ANSWERS = {"gain": 0.02, "gap_intro": 0.04, "gap_dropout": -0.01}

PREPARE = {
    "04-hand": ["mask"],
    "04-model": [],
    "04-compare": lambda: dict(GIVEN),
    "04-own": photographs,
}
