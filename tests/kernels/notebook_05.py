"""What the exercises of notebook 05 find in the kernel, and what attempts are made of."""

import keras
import numpy as np
import pandas as pd

schedules = keras.optimizers.schedules


def finder_table():
    rates = np.logspace(-4, 1, 11)
    rmsprop = [1.0, 0.4, 0.26, 0.2, 0.21, 0.4, 0.9, 2.4, 2.6, 4.6, 9.3]
    sgd = [2.3, 2.2, 2.1, 1.8, 1.1, 0.5, 0.3, 0.25, 0.27, 2.3, np.nan]
    return pd.DataFrame(
        {
            "optimizer": ["RMSprop"] * 11 + ["SGD"] * 11,
            "rate": [*rates, *rates],
            "loss": rmsprop + sgd,
        }
    )


PREPARE = {
    "05-step": ["exercise-step-data"],
    "05-rate": lambda: {"finder": finder_table()},
    "05-momentum": dict,
    "05-schedule": dict,
    "05-diagnose": dict,
}

NAMES = {
    "05-step": ("slope_by_hand", "weight_after"),
    "05-rate": ("chosen_rate",),
    "05-momentum": ("momentum_step",),
    "05-schedule": ("schedule",),
    "05-diagnose": ("diagnosis",),
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
    "A": ("rate too high", "a lower rate and a new model"),
    "B": ("rate too low", "ten times the rate"),
    "C": ("overfitting", "a lower rate"),
}

LOWER, NEW = "a lower rate", "a lower rate and a new model"
