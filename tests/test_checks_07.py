"""The checks of notebook 07: solutions and other right answers, wrong ones, and junk."""

import keras
import numpy as np
import pytest

from answers import answer, is_right

L1, L2, L1L2 = keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2


JUNK = [
    None,
    ...,
    0,
    7,
    -1.5,
    float("nan"),
    float("inf"),
    "16",
    [],
    {},
    np.zeros(3),
    object(),
    print,
]


# -------------------------------------------------------------- which curve


def test_curves_right(capsys):
    assert is_right(answer(capsys, "07-curves", units_a=512, units_b=4, units_c=16))
    assert is_right(answer(capsys, "07-curves", units_a=512.0, units_b=np.int64(4), units_c=16))


def test_curves_wrong(capsys):
    told = answer(capsys, "07-curves", units_a=16, units_b=4, units_c=512)
    assert "1 of 3" in told
    assert "512" not in told
    assert "16" not in told
    assert "Each of 4, 16 and 512" in answer(capsys, "07-curves", units_a=4, units_b=4, units_c=4)


# ------------------------------------------------------------------ penalty

PENALTY = {"penalty_l2": 0.0525, "penalty_l1": 0.035, "pull_l2": 0.04}


def test_penalty_right(capsys):
    assert is_right(answer(capsys, "07-penalty", **PENALTY))
    weights = np.array([[0.5, -1.0], [2.0, 0.0]], "float32")
    computed = {
        "penalty_l2": np.float32(0.01) * np.sum(weights**2),
        "penalty_l1": 0.01 * np.abs(weights).sum(),
        "pull_l2": 0.02 * weights[1, 0],
    }
    assert is_right(answer(capsys, "07-penalty", **computed))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("penalty_l2", 5.25, "λ is missing"),
        ("penalty_l2", 0.02625, "half"),
        ("penalty_l2", 0.013125, "average"),
        ("penalty_l2", 0.0225, "squared the sum"),
        ("penalty_l2", 0.035, "penalty of L1"),
        ("penalty_l2", 0.01 * 5.25**0.5, "no root"),
        ("penalty_l2", 0.0325, "negative weight"),
        ("penalty_l1", 0.015, "without its sign"),
        ("penalty_l1", 3.5, "λ is missing"),
        ("penalty_l1", 0.0525, "penalty of L2"),
        ("pull_l2", 0.02, "slope of w²"),
        ("pull_l2", 4, "λ is missing"),
        ("pull_l2", -0.04, "positive"),
        ("pull_l2", 123, "slope of λw²"),
    ],
)
def test_penalty_wrong(capsys, name, value, reason):
    told = answer(capsys, "07-penalty", **{**PENALTY, name: value})
    assert "2 of 3 right" in told
    assert reason in told
    assert str(PENALTY[name]) not in told


# ----------------------------------------------------------- model with L2


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


def test_l2_right(capsys):
    right = kernel(L2(0.002))
    assert is_right(answer(capsys, "07-l2", model_l2=network(right, right)))
    for other in (L1L2(l1=0, l2=0.002), keras.regularizers.l2(0.002)):
        assert is_right(answer(capsys, "07-l2", model_l2=network(kernel(other), right)))
    own = kernel(lambda w: 0.002 * keras.ops.sum(w * w))
    assert is_right(answer(capsys, "07-l2", model_l2=network(own, own)))


def test_l2_right_functional(capsys):
    inputs = keras.Input(shape=(10_000,))
    x = keras.layers.Dense(16, activation=keras.ops.relu, kernel_regularizer=L2(0.002))(inputs)
    x = keras.layers.Dense(16, activation="relu", kernel_regularizer=L2(0.002))(x)
    outputs = keras.layers.Dense(1, activation="sigmoid")(x)
    assert is_right(answer(capsys, "07-l2", model_l2=keras.Model(inputs, outputs)))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (None, "no penalty"),
        (kernel(L2(0.02)), "λ = 0.02;"),
        (kernel(L2(0.001)), "λ = 0.001;"),
        (kernel("l2"), "λ = 0.01 (Keras's default"),
        (kernel(L1(0.002)), "that is L1"),
        (kernel(L1L2(l1=0.002, l2=0.002)), "some L1"),
        ({"bias_regularizer": L2(0.002)}, "bias_regularizer"),
        ({"activity_regularizer": L2(0.002)}, "activity_regularizer"),
        ({**kernel(L2(0.002)), "bias_regularizer": L2(0.002)}, "biases or outputs"),
        (kernel(L2(0)), "not a penalty"),
    ],
)
def test_l2_wrong_layer(capsys, wrong, reason):
    told = answer(capsys, "07-l2", model_l2=network(wrong, kernel(L2(0.002))))
    assert "3 of 4 right" in told
    assert reason in told
    assert "0.002)" not in told


def test_l2_wrong_elsewhere(capsys):
    right = kernel(L2(0.002))
    told = answer(capsys, "07-l2", model_l2=network(right, right, right))
    assert "output layer: it has" in told
    told = answer(capsys, "07-l2", model_l2=network(right, right, {"bias_regularizer": L2(0.002)}))
    assert "output layer: it has" in told
    told = answer(capsys, "07-l2", model_l2=network(right, right, units=4))
    assert "4-16-1" in told
    told = answer(capsys, "07-l2", model_l2=network(right, right, activation="tanh"))
    assert "tanh" in told
    dropout = network(right, right, extra=[keras.layers.Dropout(0.5)])
    assert "two things" in answer(capsys, "07-l2", model_l2=dropout)


def test_l2_unbuilt_and_strange(capsys):
    unbuilt = keras.Sequential([keras.layers.Dense(16, kernel_regularizer=L2(0.002))])
    assert "keras.Input" in answer(capsys, "07-l2", model_l2=unbuilt)
    nested = keras.Sequential([keras.Input(shape=(10_000,)), network()])
    assert "✗" in answer(capsys, "07-l2", model_l2=nested)
    assert "✗" in answer(capsys, "07-l2", model_l2=keras.Sequential())
    odd = network(kernel(lambda w: "dear"), kernel(L2(0.002)))
    assert "not a penalty" in answer(capsys, "07-l2", model_l2=odd)


# ------------------------------------------------------------- compare fairly


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


def fair(capsys, lowest_base=0.28, lowest_l2=0.29, base=BASE, penalised=PENALISED):
    histories = {"history_base": history(**base), "history_l2": history(**penalised)}
    numbers = {"lowest_base": lowest_base, "lowest_l2": lowest_l2}
    return answer(capsys, "07-fair", **histories, **numbers)


def test_fair_right(capsys):
    assert is_right(fair(capsys))
    assert is_right(fair(capsys, np.float32(0.28), 0.2902))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (0.36, "penalty is in it"),
        (0.33, "last epoch"),
        (0.15, "training reviews"),
        (2, "that is an epoch"),
        (0.44, "the highest"),
        (float("nan"), "lowest point"),
    ],
)
def test_fair_wrong(capsys, value, reason):
    told = fair(capsys, lowest_l2=value)
    assert "1 of 2 right" in told
    assert reason in told
    assert "0.29" not in told


def test_fair_with_histories_of_other_fits(capsys):
    assert "no cross_entropy" in fair(capsys, base={"loss": [1.0], "val_loss": [1.0]})
    empty = keras.callbacks.History()  # one that never ran has no .history at all
    told = answer(
        capsys, "07-fair", history_base=empty, history_l2=empty, lowest_base=0.3, lowest_l2=0.3
    )
    assert told.count("✗") == 2


# --------------------------------------------------------------- early stopping


def early(capsys, **settings):
    settings = {
        "monitor": "val_cross_entropy",
        "patience": 3,
        "restore_best_weights": True,
    } | settings
    return answer(capsys, "07-early", stopper=keras.callbacks.EarlyStopping(**settings))


def test_early_right(capsys):
    assert is_right(early(capsys))
    assert is_right(early(capsys, mode="min"))
    told = early(capsys, monitor="val_loss")
    assert is_right(told)
    assert "watch val_cross_entropy" in " ".join(told.split())
    told = early(capsys, min_delta=0.001, start_from_epoch=2)
    assert is_right(told)
    assert "min_delta" in told
    assert "before epoch 3" in told


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"restore_best_weights": False}, "last epoch"),
        ({"patience": 0}, "first wobble"),
        ({"patience": 5}, "yours is 5"),
        ({"monitor": "loss"}, "training loss"),
        ({"monitor": "cross_entropy"}, "training reviews"),
        ({"monitor": "val_accuracy"}, "without an accuracy"),
        ({"monitor": "val_crossentropy"}, "spelling"),
        ({"mode": "max"}, "lower"),
    ],
)
def test_early_wrong(capsys, settings, reason):
    told = early(capsys, **settings)
    assert "2 of 3 right" in told
    assert reason in told
    assert "restore_best_weights" not in told


def test_early_of_another_kind(capsys):
    told = answer(capsys, "07-early", stopper=keras.callbacks.TerminateOnNaN())
    assert "TerminateOnNaN" in told


def test_early_after_a_fit(capsys):
    """A callback that was used is judged as when it was new."""
    stopper = keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    x = np.ones((4, 2))
    model.fit(x, x[:, :1], validation_data=(x, x[:, :1]), verbose=0, callbacks=[stopper])
    assert is_right(answer(capsys, "07-early", stopper=stopper))


# ------------------------------------------------------------------- any junk

TAKES = {
    "07-curves": ["units_a", "units_b", "units_c"],
    "07-penalty": list(PENALTY),
    "07-l2": ["model_l2"],
    "07-fair": ["history_base", "history_l2", "lowest_base", "lowest_l2"],
    "07-early": ["stopper"],
}


@pytest.mark.parametrize("exercise", TAKES)
def test_before_anything_is_done(capsys, exercise):
    assert answer(capsys, exercise).startswith("Nothing to check yet: ")


@pytest.mark.parametrize("junk", JUNK, ids=[type(j).__name__ + str(i) for i, j in enumerate(JUNK)])
@pytest.mark.parametrize("exercise", TAKES)
def test_junk_is_answered(capsys, exercise, junk):
    told = answer(capsys, exercise, **dict.fromkeys(TAKES[exercise], junk))
    assert told.startswith(("Nothing to check yet: ", "✗ "))
    assert "All right" not in told
    assert "could not be checked" not in told


# What the solutions need; see test_checks.py.
PREPARE = {
    "07-curves": [],
    "07-penalty": ["exercise-penalty-weights"],
    "07-l2": [],
    "07-fair": lambda: {"history_base": history(**BASE), "history_l2": history(**PENALISED)},
    "07-early": [],
}
