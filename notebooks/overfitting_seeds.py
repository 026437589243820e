"""What notebook 07 says of 1,000 reviews: its remedies, each with five seeds.

    python overfitting_seeds.py    in notebooks/; writes fit_outputs/reference/overfitting_seeds.csv

Thirty-five fits, about three minutes on two cores. Each row is written when its fit is done,
and a run that was stopped goes on where it was.
"""

import sys

from lesson import load_imdb  # isort: skip  (before Keras: its start-up log)
import keras
import numpy as np
from keras import layers
from keras.regularizers import L2

from lesson.outputs import REFERENCE, extend_table

SEEDS = (1, 2, 3, 4, 5)
REVIEWS, BATCH, EPOCHS, VALIDATION = 1_000, 32, 20, 5_000
REMEDIES = {  # units, λ of L2 on both hidden layers, dropout after them, dropout of words
    "16-16": (16, 0, 0, 0),
    "4-4": (4, 0, 0, 0),
    "L2 0.002": (16, 0.002, 0, 0),
    "L2 0.02": (16, 0.02, 0, 0),
    "dropout 0.5": (16, 0, 0.5, 0),
    "L2 + dropout": (16, 0.002, 0.5, 0),
    "word dropout": (16, 0, 0, 0.5),
}


def create_model(units=16, price=0, rate=0, of_words=0):
    """Notebook 07's network, with a remedy."""
    inputs = keras.Input(shape=(10_000,))
    x = layers.Dropout(of_words)(inputs) if of_words else inputs
    for _ in range(2):
        penalty = L2(price) if price else None
        x = layers.Dense(units, activation="relu", kernel_regularizer=penalty)(x)
        x = layers.Dropout(rate)(x) if rate else x
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def experiments():
    """Seed and remedy: one for each row."""
    return [(seed, remedy) for seed in SEEDS for remedy in REMEDIES]


def fit(data, seed, remedy):
    """A row: the validation cross-entropy without penalty, lowest and after 10 and 20 epochs."""
    x, y, val_x, val_y = data
    keras.utils.set_random_seed(seed)
    start = create_model(REMEDIES[remedy][0]).get_weights()  # all networks of a seed start alike
    keras.utils.set_random_seed(seed)
    model = create_model(*REMEDIES[remedy])
    model.set_weights(start)
    model.compile(
        optimizer="rmsprop", loss="binary_crossentropy", steps_per_execution=32,
        metrics=[keras.metrics.BinaryCrossentropy(name="cross_entropy")],
    )  # fmt: skip
    history = model.fit(
        x, y, batch_size=BATCH, epochs=EPOCHS, validation_data=(val_x, val_y),
        validation_batch_size=500, verbose=0,
    ).history  # fmt: skip
    curve = history["val_cross_entropy"]
    lowest = int(np.argmin(curve))
    answers = model.predict(x, batch_size=500, verbose=0)
    return {
        "lowest": curve[lowest], "epoch": lowest + 1, "after 10": curve[9], "after 20": curve[-1],
        "training": history["cross_entropy"][-1], "lowest val_loss": min(history["val_loss"]),
        "lowest answer": answers.min(), "highest answer": answers.max(),
    }  # fmt: skip


def load():
    """The first 1,000 of notebook 07's training reviews, the first 5,000 of its validation's."""
    (reviews, labels), _ = load_imdb()
    x, y = np.zeros((25_000, 10_000), "uint8"), labels.reshape(-1, 1).astype("float32")
    for row, review in zip(x, reviews, strict=True):
        row[review] = 1
    ours = slice(10_000, 10_000 + REVIEWS)
    return x[ours], y[ours], x[:VALIDATION], y[:VALIDATION]


def main():
    data = load()
    for seed, remedy in experiments():
        extend_table(
            REFERENCE / "overfitting_seeds.csv",
            {"seed": seed, "remedy": remedy},
            lambda seed=seed, remedy=remedy: [fit(data, seed, remedy)],
        )


if __name__ == "__main__":
    sys.exit(main())
