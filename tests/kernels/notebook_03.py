"""What the exercises of notebook 03 find in the kernel: as many images, of ten pixels each."""

import functools

import keras
import numpy as np

from lesson import load_cifar10


class Fast(keras.Model):
    """A model that runs an epoch's steps in one go: the same numbers, sooner."""

    def compile(self, *args, **options):
        super().compile(*args, **{**options, "steps_per_execution": 1250})


def create_model_intro():
    inputs = keras.Input((2, 5, 1))
    x = keras.layers.Flatten()(inputs)
    return Fast(inputs, keras.layers.Dense(10, activation="softmax")(x))


@functools.cache
def data():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, (50_000, 1))
    one_hot = keras.utils.to_categorical(labels, 10)
    images = one_hot.reshape(-1, 2, 5, 1) + rng.normal(size=(50_000, 2, 5, 1))
    images[40_000:] += 0.3  # so that a loss tells which images it was computed on
    images = images.astype("float32")
    return {
        "create_model_intro": create_model_intro,
        "labels": labels,
        "train_images": images[:40_000],
        "train_labels": one_hot[:40_000],
        "val_images": images[40_000:],
        "val_labels": one_hot[40_000:],
    }


@functools.cache
def photographs():
    (images, labels), _ = load_cifar10()
    scaled = images[:400].astype("float32") / 255
    one_hot = keras.utils.to_categorical(labels[:400], 10)
    return {
        "train_images": scaled[:300],
        "train_labels": one_hot[:300],
        "val_images": scaled[300:],
    }


CURVES = {
    "loss": [1.6, 1.2, 1.1, 1.0],
    "val_loss": [1.5, 1.2, 1.1, 1.14],
    "categorical_accuracy": [0.4, 0.5, 0.6, 0.67],
    "val_categorical_accuracy": [0.4, 0.61, 0.6, 0.6],
}


def history_of(curves):
    history = keras.callbacks.History()
    history.history, history.epoch = curves, list(range(len(curves.get("loss", []))))
    return history


def compiled():
    keras.utils.set_random_seed(1)
    model = create_model_intro()
    model.compile(
        optimizer="adam", loss="categorical_crossentropy", metrics=["categorical_accuracy"]
    )
    return model


PREPARE = {
    "03-compile": lambda: {"model_intro": create_model_intro()},
    "03-bug": data,
    "03-fit": lambda: {**data(), "model_intro": compiled()},
    "03-own": photographs,
    "03-read": lambda: {"history_few": history_of(CURVES), "history_of": history_of},
}
