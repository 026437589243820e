"""What the exercises of notebook 02 find in the kernel, and what attempts are made of."""

from fractions import Fraction

import keras
import numpy as np
import pandas as pd


def products(patch, kernel):
    return np.sum(patch * kernel)


def with_loops(patch, kernel):
    total = 0
    for row, weights in zip(patch.tolist(), kernel.tolist(), strict=True):
        for pixel, weight in zip(row, weights, strict=True):
            total += pixel * weight
    return total


def changes_its_input(patch, kernel):
    patch *= kernel
    return patch.sum()


SIZES = [24, 28, 13, 11]

MAX, AVERAGE = [[5, 2], [4, 6]], [[2.75, 1], [2, 2]]

POOLED = {"max_pooled": MAX, "average_pooled": AVERAGE, "global_average": 2.64}

COUNTS = {"conv_1": 320, "conv_2": 18_496, "dense_1": 200_768, "dense_2": 650}


def mnist_with(**trainable):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", name="conv_1"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", name="conv_2"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, name="dense_1"),
        layers.Dense(10, name="dense_2"),
    ])  # fmt: skip
    for name, value in trainable.items():
        model.get_layer(name).trainable = value
    return model


def frozen():
    return mnist_with(conv_1=False, conv_2=False)


def whole_model_frozen():
    model = mnist_with()
    model.trainable = False
    return model


PREPARE = {
    "02-patch": [],
    "02-sizes": [],
    "02-pooling": ["pooling-table"],
    "02-parameters": [],
    "02-freeze": ["mnist-model"],
}
