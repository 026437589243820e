"""What notebook 04 says over five seeds: dropout and its control, and its rates and places.

    python dropout_seeds.py        in notebooks/; writes two tables in fit_outputs/reference/

Fifty-five fits, half an hour to an hour on two cores. Each row is written when its fit is
done, and a run that was stopped goes on where it was.
"""

import sys

from lesson import load_cifar10  # isort: skip  (before Keras: its start-up log)
import keras
import numpy as np
from keras import layers

from lesson.outputs import REFERENCE, extend_table

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
    """Where, rate, and the rates of the three places: of the fits on few photographs."""
    for rate in RATES:
        yield "last", rate, (0, 0, rate)
    for where, rates in PLACES.items():
        yield where, max(rates), rates


def fit(data, seed, size, rates):
    """A fitted network, and its validation loss after each epoch."""
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
    return model, history["val_loss"]


def try_many(data, seed, rate):
    """A row: losses on 10,000 training photographs and all of validation, with no unit missing."""
    model, curve = fit(data, seed, MANY, (0, 0, rate))
    (x, y), _ = data
    training = model.evaluate(x[:10_000], y[:10_000], batch_size=500, verbose=0)
    epochs = {f"epoch {epoch}": loss for epoch, loss in enumerate(curve, start=1)}
    return [{"training": training, "validation": curve[-1]} | epochs]


def try_few(data, seed, rates):
    """A row: the lowest validation loss, its epoch, and the last."""
    _, curve = fit(data, seed, FEW, rates)
    return [{"lowest": min(curve), "epoch": int(np.argmin(curve)) + 1, "last": curve[-1]}]


def main():
    (images, labels), _ = load_cifar10()
    x, y = images.astype("float32") / 255, keras.utils.to_categorical(labels, 10)
    data = (x[:40_000], y[:40_000]), (x[40_000:], y[40_000:])
    for seed in SEEDS:
        for rate in (0, 0.5):
            extend_table(
                REFERENCE / "dropout_control.csv",
                {"seed": seed, "rate": rate},
                lambda seed=seed, rate=rate: try_many(data, seed, rate),
            )
        for where, rate, rates in experiments():
            extend_table(
                REFERENCE / "dropout_seeds.csv",
                {"seed": seed, "where": where, "rate": rate},
                lambda seed=seed, rates=rates: try_few(data, seed, rates),
            )


if __name__ == "__main__":
    sys.exit(main())
