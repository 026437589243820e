"""What the exercises of notebook 05 find in the kernel, and what attempts are made of."""

import keras
import numpy as np
import pandas as pd

schedules = keras.optimizers.schedules


def finder_table():
    return pd.DataFrame(
        {
            "rate": np.logspace(-4, 1, 11),
            "RMSprop": [1.0, 0.4, 0.26, 0.2, 0.21, 0.4, 0.9, 2.4, 2.6, 4.6, 9.3],
            "SGD": [2.3, 2.2, 2.1, 1.8, 1.1, 0.5, 0.3, 0.25, 0.27, 2.3, np.nan],
        }
    )


def network(units=128):
    return keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


rng = np.random.default_rng(0)
train_digits, val_digits = rng.integers(0, 10, 1000), rng.integers(0, 10, 500)


def images_of(digits, bright):
    """Images that are black but for one pixel, whose place is the digit."""
    images = np.zeros((len(digits), 784), "float32")
    images[np.arange(len(digits)), digits] = bright
    return images


DATA = {
    "train_images": images_of(train_digits, 1.0),
    "train_digits": train_digits,
    "val_images": images_of(val_digits, 0.8),
    "val_digits": val_digits,
}


def score(loss):
    """By how much the right class's score is above the others', for a loss."""
    return -np.log((np.exp(loss) - 1) / 9)


def reached(loss, alike=False, epochs=3, steps=375, taken=None, units=128, compiled_loss="mse"):
    """A network and a history as if a fit had reached this validation loss.

    The right class's score grows with the brightness of its pixel. The training images are
    brighter, so their loss is lower; with `alike` brightness does not count.
    """
    model = network(units)
    model.compile("sgd", compiled_loss)
    first, bias, second, last = (np.zeros_like(weights) for weights in model.get_weights())
    first[:10, :10], second[:10] = np.eye(10), np.eye(10) * score(loss) / 0.8
    if alike:  # a unit is 1 where its pixel is black, and 0 where it is not
        first, bias, second = first * -1000, bias + 1, -np.sign(second) * score(loss)
    model.set_weights([first, bias, second, last])
    model.optimizer.iterations.assign(epochs * steps if taken is None else taken)
    history = keras.callbacks.History()
    history.set_model(model)
    history.set_params({"epochs": epochs, "steps": steps})
    history.epoch, history.history = list(range(epochs)), {"loss": [1.0] * epochs}
    return model, history


def fit(optimizer, epochs, **_):
    """The notebook's `fit`, but for the learning."""
    return reached(0.08, epochs=epochs)


PREPARE = {
    "05-rate": lambda: {"finder": finder_table()},
    "05-momentum": dict,
    "05-schedule": dict,
    "05-diagnose": dict,
    "05-three": lambda: {**DATA, "fit": fit},
}

NAMES = {
    "05-rate": ("chosen_rate",),
    "05-momentum": ("momentum_step",),
    "05-schedule": ("schedule",),
    "05-diagnose": ("diagnosis",),
    "05-three": ("my_model", "my_history"),
}


def with_other_names(w, v, g, rate=0.1, beta=0.9):
    new = -rate * g + beta * v
    return [w + new, new]


def with_arrays(weight, velocity, slope, rate=0.1, beta=0.9):
    velocity = np.array(beta * velocity - rate * slope)
    return np.array([weight]) + velocity, velocity


def with_float32(weight, velocity, slope, rate=0.1, beta=0.9):
    velocity = np.float32(beta * velocity) - np.float32(rate * slope)
    return np.float32(weight) + velocity, velocity


def rule(new, move=lambda w, v, g, r, b, new: (w + new, new)):
    """A function of the form asked for, from how it makes the velocity and how it moves."""

    def function(weight, velocity, slope, rate=0.1, beta=0.9):
        made = new(velocity, slope, rate, beta)
        return move(weight, velocity, slope, rate, beta, made)

    return function


def right_velocity(v, g, r, b):
    return b * v - r * g


def staircase(start=0.01, steps=375, rate=0.5, stairs=True):
    return schedules.ExponentialDecay(start, steps, rate, staircase=stairs)


RIGHT = {
    "A": ("rate far too high", "a lower rate and a new model"),
    "B": ("rate too low", "ten times the rate"),
    "C": ("overfitting", "dropout or early stopping"),
    "D": ("steps too long to settle", "a lower rate"),
}
