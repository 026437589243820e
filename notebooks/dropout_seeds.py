"""What notebook 04 says over five seeds: dropout's rates and places, tried five times.

    python dropout_seeds.py        in notebooks/; writes fit_outputs/reference/dropout_seeds.csv

Fifty-five fits, half an hour to an hour on two cores. Each row is written when its fit is
done, and a run that was stopped goes on where it was.
"""

import sys

from lesson import load_cifar10  # isort: skip  (before Keras: its start-up log)
import keras
import numpy as np
import pandas as pd
from keras import layers

from lesson.outputs import REFERENCE, replacing

TABLE = REFERENCE / "dropout_seeds.csv"
SEEDS = (1, 2, 3, 4, 5)
MANY, FEW = (40_000, 10, 10_000), (4_000, 40, 5_000)  # training images, epochs, validation
RATES = (0, 0.2, 0.35, 0.5, 0.75, 0.9)
# Rates of the dropout after the first pooling, the second, and the last convolution.
PLACES = {"first": (0.5, 0, 0), "middle": (0, 0.5, 0), "everywhere": (0.5, 0.5, 0.5)}


def create_model(first=0, middle=0, last=0.5):
    """Notebook 04's network, with dropout where its rate is not 0."""
    inputs = keras.Input(shape=(32, 32, 3))
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(first)(x) if first else x
    x = layers.Conv2D(32, 3, activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(middle)(x) if middle else x
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.Dropout(last)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def experiments():
    """Seed, where, size of the data, rates of the three places: one for each row."""
    for seed in SEEDS:
        for rate in (0, 0.5):
            yield seed, "last", MANY, (0, 0, rate)
        for rate in RATES:
            yield seed, "last", FEW, (0, 0, rate)
        for where, rates in PLACES.items():
            yield seed, where, FEW, rates


def fit(data, seed, size, rates):
    """Lowest and last validation loss of a fit, and the epoch of the lowest."""
    (x, y), (val_x, val_y) = data
    images, epochs, val_images = size
    keras.utils.set_random_seed(seed)
    start = create_model().get_weights()  # all networks of a seed start alike
    keras.utils.set_random_seed(seed)
    model = create_model(*rates)
    model.set_weights(start)
    model.compile("adam", "categorical_crossentropy", steps_per_execution=125)
    history = model.fit(
        x[:images], y[:images], batch_size=32, epochs=epochs, validation_batch_size=500,
        validation_data=(val_x[:val_images], val_y[:val_images]), verbose=0,
    ).history  # fmt: skip
    return row_of(history["val_loss"])


def row_of(val_loss):
    lowest = int(np.argmin(val_loss))
    return {"lowest": val_loss[lowest], "epoch": lowest + 1, "last": val_loss[-1]}


def main():
    (images, labels), _ = load_cifar10()
    x, y = images.astype("float32") / 255, keras.utils.to_categorical(labels, 10)
    data = (x[:40_000], y[:40_000]), (x[40_000:], y[40_000:])
    rows = pd.read_csv(TABLE).to_dict("records") if TABLE.exists() else []
    done = {(row["seed"], row["where"], row["images"], row["rate"]) for row in rows}
    for seed, where, size, rates in experiments():
        key = (seed, where, size[0], max(rates))
        if key not in done:
            names = dict(zip(("seed", "where", "images", "rate"), key, strict=True))
            rows.append(names | fit(data, seed, size, rates))
            with replacing(TABLE) as temporary:  # a kill leaves the rows that there were
                pd.DataFrame(rows).round(4).to_csv(temporary, index=False)
            print(rows[-1], flush=True)


if __name__ == "__main__":
    sys.exit(main())
