"""What the exercises of notebook 10 find in the kernel, and what attempts are made of."""

import functools

import keras
import numpy as np

from lesson.outputs import outputs_folder

layers = keras.layers

COUNTS = [208, 2_080, 8_256, 512_500, 5_010]


def checkpoint(**given):
    options = {
        "filepath": outputs_folder() / "checkpoints" / "control.keras",
        "monitor": "val_categorical_accuracy",
        "mode": "max",
        "save_best_only": True,
    }
    return keras.callbacks.ModelCheckpoint(**(options | given))


SUITS = {
    "faces": {"left-right", "shift"},
    "cells": {"left-right", "upside down", "shift"},
    "arrows": {"shift"},
}


def norm(statistics=None, epsilon=0.001, swap=False, **options):
    """A batch normalisation with a slip, if one is given."""

    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        if training != swap:
            mean, variance = (
                values.mean(**({"axis": 0} | options)),
                values.var(**({"axis": 0} | options)),
            )
        else:
            mean, variance = moving_mean, moving_variance
        return gamma * (values - mean) / np.sqrt(variance + epsilon) + beta

    return batch_norm


def by_keras(values, gamma, beta, moving_mean, moving_variance, training):
    layer = layers.BatchNormalization()
    layer.build(values.shape)
    layer.set_weights([gamma, beta, moving_mean, moving_variance])
    return layer(values, training=training)


def in_loops(values, gamma, beta, moving_mean, moving_variance, training):
    columns = []
    for i, column in enumerate(values.T):
        mean = sum(column) / len(column) if training else moving_mean[i]
        square = sum((column - mean) ** 2) / len(column) if training else moving_variance[i]
        columns.append(gamma[i] * (column - mean) / (square + 1e-3) ** 0.5 + beta[i])
    return np.array(columns).T.tolist()


def using(formula):
    """A function that gets the right statistics and does this with them."""

    def batch_norm(values, gamma, beta, moving_mean, moving_variance, training):
        mean, variance = moving_mean, moving_variance
        if training:
            mean, variance = values.mean(axis=0), values.var(axis=0)
        return formula(values, gamma, beta, mean, variance)

    return batch_norm


def convolution(x, filters, pool=False, activation="gelu"):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.6, scale=False)(x)
    return layers.Activation(activation)(x)


def block(convolve=convolution, always=False, project=None, join=None, after=None):
    """A residual block with a slip, if one is given."""

    def residual(x, filters):
        skip = x
        if always or x.shape[-1] != filters:
            skip = (project or (lambda x, filters: layers.Conv2D(filters, 1)(x)))(x, filters)
        result = (join or (lambda a, b: layers.Add()([a, b])))(skip, convolve(x, filters))
        return after(result) if after else result

    return residual


@functools.cache
def patterns():
    """Three patterns under noise, instead of horses, ships and trucks: as hard, and fast."""
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(3, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    classes = np.concatenate([np.arange(150) % 3, rng.integers(0, 3, 600)])
    images = 0.5 + 0.1 * shapes[classes] + NOISE * rng.normal(size=(750, 32, 32, 3))
    classes[150:] = np.where(rng.random(600) < 0.1, (classes[150:] + 1) % 3, classes[150:])
    images = images.astype("float32")
    return {
        "few_images": images[:150],
        "few_labels": classes[:150],
        "new_val_images": images[150:],
        "new_val_labels": classes[150:],
    }


NOISE = 0.3


def cut(layer="features"):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    features = layers.Flatten(name="features")(layers.AveragePooling2D(8)(inputs))
    return keras.Model(inputs, layers.Rescaling(3, -1.5)(features))


def fit_few(model, rate, epochs, images=None, labels=None):
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy",
                  steps_per_execution=15)  # fmt: skip
    data = patterns()
    images = data["few_images"] if images is None else images
    labels = data["few_labels"] if labels is None else labels
    model.fit(images, labels, batch_size=10, epochs=epochs, verbose=0)


def answers(base, units=3, activation="softmax"):
    """A network with a new last layer."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    return keras.Model(inputs, layers.Dense(units, activation=activation)(base(inputs)))


PREPARE = {
    "10-count": dict,
    "10-checkpoint": ["best-file"],
    "10-suits": dict,
    "10-norm": dict,
    "10-block": ["convolution-function"],
    "10-transfer": lambda: {**patterns(), "cut": cut, "fit_few": fit_few},
}
