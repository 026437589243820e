"""Claims of notebook 05, Learning rate, batch size, optimizers.

Spreads: seeds 1 to 5, on two cores with TensorFlow. The bounds are far wider.
"""

import keras
import numpy as np
import pytest

from claims import claim, history, model, seen_on_tensorflow, table
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
    """Validation losses after three epochs, by name of the optimizer and kind of rate."""
    rows = table("optimizer_six").set_index(["name", "kind"])
    expected = {
        ("SGD", "usual"): ("SGD", 0.01),
        ("momentum", "usual"): ("SGD", 0.01),
        ("Nesterov", "usual"): ("SGD", 0.01),
        ("RMSprop", "usual"): ("RMSprop", 0.001),
        ("Adagrad", "usual"): ("Adagrad", 0.01),
        ("Adam", "usual"): ("Adam", 0.001),
        ("SGD", "found"): ("SGD", 0.3),
        ("momentum", "found"): ("SGD", 0.1),
        ("Adam", "found"): ("Adam", 0.003),
    }
    assert list(rows.index) == list(expected)
    for run, (kind, rate) in expected.items():
        assert tuple(rows.loc[run, ["class", "rate"]]) == (kind, pytest.approx(rate)), run
    return rows["loss"]


@pytest.fixture(scope="module")
def schedules():
    """Histories by how the rate changed."""
    names = {"constant": "good"} | {name: name for name in ("staircase", "plateau", "chosen")}
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


# From a softmax layer TensorFlow computes the loss by way of the logits. Elsewhere Keras
# cuts the probability off at 1e-7, so that the loss ends at 16.1, and its gradient too.
@seen_on_tensorflow("JAX: the loss is 14.4; PyTorch: 14.5")
@claim(
    "At a rate of 1.0 the training loss of the first epoch is above 20, far worse than knowing "
    "nothing.",
)
def test_high_rate_is_worse_than_nothing():
    """143 to 223."""
    assert not history("history_rate_high")["loss"][1] <= 20


@seen_on_tensorflow("JAX: 19 of 128 units dead; PyTorch: 20")
@claim(
    "After six epochs that model names fewer than 30 of 100 validation images right, its weights "
    "are more than ten times as large as at the start, and more than half of its units are dead.",
)
def test_high_rate_fails():
    """0.10 to 0.17 of them; weights 1.8 to 2.0 where they were 0.04; 125 or 126 of 128 dead."""
    assert history("history_rate_high")["val_accuracy"][6] < 0.30
    limit = np.sqrt(6 / (784 + 128))  # the starting weights are uniform up to here
    network = model("model_rate_high")
    assert size(network) > 10 * limit / 2
    assert dead(network) > 64


@claim("At 0.01 the same network names more than 95 of 100 right.")
def test_good_rate_works():
    """0.966 to 0.969."""
    assert history("history_rate_good")["val_accuracy"][6] > 0.95


@claim("It has dead units too, but at most half of its 128.")
def test_good_rate_leaves_some_units_dead():
    """23 to 29 of them; none at the start."""
    assert 1 <= dead(model("model_rate_good")) <= 64


# --- 3. The finder -------------------------------------------------------------------


@claim("Each curve is a valley.")
def test_curves_are_valleys(finder):
    """RMSprop lowest, 0.18 to 0.22, at 0.003 or 0.01; SGD, 0.22 to 0.25, at 1.0."""
    for losses in (finder["RMSprop"], finder["SGD"]):
        place = int(np.nanargmin(losses))
        assert 1 < place < 9
        left, right = losses.iloc[: place + 1], losses.iloc[place:]
        assert (np.diff(left) < 0.02).all()
        assert right.iloc[-1] > right.iloc[0] + 1.5


@claim(
    "At 0.0001 RMSprop has more than twice its lowest loss, and SGD has learned next to nothing.",
)
def test_left_ends_are_high(finder):
    """RMSprop 3.6 to 4.5 times its lowest; SGD 2.30 to 2.39."""
    assert finder["RMSprop"].iloc[0] > 2 * finder["RMSprop"].min()
    assert LN_10 - 0.15 < finder["SGD"].iloc[0] < LN_10 + 0.25


@claim("At 10 neither does better than knowing nothing.")
def test_right_ends_are_high(finder):
    """RMSprop 10.6 to 37.6, SGD 2.31 to 2.37."""
    for losses in (finder["RMSprop"], finder["SGD"]):
        assert not losses.iloc[-1] < LN_10 - 0.05


@claim("SGD is at its best at a rate at least ten times as high as RMSprop.")
def test_best_rates_differ(finder):
    """1.0 against 0.003 or 0.01."""
    assert finder["SGD"].idxmin() > 9.9 * finder["RMSprop"].idxmin()
    assert finder["RMSprop"].min() < 0.35
    assert finder["SGD"].min() < 0.35


# --- 4. Batches ----------------------------------------------------------------------


@claim("At the same rate, the larger the batch, the higher the loss after one epoch.")
def test_larger_batches_get_less_far(batches):
    """0.19 to 0.20, 0.29 to 0.30, 0.45 to 0.46, 0.95 to 1.01."""
    losses = [batches["loss"][n, 0.1] for n in (32, 128, 512, 2048)]
    assert (np.diff(losses) > 0.03).all()


@claim("An epoch in batches of 32 takes longer than one in batches of 2,048.")
def test_small_batches_take_longer(batches):
    """1.4 to 2.7 times as long."""
    assert batches["seconds"][32, 0.1] > batches["seconds"][2048, 0.1]


@claim(
    "With four times the batch *and* four times the rate the loss is within 0.05 of what it was; "
    "with sixteen times both it is far higher.",
)
def test_rate_grows_with_the_batch_up_to_a_point(batches):
    """Within 0.009; 1.3 to 1.8 higher."""
    before = batches["loss"][128, 0.1]
    assert abs(batches["loss"][512, 0.4] - before) < 0.05
    assert not batches["loss"][2048, 1.6] < before + 0.15


# --- 6. Six optimizers ---------------------------------------------------------------


@claim(
    "At the usual rates RMSprop and Adam have the two lowest validation losses and plain SGD the "
    "highest, more than twice theirs, with Adagrad next to it.",
)
def test_order_of_six(six):
    """RMSprop and Adam 0.12 to 0.14, Adagrad 0.30 to 0.31, SGD 0.42."""
    usual = six.xs("usual", level="kind").sort_values()
    order = list(usual.index)
    assert set(order[:2]) == {"RMSprop", "Adam"}
    assert order[-2:] == ["Adagrad", "SGD"]
    assert usual["SGD"] > 2 * usual.iloc[1]


@claim(
    "Momentum brings SGD's loss down to less than two thirds, and Nesterov ends within 0.02 of it.",
)
def test_momentum_helps(six):
    """0.48 to 0.52 of it; Nesterov within 0.001."""
    momentum = six["momentum", "usual"]
    assert momentum < six["SGD", "usual"] * 2 / 3
    assert abs(six["Nesterov", "usual"] - momentum) < 0.02


@claim(
    "At rates that were found, SGD, momentum and Adam end within 0.05 of one another.",
)
def test_found_rates_level_the_ranking(six):
    """SGD 0.12 to 0.14, momentum 0.10 to 0.11, Adam 0.10 to 0.11; within 0.016 to 0.033."""
    found = six.xs("found", level="kind")
    assert found.max() - found.min() < 0.05
    assert found.max() < six["momentum", "usual"]


# --- 7. Schedules --------------------------------------------------------------------


@claim(
    "At a constant 0.01 the training loss goes on falling, while the validation loss is lowest "
    "before the last epoch and ends higher.",
)
def test_constant_rate_overfits(schedules):
    """Lowest after epoch 1 or 2; ends 1.2 to 1.5 times as high."""
    curves = schedules["constant"]
    assert (np.diff(curves["loss"]) < 0).all()
    assert curves["val_loss"].idxmin() < 6
    assert curves["val_loss"][6] > curves["val_loss"].min()


@claim(
    "With the staircase both losses end lower, the validation loss by more than a quarter.",
)
def test_staircase_ends_lower(schedules):
    """Training 0.40 to 0.47 of it, validation 0.45 to 0.50."""
    last, constant = schedules["staircase"].loc[6], schedules["constant"].loc[6]
    assert last["loss"] < constant["loss"]
    assert last["val_loss"] < 0.75 * constant["val_loss"]


@claim("ReduceLROnPlateau lowers the rate at least once, and both end lower too.")
def test_plateau_lowers_the_rate(schedules):
    """Once or twice, to 0.002 or 0.0004; training 0.34 to 0.40 of it, validation 0.48 to 0.58."""
    curves, constant = schedules["plateau"], schedules["constant"]
    assert curves["learning_rate"][1] == pytest.approx(0.01)
    assert curves["learning_rate"][6] < 0.0021
    assert curves["loss"][6] < constant["loss"][6]
    assert curves["val_loss"][6] < constant["val_loss"][6]


@claim("The lower rate from section 3 also ends with a lower validation loss.")
def test_lower_constant_rate_ends_lower(schedules):
    """0.49 to 0.56 of it at 0.001, 0.53 to 0.69 of it at 0.003."""
    curves = schedules["chosen"]
    assert list(curves.index) == [1, 2, 3, 4, 5, 6]
    assert curves["val_loss"][6] < schedules["constant"]["val_loss"][6]


# --- 9. When the loss does not fall --------------------------------------------------


@claim(
    "After 60 steps of Adam the loss of the twenty images is below 0.15, and all twenty are named "
    "right.",
)
def test_twenty_images_are_learned_by_heart():
    """0.006 to 0.007, all twenty."""
    last = history("history_twenty").loc[60]
    assert last["loss"] < 0.15
    assert last["accuracy"] == 1
