"""What the exercises of notebook 07 find in the kernel, and what attempts are made of."""

import functools

import keras
import numpy as np

from lesson import load_imdb

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


@functools.cache
def reviews():
    """The reviews that the last exercise is judged on; the training reviews are cut down."""
    (words, labels), _ = load_imdb()
    rows = np.zeros((14_000, 10_000), "uint8")
    for row, review in zip(rows, words, strict=False):
        row[review] = 1
    labels = labels[:14_000].reshape(-1, 1).astype("float32")
    return {
        "train_reviews": rows[10_000:], "train_labels": labels[10_000:],
        "few_reviews": rows[10_000:11_000], "few_labels": labels[10_000:11_000],
        "val_reviews": rows[:10_000], "val_labels": labels[:10_000],
    }  # fmt: skip


def few_model(units=16, of_words=0.0, rate=0.0, last="sigmoid", loss="binary_crossentropy"):
    keras.utils.set_random_seed(7)
    stack = [keras.Input(shape=(10_000,)), keras.layers.Dropout(of_words)]
    for _ in range(2):
        stack += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(rate)]
    model = keras.Sequential([*stack, keras.layers.Dense(1, activation=last)])
    model.compile(optimizer="rmsprop", loss=loss, steps_per_execution=32)
    return model


def fitted(x, y, epochs, **options):
    model = few_model(**options)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return model


PREPARE = {
    "07-curves": [],
    "07-penalty": ["exercise-penalty-weights"],
    "07-l2": [],
    "07-fair": lambda: {"history_base": history(**BASE), "history_l2": history(**PENALISED)},
    "07-early": [],
    "07-few": lambda: dict(reviews()),
}
