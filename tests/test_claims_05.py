"""Claims of notebook 05, Learning rate, batch size, optimizers.

Spreads: seeds 1, 2 and 5, on two cores with TensorFlow. The bounds are far wider.
"""

import keras
import numpy as np
import pytest
from claims import claim, history, model, table
from lesson import load_mnist

(IMAGES, DIGITS), _ = load_mnist()
VAL_IMAGES = IMAGES[48_000:].reshape(-1, 784).astype("float32") / 255
VAL_DIGITS = DIGITS[48_000:]
LN_10 = float(np.log(10))


def size(network):
    return float(np.abs(network.get_weights()[0]).mean())


def dead(network):
    """Units of the first layer that give 0 for every validation image."""
    kernel, bias = network.get_weights()[:2]
    return int(np.sum((VAL_IMAGES @ kernel + bias).max(axis=0) <= 0))


# --- That what was judged is what the prose describes --------------------------------


@pytest.mark.parametrize(("name", "rate"), [("high", 1.0), ("good", 0.01)])
def test_fit_is_what_the_prose_describes(name, rate):
    """The saved model, measured here on the validation images."""
    network, curves = model(f"model_rate_{name}"), history(f"history_rate_{name}")
    assert network.count_params() == 101_770
    assert isinstance(network.optimizer, keras.optimizers.RMSprop)
    assert float(network.optimizer.learning_rate) == pytest.approx(rate)
    assert int(network.optimizer.iterations) == 6 * 375
    assert list(curves.index) == [1, 2, 3, 4, 5, 6]
    predicted = network.predict(VAL_IMAGES, verbose=0).argmax(axis=1)
    accuracy = np.mean(predicted == VAL_DIGITS)
    assert curves["val_accuracy"][6] == pytest.approx(accuracy, abs=1e-3)


@pytest.fixture(scope="module")
def finder():
    """Losses by rate, a column for each optimizer."""
    losses = table("optimizer_finder").pivot(index="rate", columns="optimizer", values="loss")
    assert list(losses.columns) == ["RMSprop", "SGD"]
    np.testing.assert_allclose(losses.index, np.logspace(-4, 1, 11))
    return losses


@pytest.fixture(scope="module")
def batches():
    rows = table("optimizer_batches")
    assert list(rows["steps"]) == [1500, 375, 94, 24, 94, 24]
    return rows.set_index(["batch_size", "rate"])


@pytest.fixture(scope="module")
def six():
    """Validation losses by epoch, a column for each optimizer."""
    rows = table("optimizer_six")
    used = {row["name"]: (row["kind"], row["rate"]) for _, row in rows.iterrows()}
    expected = {
        "SGD": ("SGD", 0.01),
        "momentum": ("SGD", 0.01),
        "Nesterov": ("SGD", 0.01),
        "RMSprop": ("RMSprop", 0.001),
        "Adagrad": ("Adagrad", 0.01),
        "Adam": ("Adam", 0.001),
        "SGD 0.1": ("SGD", 0.1),
    }
    assert used.keys() == expected.keys()
    for name, (kind, rate) in expected.items():
        assert used[name] == (kind, pytest.approx(rate)), name
    losses = rows.pivot(index="epoch", columns="name", values="val_loss")
    assert list(losses.index) == [1, 2, 3]
    return losses


@pytest.fixture(scope="module")
def schedules():
    """Histories by how the rate changed."""
    names = {"constant": "good", "staircase": "staircase", "plateau": "plateau"}
    return {kind: history(f"history_rate_{name}") for kind, name in names.items()}


def test_defaults_are_what_the_prose_says():
    optimizers = keras.optimizers
    expected = {
        optimizers.SGD: {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
        optimizers.RMSprop: {"learning_rate": 0.001, "rho": 0.9},
        optimizers.Adagrad: {"learning_rate": 0.001},
        optimizers.Adam: {"learning_rate": 0.001, "weight_decay": None},
        optimizers.AdamW: {"weight_decay": 0.004},
    }
    for kind, values in expected.items():
        config = kind().get_config()
        for name, value in values.items():
            assert config[name] == (value if value is None else pytest.approx(value)), kind


def test_plateau_cannot_change_a_schedule():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=100)
    with pytest.raises(TypeError, match="not settable"):
        network.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=3, verbose=0, callbacks=[plateau])


# --- 1. One number -------------------------------------------------------------------


@claim(
    "05",
    "At a rate of 1.0 the training loss of the first epoch is above 20, far worse than knowing "
    "nothing.",
)
def test_high_rate_is_worse_than_nothing():
    """172 to 223."""
    assert not history("history_rate_high")["loss"][1] <= 20


@claim(
    "05",
    "After six epochs that model names fewer than 30 of 100 validation images right, its weights "
    "are more than ten times as large as at the start, and more than half of its units are dead.",
)
def test_high_rate_fails():
    """0.12 to 0.17 of them; weights 1.8 to 2.0 where they were 0.04; 125 or 126 of 128 dead."""
    assert history("history_rate_high")["val_accuracy"][6] < 0.30
    limit = np.sqrt(6 / (784 + 128))  # the starting weights are uniform up to here
    network = model("model_rate_high")
    assert size(network) > 10 * limit / 2
    assert dead(network) > 64


@claim("05", "At 0.01 the same network names more than 95 of 100 right.")
def test_good_rate_works():
    """0.966 to 0.969."""
    assert history("history_rate_good")["val_accuracy"][6] > 0.95


# --- 3. The finder -------------------------------------------------------------------


@claim("05", "Each curve is a valley.")
def test_curves_are_valleys(finder):
    """RMSprop lowest, 0.18 to 0.22, at 0.003 or 0.01; SGD, 0.22 to 0.24, at 1.0."""
    for losses in (finder["RMSprop"], finder["SGD"]):
        place = int(np.nanargmin(losses))
        assert 1 < place < 9
        left, right = losses.iloc[: place + 1], losses.iloc[place:]
        assert (np.diff(left) < 0.02).all()
        assert right.iloc[-1] > right.iloc[0] + 1.5


@claim(
    "05",
    "At 0.0001 RMSprop has more than twice its lowest loss, and SGD has learned next to nothing.",
)
def test_left_ends_are_high(finder):
    """RMSprop 3.6 to 4.5 times its lowest; SGD 2.30 to 2.39."""
    assert finder["RMSprop"].iloc[0] > 2 * finder["RMSprop"].min()
    assert LN_10 - 0.15 < finder["SGD"].iloc[0] < LN_10 + 0.25


@claim("05", "At 10 neither does better than knowing nothing.")
def test_right_ends_are_high(finder):
    """RMSprop 10.6 to 14.4, SGD 2.31 to 2.37."""
    for losses in (finder["RMSprop"], finder["SGD"]):
        assert not losses.iloc[-1] < LN_10 - 0.05


@claim("05", "SGD is at its best at a rate at least ten times as high as RMSprop.")
def test_best_rates_differ(finder):
    """1.0 against 0.003 or 0.01."""
    assert finder["SGD"].idxmin() > 9.9 * finder["RMSprop"].idxmin()
    assert finder["RMSprop"].min() < 0.35
    assert finder["SGD"].min() < 0.35


# --- 4. Batches ----------------------------------------------------------------------


@claim("05", "At the same rate, the larger the batch, the higher the loss after one epoch.")
def test_larger_batches_get_less_far(batches):
    """0.19, 0.30, 0.45 to 0.46, 0.95 to 1.01."""
    losses = [batches["loss"][n, 0.1] for n in (32, 128, 512, 2048)]
    assert (np.diff(losses) > 0.03).all()


@claim("05", "An epoch in batches of 32 takes longer than one in batches of 2,048.")
def test_small_batches_take_longer(batches):
    """2.4 to 2.7 times as long."""
    assert batches["seconds"][32, 0.1] > batches["seconds"][2048, 0.1]


@claim(
    "05",
    "With four times the batch *and* four times the rate the loss is within 0.05 of what it was; "
    "with sixteen times both it is far higher.",
)
def test_rate_grows_with_the_batch_up_to_a_point(batches):
    """0.004 to 0.009 higher; 1.3 to 1.7 higher."""
    before = batches["loss"][128, 0.1]
    assert abs(batches["loss"][512, 0.4] - before) < 0.05
    assert not batches["loss"][2048, 1.6] < before + 0.15


# --- 6. Six optimizers ---------------------------------------------------------------


@claim(
    "05",
    "After three epochs RMSprop and Adam have the two lowest validation losses and plain SGD the "
    "highest, with Adagrad next to it.",
)
def test_order_of_six(six):
    """RMSprop and Adam 0.12 to 0.13, Adagrad 0.30 to 0.31, SGD 0.42."""
    order = list(six.loc[3].drop("SGD 0.1").sort_values().index)
    assert set(order[:2]) == {"RMSprop", "Adam"}
    assert order[-2:] == ["Adagrad", "SGD"]


@claim(
    "05",
    "Momentum brings SGD's loss down to less than two thirds, and Nesterov ends within 0.02 of it.",
)
def test_momentum_helps(six):
    """0.48 to 0.51 of it; Nesterov within 0.001."""
    last = six.loc[3]
    assert last["momentum"] < last["SGD"] * 2 / 3
    assert abs(last["Nesterov"] - last["momentum"]) < 0.02


@claim("05", "Yet plain SGD at 0.1, ten times the rate, ends within 0.03 of momentum too.")
def test_a_higher_rate_does_what_momentum_does(six):
    """Within 0.003."""
    assert abs(six["SGD 0.1"][3] - six["momentum"][3]) < 0.03


# --- 7. Schedules --------------------------------------------------------------------


@claim(
    "05",
    "At a constant 0.01 the validation loss is lowest before the last epoch, and ends higher.",
)
def test_constant_rate_turns(schedules):
    """Lowest after epoch 2; ends 1.3 to 1.5 times as high."""
    losses = schedules["constant"]["val_loss"]
    assert losses.idxmin() < 6
    assert losses[6] > losses.min()


@claim("05", "With the staircase it ends lower by more than a quarter.")
def test_staircase_ends_lower(schedules):
    """0.45 to 0.48 of it."""
    assert schedules["staircase"]["val_loss"][6] < 0.75 * schedules["constant"]["val_loss"][6]


@claim(
    "05",
    "ReduceLROnPlateau lowers the rate at least once, and ends lower than the constant rate too.",
)
def test_plateau_lowers_the_rate(schedules):
    """Once, to 0.002; ends at 0.53 to 0.58 of it."""
    curves = schedules["plateau"]
    assert curves["learning_rate"][1] == pytest.approx(0.01)
    assert curves["learning_rate"][6] < 0.0021
    assert curves["val_loss"][6] < schedules["constant"]["val_loss"][6]


# --- 9. When the loss does not fall --------------------------------------------------


@claim(
    "05",
    "After 60 steps of Adam the loss of the twenty images is below 0.15, and all twenty are named "
    "right.",
)
def test_twenty_images_are_learned_by_heart():
    """0.007, all twenty."""
    last = history("history_twenty").loc[60]
    assert last["loss"] < 0.15
    assert last["accuracy"] == 1
