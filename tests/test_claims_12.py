"""Claims of notebook 12, Custom training.

Spreads: seeds 1 to 5 and 8, on two cores; times also while other work ran on them.
"""

from importlib.util import find_spec

import keras
import numpy as np
import pytest

from claims import claim, reason, stated, table
from lesson import load_boston
from lesson.backends import run_on
from muon import orthogonalise
from notebook_files import NOTEBOOKS, code, read


@pytest.fixture(scope="module")
def by_hand():
    return table("boston_by_hand").set_index("loop")


@pytest.fixture(scope="module")
def pace():
    """Microseconds a step by way."""
    return table("boston_pace").set_index("way")["microseconds"]


@pytest.fixture(scope="module")
def ten_seeds():
    """K-fold MAE by seed."""
    return table("boston_ten_seeds").set_index("seed")["score"]


# --- 1. A loop from scratch -------------------------------------------------------------


@claim(
    "After 303 steps the weights of both loops are those of `fit` to four decimals, and the mean "
    "losses differ in the seventh digit at most."
)
def test_loops_do_what_fit_does(by_hand):
    """Weights differ by at most 1e-6, mean losses (about 200) by at most 1e-4.

    The loss that fit reports is summed in float32, the loops' means in float64.
    """
    assert list(by_hand.index) == ["by hand", "tf.function", "fit"]
    assert by_hand["weights"].max() < 5e-5
    assert by_hand["loss"]["fit"] > 1
    np.testing.assert_allclose(by_hand["loss"], by_hand["loss"]["fit"], rtol=5e-6)


@claim(
    "The loop operation by operation takes longest, 5 to 13 times as long as the graph in our runs."
)
def test_loop_by_hand_is_slowest(by_hand):
    """5 to 13 times as long as with tf.function, 2 to 6 times as long as fit."""
    seconds = by_hand["seconds"]
    assert seconds.min() > 0
    assert seconds["by hand"] > 1.5 * seconds[["tf.function", "fit"]].max()


@pytest.fixture(scope="module")
def penalised():
    return table("boston_penalty").set_index("step")["weights"]


@claim("With the sum, the weights are those of `fit` to four decimals.")
def test_loop_keeps_the_penalty(penalised):
    """0 for seeds 1 to 5 and 8."""
    assert penalised["with model.losses"] < 5e-5


@claim(
    "Without it, some weight is off by 0.21 (0.21 to 0.22 over five seeds), and no error says so."
)
def test_loop_that_forgets_it_ends_elsewhere(penalised):
    """0.206 to 0.218 over seeds 1 to 5, 0.213 for seed 8."""
    assert 0.15 < penalised["without"] < 0.30


def _weights_after_errors():
    """How many arrays of weights a model has after an error, for each method that met one."""
    left = {}
    for method in ("fit", "evaluate", "predict"):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
        labels = () if method == "predict" else (np.ones((4, 1)),)
        with pytest.raises(Exception, match="shape|size-incompatible"):
            getattr(model, method)(np.ones((4, 2)), *labels, verbose=0)
        try:
            left[method] = len(model.get_weights())
        except TypeError:
            left[method] = 0
    return left


@reason("On JAX `fit` takes the weights out of the model and puts them back at the end.")
@reason("After an error in `fit`, `evaluate` or `predict` (data of another shape, say) they are")
def test_an_error_takes_the_weights_on_jax():
    """Elsewhere the model keeps them."""
    assert run_on("jax", _weights_after_errors) == {"fit": 0, "evaluate": 0, "predict": 0}
    assert _weights_after_errors() == {"fit": 2, "evaluate": 2, "predict": 2}


# --- 2. Your step inside fit --------------------------------------------------------------


@pytest.fixture(scope="module")
def watched():
    return table("boston_watched").set_index("epoch")


@claim("Loss and gradient norm are in the history as if Keras had always reported them.")
def test_history_has_the_norm(watched, by_hand):
    assert list(watched.index) == list(range(1, 11))
    assert set(watched) == {"loss", "gradient_norm"}
    # A mean over the epoch, and of the very steps of the loop: not of the last batch alone.
    assert watched["loss"][1] == pytest.approx(by_hand["loss"]["by hand"], rel=1e-3)
    assert (watched["gradient_norm"] > 0).all()


# --- 3. Three backends ----------------------------------------------------------------------

TORCH = {"torch"} if find_spec("torch") else set()


@claim(
    "At each of the 60 steps the losses of all backends that ran agree to within one part in ten "
    "thousand."
)
def test_backends_agree():
    """To 1e-6 for seed 8, PyTorch among them; it takes part where it is installed."""
    losses = table("boston_backends").set_index("step")
    assert set(losses) == {"tensorflow", "jax"} | TORCH
    assert len(losses) == 60
    assert np.isfinite(losses).all(axis=None)
    assert losses["jax"].nunique() > 50, "a training, not one number"
    assert losses["jax"][:20].mean() > 1.5 * losses["jax"][-20:].mean(), "it learns"
    apart = (losses.max(axis=1) - losses.min(axis=1)) / losses.min(axis=1)
    assert apart.max() < 1e-4


@claim(
    "After them all weights, moving statistics included, agree to four decimals, those of each "
    "`train_step` too."
)
def test_nothing_is_lost_on_any_backend():
    """Weights and moving statistics differ by at most 5e-7 for seed 8, on PyTorch too."""
    told = table("boston_backends_weights").set_index("backend")
    assert set(told.index) == {"tensorflow", "jax"} | TORCH
    assert (told[["to_tensorflow", "to_fit"]] < 5e-5).all(axis=None)
    assert (told["moved"] > 1e-3).all(), "moving means begin at 0; 0.006 if they are kept"


# --- 4. Parts of your own -----------------------------------------------------------------------


@claim(
    "Loss and metric are NumPy's to four digits, in batches of 7 too; the mean of the batches' "
    "means is another number."
)
def test_own_parts_compute_what_numpy_does():
    """To the printed digits for seed 8; the mean of means is off by 0.4%."""
    numbers = table("boston_own_parts").set_index("way")
    for way in ("batches of 303", "batches of 7"):
        for column in ("loss", "metric"):
            assert numbers[column][way] == pytest.approx(numbers[column]["NumPy"], rel=5e-5)
    off = abs(numbers["metric"]["mean of means"] / numbers["metric"]["NumPy"] - 1)
    assert 2e-4 < off < 0.1


@pytest.fixture(scope="module")
def stretches():
    """Singular values, largest first, by number of Newton-Schulz steps."""
    values = table("muon_values").set_index("place")
    assert len(values) == 64
    return values.rename(columns=lambda name: int(name.removeprefix("steps_")))


@stated("so the line turns each stretch s into 3.4445 s − 4.775 s³ + 2.0315 s⁵: a small one grows")
@stated("3.4-fold, one near 1 stays near.")
def test_one_newton_schulz_step_is_that_polynomial():
    """0.001 becomes 0.0034, and 1 becomes 0.70."""
    stretches = np.array([0.9, 0.4, 0.17, 0.001])
    stretches /= np.linalg.norm(stretches)  # orthogonalise divides by the length
    after = keras.ops.convert_to_numpy(
        orthogonalise(keras.ops.convert_to_tensor(np.diag(stretches)), steps=1)
    )
    expected = 3.4445 * stretches - 4.775 * stretches**3 + 2.0315 * stretches**5
    np.testing.assert_allclose(np.diag(after), expected, atol=1e-5)
    assert after[3, 3] / stretches[3] == pytest.approx(3.4, abs=0.05)
    assert sum((3.4445, -4.775, 2.0315)) == pytest.approx(0.7, abs=0.01)


@claim(
    "Before, one stretch makes up nearly the whole length of the gradient, 0.95 of it (0.95 to "
    "0.97 over five seeds)."
)
def test_gradient_has_one_large_stretch(stretches):
    """0.948 to 0.969 over seeds 1 to 5, 0.955 for seed 8; all squares sum to 1."""
    assert (stretches[0] ** 2).sum() == pytest.approx(1, rel=1e-3)
    assert 0.9 < stretches[0][1] < 0.99


@claim(
    "Three steps bring 9 of the 64 near 1 (8 to 10 over five seeds), eight steps 59 (57 to 59); "
    "none is above 1.21."
)
def test_newton_schulz_brings_stretches_near_one(stretches):
    near = ((stretches > 0.68) & (stretches < 1.21)).sum()
    assert 6 <= near[3] <= 13
    assert 53 <= near[8] <= 62
    assert near.is_monotonic_increasing
    assert stretches.max(axis=None) < 1.21


# --- 5. Four functions ---------------------------------------------------------------------------


@reason("The longest are those of capped prices. The untrained network's guesses lie near 0")
@reason("But 50 is only 2.4 times the median price; the rest comes from the rows' features.")
def test_longest_gradients_are_those_of_capped_prices():
    """Guesses within 2.2 of 0; the first four capped; norms and errors correlate 0.72 to 0.84."""
    rows = table("boston_rows").sort_values("norm", ascending=False)
    assert len(rows) == 303
    assert (rows["guess"].abs() < 3.5).all()
    assert (rows["price"].head(4) == 50).all()
    assert 50 / rows["price"].median() == pytest.approx(2.4, abs=0.05)
    assert rows["norm"].max() / rows["norm"].median() > 1.5 * 2.4
    assert np.corrcoef(rows["norm"], (rows["price"] - rows["guess"]).abs())[0, 1] > 0.5


# --- 6. One program -----------------------------------------------------------------------------


# A quiet machine, and six runs beside up to nine other processes.


@claim(
    "In `fit`, saving trips to Python makes a step about 4 times as fast on a quiet machine, 1.0 "
    "to 2.7 times on a crowded one; XLA 0.5 to 2.4 times."
)
def test_what_speeds_fit_up(pace):
    """Trips 3.8 and 4.1 times, busy 0.98 to 2.7; XLA 0.8 and 1.2, busy 0.5 to 2.4."""
    assert 0.8 < pace["fit, 1 at a time"] / pace["fit, 303 at a time"] < 8
    assert 1 / 3 < pace["fit, 303 at a time"] / pace["fit, 303, jit_compile"] < 3


@claim(
    "In JAX, compiling the step makes it more than 60 times as fast, `scan` 2 to 12 times more; "
    "`vmap` changes less than a factor of three."
)
def test_what_speeds_jax_up(pace):
    """Compiling 120 and 167 times, busy 430 to 1500; scan 11 and 12, busy 2.3 to 10; vmap 0.9 to
    2.5.
    """
    assert pace["JAX, not compiled"] > 60 * pace["JAX, compiled step"]
    assert pace["JAX, compiled step"] > 1.5 * pace["JAX, scan"]
    assert 1 / 3 < pace["JAX, scan"] / pace["JAX, scan and vmap"] < 3


@claim(
    "All together a step is more than 50 times as fast as in `fit` (82 to 284 times in our runs), "
    "and more than 10 times as fast as with 303 at a time (35 to 95)."
)
def test_program_is_fast(pace):
    """250 and 284 times, busy 82 to 174; with 303 at a time 66 and 70, busy 35 to 95."""
    assert (pace > 0).all()
    assert pace["fit, 1 at a time"] > 50 * pace["JAX, scan and vmap"]
    assert pace["fit, 303 at a time"] > 10 * pace["JAX, scan and vmap"]


@claim(
    "Step by step the losses of the loop and of the program agree to within one part in ten "
    "thousand, and all ten MAEs to within ten cents."
)
def test_numbers_are_the_same():
    """Losses to 1.5e-5 of their size, MAEs to 1.4e-6 thousand dollars."""
    steps, maes = table("boston_same_steps"), table("boston_same_maes")
    assert len(steps) == 303
    apart = (steps["by_hand"] - steps["program"]).abs() / steps["by_hand"].clip(lower=1)
    assert apart.max() < 1e-4
    assert len(maes) == 10
    assert maes["fit"].nunique() > 7
    assert (maes["fit"] - maes["program"]).abs().max() < 1e-4


@claim(
    "After 100 epochs the ten K-fold MAEs lie between 2.3 and 2.6 thousand dollars (2.16 to 2.82 "
    "over sixty seeds)."
)
def test_seeds_are_where_08_is(ten_seeds):
    """2.33 to 2.59; notebook 08's over 60 seeds 2.16 to 2.82."""
    assert len(ten_seeds) == 10
    assert ten_seeds.nunique() == 10
    assert ten_seeds.between(2.0, 3.0).all()


@claim(
    "The seed alone moves the score by 80 dollars (standard deviation; 102 over sixty seeds).",
)
@reason("The difference of two scores spreads √2 times as far.")
def test_seed_moves_the_score(ten_seeds):
    """57 to 143 dollars in six sets of ten seeds, 102 over all sixty."""
    assert 0.03 < ten_seeds.std(ddof=0) < 0.25


# --- What follows from arithmetic, and what backends do ------------------------------------


@stated("At w = 1 the error is −3, its square 9, the slope 2 × (−3) × 3")
@stated("Gradient descent at a rate of 0.01 should take w from 1 to 1.18.")
def test_one_step_of_one_weight():
    w, nudge = 1.0, 1e-6
    slope = ((3 * (w + nudge) - 6) ** 2 - (3 * w - 6) ** 2) / nudge
    assert slope == pytest.approx(2 * -3 * 3, abs=1e-4)
    variable, optimizer = keras.Variable(w), keras.optimizers.SGD(0.01)
    optimizer.build([variable])
    optimizer.apply([keras.ops.convert_to_tensor(slope)], [variable])
    assert float(variable.value) == pytest.approx(1.18, abs=1e-4)


@stated("[rounded to about seven digits]")
def test_digits_of_float32():
    assert -np.log10(np.finfo("float32").eps) == pytest.approx(7, abs=0.2)


@stated("| JAX | takes a *function* and returns another function, which computes the gradients |")
def test_gradients_of_jax():
    jax = pytest.importorskip("jax")
    slope = jax.grad(lambda w: w**2)
    assert callable(slope)
    assert float(slope(3.0)) == 6


@stated(
    "| PyTorch | every number remembers what it was made from; `loss.backward()` goes back from "
    "there |"
)
def test_gradients_of_torch():
    torch = pytest.importorskip("torch")
    w = torch.tensor(3.0, requires_grad=True)
    loss = w**2
    assert loss.grad_fn is not None
    loss.backward()
    assert float(w.grad) == 6


@stated("In each fold 303 rows train, and their mean and standard deviation scale all rows.")
def test_training_rows_are_the_yardstick():
    """The notebook's own cell: 0 and 1 in training, and not in validation."""
    path = next(path for path in NOTEBOOKS if path.name.startswith("12-"))
    (cell,) = (cell for cell in code(read(path)) if cell.id == "data")
    names = {"np": np, "load_boston": load_boston}
    exec(cell.source, names)
    train, val = names["train_x"], names["val_x"]
    assert train.shape == (4, 303, 13)
    assert np.allclose(train.mean(axis=1), 0, atol=1e-5)
    assert np.allclose(train.std(axis=1), 1, atol=1e-4)
    assert abs(val.mean(axis=1)).max() > 0.05
