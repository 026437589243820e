"""What the exercises of notebook 07 find in the kernel, and what attempts are made of."""

import keras
import numpy as np

L1, L2, L1L2 = keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2


def network(first=None, second=None, output=None, units=16, extra=(), activation="relu"):
    return keras.Sequential(
        [
            keras.Input(shape=(10_000,)),
            keras.layers.Dense(units, activation=activation, **(first or {})),
            *extra,
            keras.layers.Dense(16, activation="relu", **(second or {})),
            keras.layers.Dense(1, activation="sigmoid", **(output or {})),
        ]
    )


def kernel(regularizer):
    return {"kernel_regularizer": regularizer}


right = kernel(L2(0.002))
own = kernel(lambda w: 0.002 * keras.ops.sum(w * w))


def nested(*layers):
    """The right network as a model inside another one, with more layers after it."""
    return keras.Sequential([keras.Input(shape=(10_000,)), network(right, right), *layers])


def functional():
    dense, options = keras.layers.Dense, {"kernel_regularizer": L2(0.002)}
    inputs = keras.Input(shape=(10_000,))
    x = dense(16, activation=keras.ops.relu, **options)(inputs)
    x = dense(16, activation="relu", **options)(x)
    return keras.Model(inputs, dense(1, activation="sigmoid")(x))


def history(**curves):
    made = keras.callbacks.History()
    made.history, made.epoch = curves, list(range(len(next(iter(curves.values()), []))))
    return made


BASE = {
    "loss": [0.5, 0.2, 0.1],
    "cross_entropy": [0.5, 0.2, 0.1],
    "val_loss": [0.45, 0.28, 0.5],
    "val_cross_entropy": [0.45, 0.28, 0.5],
}

PENALISED = {
    "loss": [0.6, 0.3, 0.25],
    "cross_entropy": [0.5, 0.22, 0.15],
    "val_loss": [0.52, 0.36, 0.4],
    "val_cross_entropy": [0.44, 0.29, 0.33],
}


PREPARE = {
    "07-curves": [],
    "07-penalty": ["exercise-penalty-weights"],
    "07-l2": [],
    "07-fair": lambda: {"history_base": history(**BASE), "history_l2": history(**PENALISED)},
    "07-early": [],
}
