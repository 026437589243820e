"""What the checks of notebook 04 say: of right answers, of mistakes that learners make."""

import keras
import numpy as np
import pandas as pd
import pytest

from answers import is_right

layers = keras.layers
rng = np.random.default_rng(0)


# --- 04-hand -------------------------------------------------------------------------


def as_in_the_solution(values, rate):
    return values * (rng.random(values.shape) >= rate) / (1 - rate)


def with_where(values, rate):
    return np.where(np.random.rand(*values.shape) < rate, 0, values / (1 - rate))


def with_a_loop(values, rate):
    result = np.zeros(values.shape)
    for place in np.ndindex(values.shape):
        if rng.random() < 1 - rate:
            result[place] = values[place] * (1 / (1 - rate))
    return result


def with_binomial(values, rate):
    return values * rng.binomial(1, 1 - rate, values.shape) / (1 - rate)


def with_keras(values, rate):
    return keras.layers.Dropout(rate)(values, training=True)


def in_lists(values, rate):
    return as_in_the_solution(values, rate).tolist()


@pytest.mark.parametrize(
    "function",
    [as_in_the_solution, with_where, with_a_loop, with_binomial, with_keras, in_lists],
)
def test_hand_right(function, said):
    assert is_right(said("04-hand", dropout_by_hand=function))


def masked(decide, scale=lambda rate: 1 / (1 - rate)):
    return lambda values, rate: values * decide(values, rate) * scale(rate)


def keep(values, rate):
    return rng.random(values.shape) >= rate


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (masked(lambda v, r: rng.random(v.shape) < r), "yours is the share that stays"),
        (masked(lambda v, r: rng.integers(0, 2, v.shape)), "half of the values whatever the rate"),
        (masked(lambda v, r: np.ones(v.shape)), "0.00 of the values at rate 0.2"),
        (masked(lambda v, r: np.zeros(v.shape)), "there are none"),
        (
            masked(lambda v, r: np.random.default_rng(1).random(v.shape) >= r),
            "two calls dropped the very same values",
        ),
        (masked(lambda v, r: rng.random(v.shape[1]) >= r), "whole rows or columns go together"),
        (masked(lambda v, r: rng.random((len(v), 1)) >= r), "whole rows or columns go together"),
        (masked(keep, lambda rate: 1), "as they were, so the mean has fallen"),
        (masked(keep, lambda rate: 1 - rate), "became smaller"),
        (masked(keep, lambda rate: 1 / rate), "not from the share that is dropped"),
        (masked(keep, lambda rate: 1 + rate), "have a mean of 0.96"),
        (masked(keep, lambda rate: rate), "does not bring the mean back"),
        (lambda values, rate: None, "returns nothing"),
        (lambda values, rate: 3, "should be numbers of shape (200, 200)"),
        (lambda values, rate: values >= rate, "should be numbers of shape (200, 200)"),
        (lambda values, rate: (values, rate), "could not be checked"),
        (lambda values: values, "stops with TypeError"),
        (lambda values, rate: values[rate], "stops with IndexError"),
    ],
)
def test_hand_wrong(function, reason, said):
    text = said("04-hand", dropout_by_hand=function)
    assert reason in text
    assert not is_right(text)
    assert "1 / (1 - rate)" not in text, "it gives the answer away"
    assert "1 - rate" not in text


def test_hand_that_changes_what_it_is_given(said):
    def function(values, rate):
        values[rng.random(values.shape) < rate] = 0
        values /= 1 - rate
        return values

    text = said("04-hand", dropout_by_hand=function)
    assert is_right(text)
    assert text.count("changes the array that it is given") == 1


# --- 04-model ------------------------------------------------------------------------


def network(
    filters=(16, 32, 64),
    size=3,
    activation="relu",
    pools=(2, 2),
    dropout=layers.Dropout,
    place=3,
    last=10,
    final="softmax",
    flatten=True,
    hidden=None,
    default=0.5,
    **options,
):
    """The solution, but for what is given; dropout comes after convolution `place`."""

    def create_model_dropout(rate=default):
        stack = []
        for count, pool in zip(filters, [*pools, *[None] * 3], strict=False):
            stack.append(layers.Conv2D(count, size, activation=activation, **options))
            if pool:
                stack.append(layers.MaxPooling2D(pool))
            if place == sum(isinstance(one, layers.Conv2D) for one in stack) and dropout:
                stack.append(dropout(rate))
        if flatten:
            stack.append(layers.Flatten())
        if hidden:
            stack.append(layers.Dense(hidden, activation="relu"))
        stack.append(layers.Dense(last, activation=final))
        if place == "output":
            stack.append(dropout(rate))
        if place == "flatten":
            stack.insert(-1, dropout(rate))
        return keras.Sequential([keras.Input((32, 32, 3)), *stack])

    return create_model_dropout


def with_separate_activations(rate=0.5):
    inputs = x = keras.Input((32, 32, 3))
    for filters in (16, 32, 64):
        x = layers.ReLU()(layers.Conv2D(filters, (3, 3))(x))
        x = layers.MaxPool2D()(x) if filters < 64 else layers.Dropout(rate)(x)
    x = layers.Dense(10)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Softmax()(x))


@pytest.mark.parametrize(
    "create",
    [
        network(),
        network(place="flatten"),
        network(activation=keras.activations.relu, final=keras.activations.softmax),
        network(pools=((2, 2), 2), size=(3, 3)),
        network(activation=layers.ReLU()),
        lambda rate=0.5: keras.Sequential([keras.Input((32, 32, 3)), network()(rate)]),
        with_separate_activations,
    ],
)
def test_model_right(create, said):
    text = said("04-model", create_model_dropout=create)
    assert is_right(text), text


def normalised(rate=0.5):
    whole = network()(rate).layers
    return keras.Sequential([keras.Input((32, 32, 3)), layers.BatchNormalization(), *whole])


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        (network(filters=(16, 32), pools=(2, 2), place=2), "yours have 16, 32 filters"),
        (network(filters=(32, 32, 64)), "yours have 32, 32, 64 filters"),
        (network(size=5), "every filter should cover 3 × 3"),
        (network(activation=None), "each should have the activation relu"),
        (network(activation="tanh"), "each should have the activation relu"),
        (network(padding="same"), "leave padding and strides"),
        (network(pools=(2, 2, 2)), "none comes after the third convolution"),
        (network(pools=(2,)), "one should follow the first convolution and one the second"),
        (network(pools=(2, 3)), "the largest of 2 × 2"),
        (network(dropout=None), "there are 0 such layers; there should be 1"),
        (network(dropout=layers.SpatialDropout2D), "SpatialDropout2D is another layer"),
        (network(place=2), "before the last convolution"),
        (network(place="output"), "comes after the output layer"),
        (network(default=0.2), "gives a rate of 0.2, not of 0.5"),
        (network(dropout=lambda rate: layers.Dropout(0.5)), "Use the argument"),
        (lambda: network()(), "create_model_dropout(0.25) stops with TypeError"),
        (lambda rate: network()(rate), "create_model_dropout() stops with TypeError"),
        (network(last=1), "10 units and the activation softmax"),
        (network(final="sigmoid"), "10 units and the activation softmax"),
        (network(flatten=False), "without Flatten"),
        (network(hidden=128), "there are 2 dense layers; the table has one"),
        (normalised, "there is also BatchNormalization"),
        (lambda rate=0.5: None, "returns nothing; it should return the keras.Model"),
        (lambda rate=0.5: layers.Dropout(rate), "returns a Dropout"),
        (lambda rate=0.5: keras.Sequential(), "should start with keras.Input"),
        (lambda rate=0.5: keras.Sequential([keras.Input((28, 28, 1))]), "should start with"),
    ],
)
def test_model_wrong(create, reason, said):
    text = said("04-model", create_model_dropout=create)
    assert reason in text
    assert not is_right(text)


# --- 04-count ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [int, float, np.int64, np.float64])
def test_count_right(kind, said):
    numbers = {"hidden_params": 131_200, "classes_params": 1_290, "total_params": 156_074}
    assert is_right(said("04-count", **{name: kind(n) for name, n in numbers.items()}))


@pytest.mark.parametrize(
    ("hidden", "classes", "total", "reason"),
    [
        (131_072, 1_290, 156_074, "hidden_params: almost"),
        (147_584, 1_290, 156_074, "how many come out of this one?"),
        (8_320, 1_290, 156_074, "64 for every place in the image"),
        (65_664, 1_290, 156_074, "dropout takes no numbers away"),
        (1, 1_290, 156_074, "reads every number of `flatten`"),
        (131_200, 1_280, 156_074, "classes_params: almost"),
        (131_200, 10_250, 156_074, "without the new layer"),
        (131_200, 5, 156_074, "each of the 10 units reads the new layer"),
        (131_200, 1_290, 132_490, "the three convolutions have weights too"),
        (131_200, 1_290, 166_324, "the old `classes` with its 10,250 is gone"),
        (131_200, 1_290, 165_034, "`classes` does not keep its 10,250"),
        (131_200, 1_280, 156_064, "that follows from your other two"),
        (131_200, 1_290, 33_834, "the network without the new layer"),
        (131_200, 1_290, 7, "add up the three convolutions"),
    ],
)
def test_count_wrong(hidden, classes, total, reason, said):
    text = said("04-count", hidden_params=hidden, classes_params=classes, total_params=total)
    assert reason in text
    assert not is_right(text)


# --- 04-compare ----------------------------------------------------------------------


def curves(training, validation):
    """Two epochs, the second with these accuracies."""
    return {
        "categorical_accuracy": [0.4, training],
        "val_categorical_accuracy": [0.5, validation],
        "loss": [1.6, 1.5 - training],
        "val_loss": [1.4, 1.6 - validation],
    }


def history_of(lists):
    history = keras.callbacks.History()
    history.history = lists
    return history


GIVEN = {
    "history_intro": pd.DataFrame(curves(0.69, 0.65)),
    "history_dropout": history_of(curves(0.66, 0.67)),
}
ANSWERS = {"gain": 0.02, "gap_intro": 0.04, "gap_dropout": -0.01}


@pytest.mark.parametrize("kind", [float, np.float64, lambda x: round(x, 3)])
def test_compare_right(kind, said):
    answers = {name: kind(value) for name, value in ANSWERS.items()}
    assert is_right(said("04-compare", **GIVEN, **answers))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("gain", -0.02, "the sign is the other way round"),
        ("gain", -0.03, "compares the training accuracies"),
        ("gain", 2.0, "not in percent"),
        ("gain", 0.5, "subtract 03's last validation accuracy"),
        ("gap_intro", -0.04, "the sign is the other way round"),
        ("gap_intro", 4, "not in percent"),
        ("gap_dropout", 0.01, "the sign is the other way round"),
        ("gap_dropout", -0.09, "the gap between the losses"),
        ("gap_dropout", 0.3, "subtract the last validation accuracy"),
    ],
)
def test_compare_wrong(name, value, reason, said):
    text = said("04-compare", **GIVEN, **{**ANSWERS, name: value})
    assert reason in text
    assert "2 of 3 right so far." in text


@pytest.mark.parametrize(
    "lists",
    [{}, {"loss": [1.0]}, {"categorical_accuracy": [1], "val_categorical_accuracy": [1, 2]}],
)
def test_compare_with_a_history_of_something_else(lists, said):
    text = said("04-compare", **{**GIVEN, "history_dropout": history_of(lists)}, **ANSWERS)
    assert "history_dropout has no categorical_accuracy" in text


def test_compare_with_a_history_that_never_ran(said):
    unused = keras.callbacks.History()
    text = said("04-compare", **{**GIVEN, "history_dropout": unused}, **ANSWERS)
    assert "history_dropout has no categorical_accuracy" in text


@pytest.mark.parametrize(
    "exercise",
    ["04-hand", "04-model", "04-count", "04-compare"],
)
@pytest.mark.parametrize("junk", [3, "text", [], np.ones(2), keras.Sequential(), print])
def test_junk_is_explained(exercise, junk, said):
    names = {
        "04-hand": ["dropout_by_hand"],
        "04-model": ["create_model_dropout"],
        "04-count": ["hidden_params", "classes_params", "total_params"],
        "04-compare": [*GIVEN, *ANSWERS],
    }[exercise]
    text = said(exercise, **dict.fromkeys(names, junk))
    assert text
    assert not is_right(text)
    assert "Traceback" not in text


# What the solutions need; see test_checks.py.
PREPARE = {
    "04-hand": ["mask"],
    "04-model": [],
    "04-count": ["exercise-model-solution"],
    "04-compare": lambda: dict(GIVEN),
}
