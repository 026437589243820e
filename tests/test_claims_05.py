"""Claims of notebook 05, Learning rate, batch size, optimizers.

Spreads: seeds 1 to 5, on two cores with TensorFlow. The bounds are wider.
"""

import keras
import numpy as np
import pytest

from claims import claim, history, model, reason, seen_on_tensorflow, table, value
from lesson import load_mnist
from notebook_files import NOTEBOOKS, code, read

(NOTEBOOK,) = (path for path in NOTEBOOKS if path.name.startswith("05-"))
(IMAGES, DIGITS), _ = load_mnist()
TRAIN_IMAGES = IMAGES[:2000].reshape(-1, 784).astype("float32") / 255
TRAIN_DIGITS = DIGITS[:2000]
VAL_IMAGES = IMAGES[48_000:].reshape(-1, 784).astype("float32") / 255
VAL_DIGITS = DIGITS[48_000:]
LN_10 = float(np.log(10))
SIX = ["SGD", "momentum", "Nesterov", "Adagrad", "RMSprop", "Adam"]

# The problem of sections 2, 4, 5 and 7: a pixel from its neighbours.
PIXELS = IMAGES[:2000].astype("float64") / 255
PIXEL, LEFT, ABOVE = PIXELS[:, 14, 14], PIXELS[:, 14, 13], PIXELS[:, 13, 14]
NEIGHBOURS = np.column_stack([LEFT, ABOVE])
STRETCHED = NEIGHBOURS * [1, 0.1]


def loss_2(weights, inputs=NEIGHBOURS):
    return np.mean((inputs @ weights - PIXEL) ** 2)


def gradient_2(weights, rows=slice(None), inputs=NEIGHBOURS):
    errors = inputs[rows] @ weights - PIXEL[rows]
    return 2 * inputs[rows].T @ errors / len(errors)


def best(inputs=NEIGHBOURS):
    return np.linalg.lstsq(inputs, PIXEL, rcond=None)[0]


def descend(rate, beta, inputs):
    """The weights after each step until the loss is within one percent of the lowest."""
    weights, velocity, path = np.zeros(2), np.zeros(2), [np.zeros(2)]
    while loss_2(weights, inputs) > 1.01 * loss_2(best(inputs), inputs):
        velocity = beta * velocity - rate * gradient_2(weights, inputs=inputs)
        weights = weights + velocity
        path.append(weights)
    return np.array(path)


# Computed by test_probabilities_that_are_cut_off_have_no_slope.
CUT_OFF = "JAX, PyTorch: probabilities are cut off in `fit`; a loss of 14.5, 20 to 50 units dead"


def network():
    keras.utils.set_random_seed(5)
    return keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def compiled(optimizer):
    fresh = network()
    fresh.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return fresh


def size(network):
    return float(np.abs(network.get_weights()[0]).mean())


def dead(network):
    """Whether each unit of the first layer gives 0 for every validation image."""
    kernel, bias = network.get_weights()[:2]
    return (VAL_IMAGES @ kernel + bias).max(axis=0) <= 0


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
    losses = table("optimizer_finder").set_index("rate")
    assert set(losses.columns) == set(SIX)
    np.testing.assert_allclose(losses.index, np.logspace(-3.5, 0.5, 9))
    return losses


@pytest.fixture(scope="module")
def batches():
    """Losses by rate, a column for each batch size."""
    losses = table("optimizer_batches").set_index("rate")
    losses.columns = losses.columns.astype(int)
    assert list(losses.columns) == [32, 128, 512, 2048]
    assert list(losses.index) == [0.1, 0.4, 0.8, 1.6]
    return losses


@pytest.fixture(scope="module")
def six(finder):
    """For each optimizer its loss at Keras's default rate, its best rate, its loss there."""
    default = {}
    for name in SIX:
        rate = 0.01 if name in ("SGD", "momentum", "Nesterov") else 0.001
        (default[name],) = finder[name][np.isclose(finder.index, rate)]
    return {name: (default[name], finder[name].idxmin(), finder[name].min()) for name in SIX}


@pytest.fixture(scope="module")
def schedules():
    """Histories by how the rate changed."""
    names = {"constant": "good"} | {name: name for name in ("staircase", "plateau", "chosen")}
    return {kind: history(f"history_rate_{name}") for kind, name in names.items()}


@pytest.fixture(scope="module")
def twenty():
    rows = table("optimizer_twenty").set_index("rate")
    assert list(rows.index) == [0.001, 0.1, 10.0]
    return rows


@reason("In Keras momentum is a setting of SGD, and 0 unless you say so.")
@reason("β₁, β₂ and ε are hardly ever changed from [Keras's defaults]")
def test_defaults_are_what_the_prose_says():
    optimizers = keras.optimizers
    expected = {
        optimizers.SGD: {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
        optimizers.RMSprop: {"learning_rate": 0.001, "rho": 0.9},
        optimizers.Adagrad: {"learning_rate": 0.001},
        optimizers.Adam: {
            "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
        },
    }  # fmt: skip
    for kind, values in expected.items():
        config = kind().get_config()
        for name, number in values.items():
            assert config[name] == pytest.approx(number), kind


@reason("it cannot change one that a schedule decides")
def test_plateau_cannot_change_a_schedule():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10)), "mse")
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=100)
    with pytest.raises(TypeError, match="not settable"):
        network.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=3, verbose=0, callbacks=[plateau])


# --- 1. One number -------------------------------------------------------------------


@reason("In `fit`, on TensorFlow, Keras computes this loss from what goes into the softmax")
@reason("it cuts off small probabilities in `fit` as well, and their slopes with them")
@reason("the same fit stays at 14.5, and most units live.")
def test_probabilities_that_are_cut_off_have_no_slope():
    """Three backends: 14.4 to 14.6, 19 to 26 dead of 128; from logits 288 to 406, 111 to 118."""
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def cut_off(digits, outputs):
        digits = keras.ops.one_hot(keras.ops.reshape(digits, (-1,)), 10)
        likely = keras.ops.clip(keras.ops.softmax(outputs), 1e-7, 1)
        return -keras.ops.sum(digits * keras.ops.log(likely), axis=-1)

    images = IMAGES[:25_600].reshape(-1, 784).astype("float32") / 255
    ends = {}
    for name, loss in {"logits": logits, "cut off": cut_off}.items():
        fresh = network()
        fresh.layers[-1].activation = keras.activations.linear
        fresh.compile(keras.optimizers.RMSprop(1.0), loss)
        fit = fresh.fit(images, DIGITS[:25_600], batch_size=128, verbose=0)
        ends[name] = fit.history["loss"][0], dead(fresh).sum()
    assert ends["logits"][0] > 100
    assert ends["logits"][1] > 100
    assert ends["cut off"][0] == pytest.approx(14.5, abs=0.3)  # nine of ten images at 16.1
    assert ends["cut off"][1] < 90
    ours = compiled(keras.optimizers.RMSprop(1.0))
    loss = ours.fit(images, DIGITS[:25_600], batch_size=128, verbose=0).history["loss"][0]
    as_here = "logits" if keras.config.backend() == "tensorflow" else "cut off"
    assert loss == pytest.approx(ends[as_here][0], rel=0.05)


@seen_on_tensorflow(CUT_OFF)
@claim(
    "At 1.0 the training loss of the first epoch is 173 (143 to 223 over five seeds), far worse "
    "than knowing nothing.",
)
def test_high_rate_is_worse_than_nothing():
    """143 to 223."""
    assert 20 < history("history_rate_high")["loss"][1] < 600


@seen_on_tensorflow(CUT_OFF)
@claim(
    "After six epochs that model classifies 10% of the validation images correctly (10 to 17% over "
    "five seeds), and more than 120 of its 128 units are dead."
)
def test_high_rate_fails():
    """10 to 17%; 125 or 126 of 128 dead."""
    assert history("history_rate_high")["val_accuracy"][6] < 0.30
    assert dead(model("model_rate_high")).sum() > 115


@claim("Its weights have become more than ten times as large as at the start.")
def test_high_rate_throws_the_weights():
    """1.8 to 2.0, where they were 0.04."""
    assert size(model("model_rate_high")) > 10 * size(network())


@claim(
    "At 0.01 the same network classifies 97% correctly. It too has dead units, 27 (23 to 29 over "
    "five seeds): some can be spared."
)
def test_good_rate_works():
    """0.966 to 0.969; 23 to 29 dead, none at the start."""
    assert history("history_rate_good")["val_accuracy"][6] > 0.955
    assert 8 <= dead(model("model_rate_good")).sum() <= 50
    assert not dead(network()).any()


@reason(
    "The first steps were so long that they threw the weights far past any place where the loss is "
    "low, and dead units cannot come back."
)
@reason(
    "A ReLU unit that gives 0 for every image has a slope of 0 as well, and no step can wake it"
)
@reason("Too low: the loss creeps. Too high: it jumps about, diverges, or leaves dead units behind")
def test_first_steps_are_too_long_and_dead_units_stay_dead():
    """After the first step at 1.0 the loss is 200 to 500; at 0.01 it is below 3."""
    losses = {}
    for rate in (0.01, 1.0):
        fresh = compiled(keras.optimizers.RMSprop(rate))
        fresh.train_on_batch(TRAIN_IMAGES[:128], TRAIN_DIGITS[:128])
        losses[rate] = fresh.evaluate(VAL_IMAGES, VAL_DIGITS, batch_size=4000, verbose=0)[0]
    assert losses[1.0] > 5 * LN_10 > losses[0.01]
    ruined = model("model_rate_high")
    ruined.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    before, was_dead = ruined.get_weights()[0], dead(ruined)
    ruined.fit(VAL_IMAGES, VAL_DIGITS, batch_size=128, verbose=0)
    assert was_dead.any()
    np.testing.assert_array_equal(ruined.get_weights()[0][:, was_dead], before[:, was_dead])


# --- 2. Down one slope ---------------------------------------------------------------


@reason("the weight **[converges](glossary.md#convergence)**, it comes ever closer to one value")
@reason("**Too high:** each step lands higher, where it is steeper, and the next is longer still.")
@reason(
    "A step at a rate of 1 / curvature lands exactly at the bottom; at twice that rate, on the "
    "other side at the same height"
)
@reason("**Too low:** always downhill, and still on the way.")
@reason(
    "each step leaps over the bottom, but lands lower than the last: it *overshoots*, and still"
)
def test_rates_on_a_parabola():
    curvature, lowest = np.mean(2 * LEFT**2), np.mean(LEFT * PIXEL) / np.mean(LEFT**2)

    def path(rate):
        weights = [0.0]
        for _ in range(10):
            weights.append(weights[-1] - rate * np.mean(2 * LEFT * (weights[-1] * LEFT - PIXEL)))
        return np.array(weights) - lowest

    assert path(1 / curvature)[1] == pytest.approx(0, abs=1e-9)
    assert path(2 / curvature)[1] == pytest.approx(lowest)
    assert (np.diff(np.abs(path(1.0))) <= 0).all()
    assert np.abs(path(1.0))[4] < 0.01
    assert (np.diff(path(0.1)) > 0).all()
    assert path(0.1)[-1] < -0.3
    high, too_high = path(2.2), path(2.6)
    assert (np.sign(high[1:]) != np.sign(high[:-1])).all()
    assert (np.diff(np.abs(high)) < 0).all()
    assert (np.diff(np.abs(np.diff(too_high))) > 0).all()  # longer and longer steps


# --- 3. The finder -------------------------------------------------------------------


@claim(
    "Each curve is a valley. RMSprop is lowest at 0.01 here (0.003 or 0.01 over five seeds), SGD "
    "at 1.0 with every seed.",
)
def test_curves_are_valleys(finder):
    """RMSprop lowest, 0.18 to 0.22; SGD, 0.22 to 0.25."""
    for losses in (finder["RMSprop"], finder["SGD"]):
        place = int(np.nanargmin(losses))
        left, right = losses.iloc[: place + 1], losses.iloc[place:]
        assert (np.diff(left) < 0.02).all()
        assert right.iloc[-1] > right.iloc[0] + 1.2
        assert losses.min() < 0.35
    assert 0.002 < finder["RMSprop"].idxmin() < 0.02
    assert 0.2 < finder["SGD"].idxmin() < 2


@claim(
    "At 0.0003 RMSprop has about twice its lowest loss, and SGD has learned next to nothing.",
)
def test_left_ends_are_high(finder):
    """RMSprop 1.7 to 2.2 times its lowest; SGD 2.24 to 2.33."""
    assert 1.4 < finder["RMSprop"].iloc[0] / finder["RMSprop"].min() < 2.8
    assert LN_10 - 0.2 < finder["SGD"].iloc[0] < LN_10 + 0.2


@seen_on_tensorflow(CUT_OFF)
@claim(
    "At 3 neither does much better than knowing nothing: RMSprop's loss is 3.8 (3.1 to "
    "13 over five seeds), SGD's 2.3 (2.0 to 2.3).",
)
def test_right_ends_are_high(finder):
    """RMSprop 3.1 to 13, SGD 2.04 to 2.31."""
    assert not finder["RMSprop"].iloc[-1] < 2.6
    assert 1.5 < finder["SGD"].iloc[-1] < LN_10 + 0.3


@seen_on_tensorflow(CUT_OFF)
@reason(
    "A rate that is somewhat too low only makes the way longer; one that is much too high never "
    "arrives."
)
@reason("left of the floor the loss climbs slowly (0.27 at a tenth of the rate here), right of it")
def test_a_low_rate_is_slower_and_a_high_one_never_arrives(finder):
    """SGD at 0.1, a tenth of its best rate: 0.35 to 0.36 after 200 steps, 0.30 after 375."""
    at = finder["RMSprop"].set_axis(finder.index.to_series().round(4))
    assert at[0.001] == pytest.approx(0.27, abs=0.04)
    assert at[0.1] == pytest.approx(0.62, abs=0.25)
    low = finder["SGD"].iloc[5]
    assert finder.index[5] == pytest.approx(0.1)
    assert table("optimizer_batches").set_index("rate")["128"][0.1] < low - 0.02
    assert not history("history_rate_high")["val_loss"].min() < 0.8 * LN_10
    for name in ("RMSprop", "SGD"):
        assert not finder[name].iloc[-1] < LN_10 - 0.6


@seen_on_tensorflow(CUT_OFF)
@reason("Well beyond it SGD does not diverge as on the parabola. It stands still.")
def test_beyond_the_cliff_units_are_dead():
    """126 or 127 of 128 dead after 200 steps of SGD at 10; a loss of 2.31 to 2.37."""
    fresh = compiled(keras.optimizers.SGD(10.0))
    images = IMAGES[:12_800].reshape(-1, 784).astype("float32") / 255
    fresh.fit(images, DIGITS[:12_800], batch_size=128, verbose=0)
    loss = fresh.evaluate(VAL_IMAGES, VAL_DIGITS, batch_size=4000, verbose=0)[0]
    assert dead(fresh).sum() > 110
    assert abs(loss - LN_10) < 0.4


# --- 4. Batches ----------------------------------------------------------------------


@reason("each step goes down the slope of *one* example")
@reason("It gets into the valley after very few examples, but never comes to rest there.")
@reason("The batch path goes straight down the steep side, then creeps along the floor.")
def test_three_paths():
    """The last ten steps of the stochastic path are twenty times those of the batch path."""
    steps, ends = {}, {}
    for count in (2000, 32, 1):
        rng, weights, path = np.random.default_rng(5), np.zeros(2), []
        for _ in range(60):
            rows = rng.choice(2000, count, replace=False)
            weights = weights - 0.2 * gradient_2(weights, rows)
            path.append(weights)
        steps[count] = np.abs(np.diff(path[-10:], axis=0)).mean()
        ends[count] = loss_2(weights)
    assert loss_2(np.zeros(2)) > 0.4 > 0.1 > max(ends.values())
    assert steps[1] > 5 * steps[2000]
    assert ends[2000] < ends[1]


@reason("it falls with the *root* of the batch size")
@reason("So the steps are wrong one by one, and right on average.")
@reason("Sixteen times the examples bring a quarter of the scatter")
@reason("The slope of a batch of n examples has 1/√n of the scatter.")
def test_scatter_of_slopes():
    rng, exact = np.random.default_rng(5), gradient_2(np.zeros(2))[0]
    scatter = []
    for count in (1, 16, 256):
        slopes = [gradient_2(np.zeros(2), rng.integers(2000, size=count))[0] for _ in range(1000)]
        assert np.mean(slopes) == pytest.approx(exact, abs=0.08)
        scatter.append(np.std(slopes))
    assert scatter[0] / scatter[1] == pytest.approx(4, abs=0.6)
    assert scatter[1] / scatter[2] == pytest.approx(4, abs=0.6)


@claim(
    "At the same low rate, the larger the batch, the higher the loss: at 0.1 it is 0.19, 0.30, "
    "0.46 and 1.01.",
)
@reason("a larger batch makes fewer steps of it, and each has to go further")
def test_larger_batches_get_less_far(batches):
    """0.19 to 0.20, 0.29 to 0.30, 0.45 to 0.46, 0.95 to 1.01."""
    losses = batches.loc[0.1]
    assert (np.diff(losses) > 0.03).all()
    np.testing.assert_allclose(losses, [0.19, 0.30, 0.46, 1.01], rtol=0.12)


@claim(
    "Four times the batch *and* four times the rate give nearly the same loss: 0.19 and 0.20, 0.30 "
    "and 0.31."
)
@claim("Not for ever: from 512 to 2,048 it rises from 0.46 to 0.50 (0.48 to 0.61 over five seeds).")
@reason("More examples a step, a higher rate in proportion: that is the **[linear scaling rule]")
@reason("A larger batch takes a higher rate in proportion, up to a limit.")
def test_linear_scaling(batches):
    """0.19 to 0.20, 0.18 to 0.20; 0.29 to 0.30, 0.30 to 0.31; 0.45 to 0.46, 0.48 to 0.61."""
    for small, large in ((32, 128), (128, 512)):
        assert batches[large][0.4] == pytest.approx(batches[small][0.1], rel=0.15)
    assert batches[512][0.1] < batches[2048][0.4] < 0.75


@seen_on_tensorflow(CUT_OFF)
@claim("At 1.6 all four sizes are past the cliff, with losses above 1.1 with every seed.")
@reason("But a calmer slope does not let a rate be higher here: with 2,048 the loss is up already")
def test_the_cliff_stays(batches):
    """1.1 to 2.1, for 2,048 as for 32; at 0.4 0.14 to 0.61."""
    assert (batches.loc[0.4] < 0.75).all()
    assert not (batches.loc[1.6] < 0.85).any()
    assert not batches[2048][0.8] < batches[2048][0.4]
    assert (batches.loc[0.8, [32, 128]] < 0.5).all()


# --- 5. Momentum ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def valley():
    """The two paths, as distances from the lowest point: along the valley, across it."""
    _, directions = np.linalg.eigh(2 * STRETCHED.T @ STRETCHED / len(PIXEL))
    return {
        name: np.abs((descend(2.0, beta, STRETCHED) - best(STRETCHED)) @ directions)
        for name, beta in {"walker": 0, "ball": 0.9}.items()
    }


@reason("The rate must suit the steep direction, where it diverges above 2.45")
@reason(
    "the walker's swings shrink to 0.63 of themselves in each step and are gone after ten, the "
    "ball's only to about 0.95 (in theory √β), and it is still swinging when the loss is within one"
)
@reason("Across the valley the ball is the *slower* one")
@reason("across it, swings last longer")
@reason("Then its weight must be ten times as large, and the slope in it is a tenth.")
def test_across_the_valley_the_ball_is_slower(valley):
    """Walker 0.63 a step, 0.01 of the first swing left after ten; ball 0.23 left at step 30."""
    across = {name: path[:, 1] for name, path in valley.items()}
    curvature = np.linalg.eigvalsh(2 * STRETCHED.T @ STRETCHED / len(PIXEL))[1]
    assert 2 / curvature == pytest.approx(2.45, abs=0.005)
    np.testing.assert_allclose(best(STRETCHED), best() * [1, 10])
    slopes = [gradient_2(np.zeros(2), inputs=inputs)[1] for inputs in (NEIGHBOURS, STRETCHED)]
    assert slopes[1] == pytest.approx(slopes[0] / 10)
    np.testing.assert_allclose(across["walker"][1:8] / across["walker"][:7], 0.63, atol=0.005)
    assert across["walker"][10] < 0.011 * across["walker"][0]
    peaks = np.array([across["ball"][k : k + 6].max() for k in (0, 15, 30)])
    np.testing.assert_allclose(peaks[1:] / peaks[:-1], 0.9**7.5, rtol=0.25)
    assert across["ball"][-6:].max() > 0.1


@reason(
    "There all slopes point the same way and add up in its velocity: with β = 0.9 to 1 + 0.9 + "
    "0.81 + … = 10 times a single step."
)
@reason("So 342 steps became 38.")
@reason("It wins along the valley.")
@reason("Along a valley steps add up to ten times as long")
def test_along_the_valley_the_ball_is_faster(valley):
    along = {name: path[:, 0] for name, path in valley.items()}
    assert (len(along["walker"]) - 1, len(along["ball"]) - 1) == (342, 38)
    velocity = 0.0
    for _ in range(100):
        velocity = 0.9 * velocity + 1
    assert velocity == pytest.approx(10, abs=0.01)
    assert (np.diff(along["walker"]) < 0).all()
    assert along["walker"][38] > 2 * along["ball"][38]


@reason("Scaling the inputs turns the valley back into a bowl, one good reason to scale them")
def test_scaled_inputs_make_a_bowl():
    """Ten steps at a rate of 1.0; at 2.0, beyond the limit of this bowl, it never arrives."""
    assert len(descend(1.0, 0, NEIGHBOURS)) - 1 == 10
    steepest = np.linalg.eigvalsh(2 * NEIGHBOURS.T @ NEIGHBOURS / len(PIXEL)).max()
    assert 2 / steepest == pytest.approx(1.35, abs=0.005)
    assert len(descend(1.0, 0, STRETCHED)) - 1 == 684


@reason("which takes the slope where the velocity is about to carry the weight, w + βv")
def test_nesterov_looks_ahead():
    """Keras keeps the look-ahead point w + βv as the weight."""
    variable = keras.Variable(2.0)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    weight, velocity = 2.0, 0.0
    for _ in range(6):
        velocity = 0.9 * velocity - 0.1 * 2 * (weight + 0.9 * velocity)
        weight += velocity
        optimizer.apply([2 * variable], [variable])
        assert value(variable) == pytest.approx(weight + 0.9 * velocity, abs=1e-4)


# --- 6. Six optimizers ---------------------------------------------------------------


@reason("That sum only grows, so the steps only get shorter.")
@reason("a *running mean* of squared slopes, which forgets: each new one counts for a tenth")
def test_adagrad_only_shortens_and_rmsprop_forgets():
    """A steep stretch, then a flat one, by the length of the steps at the same slope of 1."""
    lengths = {}
    for kind in (keras.optimizers.Adagrad, keras.optimizers.RMSprop):
        variable, optimizer, moved = keras.Variable(0.0), kind(0.1), []
        for slope in [1.0] * 40 + [10.0] * 5 + [1.0] * 100:
            before = value(variable)
            optimizer.apply([keras.ops.convert_to_tensor(slope)], [variable])
            moved.append(before - value(variable))
        lengths[kind.__name__] = np.array(moved)
    flat = [*range(1, 40), *range(45, 145)]
    assert (np.diff(lengths["Adagrad"][flat]) < 1e-6).all()
    assert lengths["RMSprop"][45] < 0.5 * lengths["RMSprop"][39] < 0.6 * lengths["RMSprop"][-1]


@reason("The steepness has gone: slope divided by size of slope leaves the sign.")
@reason("**the learning rate is about how far a weight goes in one step**")
@reason("the first squared slope counts for a tenth, and 1/√0.1 = 3.16")
@reason("Steps of up to 3.16 are what threw them so far in section 1")
@reason("RMSprop's first step is the longest: its running mean begins at 0")
@reason("why adaptive optimizers want rates such as 0.001")
def test_first_steps_forget_the_steepness():
    """RMSprop at 1.0 moves weights of 0.04 by up to 3.16, half of them by more than 2.7."""
    for kind, length in ((keras.optimizers.RMSprop, 3.16), (keras.optimizers.Adam, 1.0)):
        for steepness in (1, 100):
            variable = keras.Variable(2.0)
            kind(1.0).apply([steepness * 2 * variable], [variable])
            assert 2.0 - value(variable) == pytest.approx(length, abs=0.01)
    rng, variable, adam = np.random.default_rng(5), keras.Variable(0.0), keras.optimizers.Adam(0.1)
    for slope in rng.normal(size=300):  # of either sign: steps below the rate
        before = value(variable)
        adam.apply([keras.ops.convert_to_tensor(float(slope))], [variable])
        assert abs(value(variable) - before) < 0.11
    fresh = compiled(keras.optimizers.RMSprop(1.0))
    before = fresh.get_weights()[0]
    assert np.abs(before).mean() == pytest.approx(0.04, abs=0.005)
    fresh.train_on_batch(TRAIN_IMAGES[:128], TRAIN_DIGITS[:128])
    moved = np.abs(fresh.get_weights()[0] - before)
    assert moved.max() == pytest.approx(3.16, abs=0.01)
    assert np.median(moved[moved > 0.01]) > 1  # least where a slope is as small as epsilon


@reason(
    "both begin at 0 and are too small at first, so each is divided by the share of it that real "
    "slopes have filled by now, 1 − β after one step, 1 − β² after two"
)
@reason("by the root of a running mean of their squares (β₂ = 0.999")
def test_adams_correction():
    """A running mean of equal slopes, corrected, is that slope from the first step on."""
    for beta in (0.9, 0.999):
        mean = 0.0
        for step in range(1, 6):
            mean = beta * mean + (1 - beta) * 3.0
            assert mean < 3.0 * (1 - beta**5) + 1e-9
            assert mean / (1 - beta**step) == pytest.approx(3.0)


@claim(
    "At their default rates the six are far apart: from 0.26 for Adam to 1.89 for Adagrad, with "
    "SGD at 1.13. RMSprop and Adam have the two lowest losses.",
)
def test_defaults_are_far_apart(six):
    """RMSprop 0.27 to 0.28, Adam 0.26 to 0.28, momentum and Nesterov 0.35 to 0.36, SGD 1.06 to
    1.13, Adagrad 1.78 to 1.89."""
    losses = {name: default for name, (default, _, _) in six.items()}
    order = sorted(losses, key=losses.get)
    assert set(order[:2]) == {"RMSprop", "Adam"}
    assert order[-2:] == ["SGD", "Adagrad"]
    assert losses["Adam"] < 0.32 < 0.9 < losses["SGD"] < 1.3 < 1.6 < losses["Adagrad"] < 2.1


@claim(
    "At the best rate of each they are between 0.16 and 0.22 (0.15 to 0.25 over five seeds).",
)
@reason("What looked like better optimizers was mostly better rates")
@reason(
    "RMSprop and Adam divide by the usual size of each weight's slopes. Compare optimizers at "
    "rates found in the same way."
)
def test_best_rates_level_the_ranking(six):
    """Nesterov and Adam 0.15 to 0.19, momentum 0.18 to 0.20, RMSprop and Adagrad 0.18 to 0.22,
    SGD 0.22 to 0.25."""
    losses = [best for _, _, best in six.values()]
    assert 0.13 < min(losses) < max(losses) < 0.29


@claim(
    "Momentum's valley is SGD's, one factor of ten to the left: up to a rate of 0.03 its loss is "
    "within 10% of SGD's at ten times the rate.",
)
@reason("Momentum adds up to ten steps in one; here that is most of what it does.")
def test_momentum_is_ten_times_the_rate(finder):
    """Within 2 to 7%; lowest at 0.1, where SGD is at 1.0, with every seed."""
    momentum, sgd = finder["momentum"].to_numpy(), finder["SGD"].to_numpy()
    np.testing.assert_allclose(momentum[:5], sgd[2:7], rtol=0.13)
    assert 0.02 < finder["momentum"].idxmin() < 0.5


@reason("RMSprop and Adam offer less trouble: by default their loss is 1.2 to 1.7 times their best")
def test_default_of_adaptive_optimizers_is_near_their_best(six):
    """1.2 to 1.7 times the best loss; SGD 4.3 to 5.1 times."""
    ratio = {name: default / best for name, (default, _, best) in six.items()}
    assert max(ratio["RMSprop"], ratio["Adam"]) < 2 < 3 < ratio["SGD"]


# --- 7. Weights that cannot settle ---------------------------------------------------


@pytest.fixture(scope="module")
def walks():
    """The loss above the lowest for three plans, a mean over a hundred random orders."""
    plans = {"long": np.full(200, 0.2), "short": np.full(200, 0.02),
             "falling": 0.1 * (1 + np.cos(np.pi * np.arange(200) / 200))}  # fmt: skip
    above = {}
    for name, plan in plans.items():
        losses = np.zeros((100, 200))
        for seed in range(100):
            rng, weights = np.random.default_rng(seed), np.zeros(2)
            for step, rate in enumerate(plan):
                weights = weights - rate * gradient_2(weights, rng.integers(2000, size=1))
                losses[seed, step] = loss_2(weights)
        above[name] = losses.mean(axis=0) - loss_2(best())
    return above


@reason("A falling rate gets down with the long steps and settles with the short ones.")
@reason("long steps get down fast, but may not settle")
def test_a_falling_rate_has_both(walks):
    """After 50 steps 0.008 to 0.012, 0.023 to 0.028, 0.007 to 0.010; after 200 steps 0.008 to
    0.013, 0.003, 0.0012 to 0.0014: five times a hundred orders."""
    at_50, at_200 = ({name: losses[k] for name, losses in walks.items()} for k in (49, 199))
    assert max(at_50["long"], at_50["falling"]) < 0.7 * at_50["short"]
    assert at_200["falling"] < 0.7 * at_200["short"] < 0.5 * at_200["long"]


@reason(
    "At the lowest point the mean of the slopes is 0, but the slope of a single example is not: at "
    "a constant rate the weights are pushed about there for ever, by rate × such a slope."
)
def test_single_slopes_are_not_zero_at_the_lowest_point():
    """Their scatter is 0.24 and 0.28; a walk that begins at the lowest point leaves it."""
    slopes = np.array([gradient_2(best(), [row]) for row in range(2000)])
    np.testing.assert_allclose(slopes.mean(axis=0), 0, atol=1e-9)
    assert (slopes.std(axis=0) > 0.15).all()
    rng, weights = np.random.default_rng(5), best()
    for _ in range(200):
        weights = weights - 0.2 * gradient_2(weights, rng.integers(2000, size=1))
    assert np.abs(weights - best()).max() > 0.01


@reason("A schedule counts steps, and knows nothing of epochs or images.")
@reason("multiplies the rate by `decay_rate` every `decay_steps` steps")
@reason(
    "With `decay_steps=1`, meant as one epoch, the rate would have been halved 375 times in the "
    "first."
)
def test_exponential_decay():
    kind = keras.optimizers.schedules.ExponentialDecay
    smooth, stairs = (kind(0.01, 375, 0.5, staircase=flag) for flag in (False, True))
    assert value(smooth(375)) == pytest.approx(0.005)
    assert value(smooth(100)) < 0.0099 < value(stairs(374)) == pytest.approx(0.01)
    assert value(stairs(375)) == pytest.approx(0.005)
    assert value(kind(1.0, 1, 0.5, staircase=True)(20)) == pytest.approx(0.5**20)


@reason("A **[warm-up](glossary.md#warm-up)** begins low and rises")
def test_warm_up():
    decay = keras.optimizers.schedules.CosineDecay
    rates = [value(decay(0.0, 1875, warmup_target=0.01, warmup_steps=375)(k * 375))
             for k in range(7)]  # fmt: skip
    assert rates[0] == 0 < rates[1] == pytest.approx(0.01)
    assert (np.diff(rates[1:]) < 0).all()


@claim(
    "At a constant 0.01 the validation loss is lowest in the first half of the epochs, and ends "
    "higher, at 0.16 (0.16 to 0.21 over five seeds)."
)
def test_constant_rate_turns(schedules):
    """Lowest after epoch 1, 2 or 3; ends 1.15 to 1.5 times as high."""
    curves = schedules["constant"]
    assert curves["val_loss"].idxmin() <= 3
    assert curves["val_loss"][6] > 1.05 * curves["val_loss"].min()
    assert 0.13 < curves["val_loss"][6] < 0.28


@claim(
    "Its *training* loss ends highest too: at 0.062 (0.055 to 0.062), against less than 0.03 with "
    "the staircase and with the callback."
)
@reason(
    "a network that only overfits is *good* on what it learns from, and this one is the worst "
    "there too"
)
@reason(
    "So before you fight overfitting, see whether a lower rate brings the *training* loss down."
)
@reason("Weights that cannot settle show in the *training* loss: let the rate fall.")
def test_constant_rate_is_worst_on_training_images(schedules):
    """Staircase 0.024 to 0.028, callback 0.018 to 0.024, a rate of 0.003 0.033."""
    ends = {kind: curves["loss"][6] for kind, curves in schedules.items()}
    assert 0.045 < ends["constant"] < 0.08
    assert max(ends["staircase"], ends["plateau"]) < 0.036
    assert ends["chosen"] < ends["constant"]
    assert (np.diff(schedules["constant"]["loss"]) < 0).all()


@claim(
    "In the epoch after the callback has first lowered the rate, both losses drop: the training "
    "loss to less than 0.6 of what it was, the validation loss by more than a fifth.",
)
@reason("the steps are too long, and as soon as they are shortened, both losses drop")
@reason("it multiplies the rate by `factor`")
def test_both_losses_drop_with_the_rate(schedules):
    """Training 0.39 to 0.42 of it, validation 0.58 to 0.75."""
    curves = schedules["plateau"]
    rates = curves["learning_rate"]
    assert rates[1] == pytest.approx(0.01)
    first = next(epoch for epoch in rates.index if rates[epoch] < 0.009)
    assert rates[first] == pytest.approx(0.002)
    assert curves["loss"][first] < 0.6 * curves["loss"][first - 1]
    assert curves["val_loss"][first] < 0.87 * curves["val_loss"][first - 1]


@seen_on_tensorflow("PyTorch: 0.0745, with orders of its own")
@claim(
    "The staircase ends with the lowest validation loss, 0.088 (0.088 to 0.090 over five seeds)."
)
def test_staircase_ends_lower(schedules):
    """0.43 to 0.54 of it."""
    ends = {kind: curves["val_loss"][6] for kind, curves in schedules.items()}
    assert 0.075 < ends["staircase"] < 0.105
    assert ends["staircase"] < 0.75 * ends["constant"]
    assert ends["plateau"] < ends["constant"]
    assert min(ends, key=ends.get) == "staircase"


# --- 8. When the loss does not fall --------------------------------------------------


@reason("| `nan`, or a loss that grows from step to step | the rate is far too high")
@reason("`clipnorm=1.0` in the optimizer shortens every gradient longer than 1")
def test_clipping_shortens_long_gradients():
    for slopes, length in ((np.array([3.0, 4.0]), 1.0), (np.array([0.3, 0.4]), 0.5)):
        variable = keras.Variable(np.zeros(2))
        optimizer = keras.optimizers.SGD(1.0, clipnorm=1.0)
        optimizer.apply([keras.ops.convert_to_tensor(slopes, "float32")], [variable])
        moved = keras.ops.convert_to_numpy(variable)
        assert np.linalg.norm(moved) == pytest.approx(length, abs=1e-4)
        np.testing.assert_allclose(-moved / length, slopes / np.linalg.norm(slopes), atol=1e-4)


@seen_on_tensorflow(CUT_OFF)
@reason("| the rate is too high, and units are dead | a tenth of the rate, and a *new* model")
@reason("| the rate is far too low, or far too high; labels and images")
@reason(
    "| it falls, evenly, and much too slowly | the rate is too low | ten times the rate; momentum, "
    "or Adam |"
)
def test_rows_on_the_rate(finder):
    """Section 1's fit at 1.0; both ends of SGD's valley; its left slope."""
    assert history("history_rate_high")["loss"].iloc[-1] > LN_10
    assert dead(model("model_rate_high")).sum() > 64
    for end in (0, -1):
        assert abs(finder["SGD"].iloc[end] - LN_10) < 0.3
    for rate in (0.001, 0.0031622776601683794):
        slow = finder.index[np.isclose(finder.index, rate)][0]
        faster = finder.index[np.isclose(finder.index, rate * 10)][0]
        assert finder["SGD"][faster] < 0.8 * finder["SGD"][slow]
        assert max(finder["momentum"][slow], finder["Adam"][slow]) < 0.8 * finder["SGD"][slow]


@reason("| overfitting | dropout ([04](04-dropout.ipynb)), early stopping, penalties (07) |")
@reason(
    "| the steps are too long to settle; or the network is too small | a lower rate, a schedule"
)
@reason("Training loss near 0 and rising validation loss is overfitting.")
def test_rows_on_the_training_loss(schedules):
    """The constant rate ends highest on the training loss, and a schedule helps."""
    ends = {kind: curves["loss"][6] for kind, curves in schedules.items()}
    assert max(ends, key=ends.get) == "constant"
    assert ends["staircase"] < 0.7 * ends["constant"]


@claim(
    "At 0.1 the loss of the twenty images is below 0.1 after 60 steps, and all twenty are "
    "classified correctly; at 0.001 and at 10 it is still above 2.",
)
@reason("at two or three sensible rates probably has a bug. A single rate proves little.")
def test_twenty_images(twenty):
    """0.044 to 0.049; 2.0 to 2.2; 2.1 to 2.2."""
    assert twenty["loss"][0.1] < 0.1
    assert twenty["accuracy"][0.1] == 1
    assert twenty["loss"][0.001] > 1.8
    assert twenty["loss"][10.0] > 1.8


# --- 9. Three epochs -----------------------------------------------------------------


@seen_on_tensorflow("PyTorch: 0.117, with orders of its own")
@reason(
    "After three epochs at 0.01 the fit of section 1 had a validation loss of 0.14 (0.14 to 0.18 "
    "over five seeds)."
)
def test_start_of_the_open_exercise(schedules):
    assert 0.12 < schedules["constant"]["val_loss"][3] < 0.22


@reason("The training loss tells C and D apart: near 0 in C, stuck high in D.")
def test_fits_to_diagnose():
    """They are real: RMSprop at 1.0, SGD at 0.0001, RMSprop at 0.003 on 1,000 images, momentum
    at 0.5, all with seed 5."""
    (cell,) = (c for c in code(read(NOTEBOOK)) if c.id == "exercise-diagnose-data")
    made = {}
    exec(cell.source, made)
    fits = made["short_fits"]
    assert fits["A"]["loss"][0] > 20 > LN_10 < min(fits["A"]["loss"])
    assert (np.diff(fits["B"]["loss"]) < 0).all()
    assert fits["B"]["loss"][-1] > LN_10 - 0.1
    assert fits["C"]["loss"][-1] < 0.01
    assert fits["C"]["val_loss"][-1] > min(fits["C"]["val_loss"]) + 0.05
    assert min(fits["D"]["loss"]) > 0.2 > 5 * history("history_rate_staircase")["loss"][6]
