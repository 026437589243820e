"""What the exercises of notebook 08 find in the kernel, and what attempts are made of."""

import keras
import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression

from lesson import load_boston

(FEATURES, TARGETS), _ = load_boston()

TRAIN, VAL = FEATURES[:303], FEATURES[303:]

ALL_ROWS = np.arange(404)


def scaled(values, rows, ddof=0):
    return (values - rows.mean(axis=0)) / rows.std(axis=0, ddof=ddof)


def cut(first=lambda i: i * 101, end=lambda i: (i + 1) * 101, k=4):
    blocks = [np.arange(first(i), end(i)) for i in range(k)]
    return [(np.setdiff1d(ALL_ROWS, block), block) for block in blocks]


FOLDS = cut()


def as_masks():
    return [(~np.isin(ALL_ROWS, val), np.isin(ALL_ROWS, val)) for _, val in FOLDS]


EPOCHS = np.arange(1, 101)

AVERAGE = 2.4 + 2 / EPOCHS + 0.0001 * (EPOCHS - 50) ** 2

AVERAGE += 0.1 * np.random.default_rng(0).normal(size=100)


def smooth(values, factor=0.9, start=None):
    result = [] if start is None else [start]
    for value in values:
        result.append(factor * result[-1] + (1 - factor) * value if result else value)
    return np.array(result if start is None else result[1:])


MAE = smooth(AVERAGE[10:])

STOP = int(np.argmin(MAE)) + 11


def inputs(rows_of):
    return [scaled(FEATURES, FEATURES[rows_of(train, val)]) for train, val in FOLDS]


NOISE, PRICES = np.random.default_rng(8).normal(size=(100, 20_000)), TARGETS[:100]

HUNDRED = np.arange(100)


def best_columns(rows, count=20):
    """By the share of variance explained, another way than the notebook's."""
    x, y = NOISE[rows] - NOISE[rows].mean(axis=0), PRICES[rows] - PRICES[rows].mean()
    slopes = y @ x / (x**2).sum(axis=0)
    left_over = ((y[:, None] - slopes * x) ** 2).sum(axis=0)
    return np.argsort(left_over)[:count]


def maes_of_noise(choose_on, fit_on, measure_on):
    result = []
    for val in np.split(HUNDRED, 4):
        rows = {"all": HUNDRED, "train": np.setdiff1d(HUNDRED, val), "val": val}
        x = np.column_stack([NOISE[:, best_columns(rows[choose_on])], np.ones(100)])
        fit, test = rows[fit_on], rows[measure_on]
        weights = np.linalg.lstsq(x[fit], PRICES[fit], rcond=None)[0]
        result.append(np.abs(x[test] @ weights - PRICES[test]).mean())
    return result


def trees(train_x, train_y, val_x):
    return ExtraTreesRegressor(30, random_state=1).fit(train_x, train_y).predict(val_x)


def network(epochs):
    """A way of pricing: notebook 08's network after so few steps that every machine gives it."""

    def price(train_x, train_y, val_x):
        mean, std = train_x.mean(axis=0), train_x.std(axis=0)
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((13,))])
        for units in (64, 64):
            model.add(keras.layers.Dense(units, activation="relu"))
        model.add(keras.layers.Dense(1))
        model.compile(keras.optimizers.RMSprop(0.01), loss="mse")
        if epochs:
            model.fit((train_x - mean) / std, train_y, batch_size=101, epochs=epochs, verbose=0)
        return model.predict((val_x - mean) / std, batch_size=101, verbose=0)

    return price


def a_model(train_x, train_y, val_x):
    return LinearRegression().fit(train_x, train_y)


PREPARE = {
    "08-standardise": ["load-data"],
    "08-folds": [],
    "08-smooth": lambda: {"average_mae": AVERAGE},
    "08-leak": ["load-data", "exercise-folds-solution"],
    "08-noise": ["load-data", "linear-mae", "noise-leaky"],
    "08-better": ["load-data", "k-fold-mae"],
}
