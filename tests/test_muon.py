"""Muon does what its definition says: against NumPy's SVD, on each backend, across a restart."""

import keras
import numpy as np
import pytest
from keras import ops

from lesson.backends import run_on
from muon import COEFFICIENTS, Muon, orthogonalise

SHAPES = [(96, 24), (24, 96), (64, 64)]


def matrix(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def step_of(values):
    """What a Newton-Schulz step makes of singular values."""
    a, b, c = COEFFICIENTS
    return a * values + b * values**3 + c * values**5


def by_svd(given, steps):
    """What `orthogonalise` is defined as, in float64."""
    left, values, right = np.linalg.svd(given.astype(float), full_matrices=False)
    values /= np.sqrt((values**2).sum())
    for _ in range(steps):
        values = step_of(values)
    return left * values @ right


def singular(given, steps=3):
    return np.linalg.svd(ops.convert_to_numpy(orthogonalise(given, steps)), compute_uv=False)


# --- One matrix ---------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [0, 1, 3, 5])
def test_singular_values_change_and_vectors_stay(shape, steps):
    given = matrix(shape)
    np.testing.assert_allclose(
        ops.convert_to_numpy(orthogonalise(given, steps)), by_svd(given, steps), atol=2e-5
    )


def test_a_step_multiplies_small_values_and_keeps_the_others():
    """What the docstring says, on a thousand values from 0 to 1.21."""
    small, others = np.linspace(1e-6, 0.01, 1000), np.linspace(0.25, 1.21, 1000)
    np.testing.assert_allclose(step_of(small) / small, 3.44, atol=0.01)
    for _ in range(20):
        others = step_of(others)
        assert others.min() > 0.68
        assert others.max() < 1.21


@pytest.mark.parametrize("seed", range(1, 6))
def test_filter_banks_end_near_one(seed):
    """After three steps 0.68 to 1.21 for the banks of a network of convolutions."""
    for shape in [(216, 64), (576, 64), (576, 192), (1728, 192), (1728, 256), (2304, 256)]:
        values = singular(matrix(shape, seed))
        assert values.min() > 0.68
        assert values.max() < 1.21


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_square_matrix_needs_more_steps(seed):
    """Its smallest values begin near 0: after three steps 0.0 to 0.2, after eight most are near 1.

    The largest never leave 1.21.
    """
    given = matrix((64, 64), seed)
    assert singular(given).min() < 0.4
    assert np.quantile(singular(given, 8), 0.05) > 0.5
    assert max(singular(given, steps).max() for steps in range(1, 9)) < 1.21


def test_length_does_not_matter():
    given = matrix((24, 27))
    small = ops.convert_to_numpy(orthogonalise(given * 1e-3))
    np.testing.assert_allclose(small, ops.convert_to_numpy(orthogonalise(given)), atol=2e-3)


def test_no_gradient_is_no_step():
    assert not ops.convert_to_numpy(orthogonalise(np.zeros((4, 3), "float32"))).any()


# --- The optimizer --------------------------------------------------------------------------

RATE, MOMENTUM, REST, REST_MOMENTUM = 0.2, 0.6, 0.5, 0.85


def optimizer(**options):
    return Muon(RATE, momentum=MOMENTUM, rest=REST, rest_momentum=REST_MOMENTUM, **options)


def steps_taken(count=3):
    """A filter bank, a matrix and a bias after some steps, as NumPy arrays."""
    shapes = [(3, 3, 2, 4), (5, 3), (3,)]
    weights = [keras.Variable(matrix(shape)) for shape in shapes]
    chosen = optimizer()
    for seed in range(2, 2 + count):
        gradients = [ops.convert_to_tensor(matrix(shape, seed)) for shape in shapes]
        chosen.apply(gradients, weights)
    return [np.array(ops.convert_to_numpy(weight)) for weight in weights]


def by_definition(shape, count=3):
    weight, velocity = matrix(shape).astype(float), 0
    momentum = MOMENTUM if len(shape) == 4 else REST_MOMENTUM
    for seed in range(2, 2 + count):
        gradient = matrix(shape, seed).astype(float)
        velocity = momentum * velocity + gradient
        ahead = gradient + momentum * velocity
        if len(shape) == 4:
            weight = weight * np.sqrt(shape[-1]) / np.linalg.norm(weight)
            weight = weight - RATE * by_svd(ahead.reshape(-1, shape[-1]), 3).reshape(shape)
        else:
            weight = weight - REST * RATE * ahead
    return weight


def test_steps_are_those_of_the_definition():
    for given in steps_taken():
        np.testing.assert_allclose(given, by_definition(given.shape), atol=2e-5)


OTHERS = sorted({"tensorflow", "jax", "torch"} - {keras.config.backend()})


@pytest.mark.parametrize("backend", OTHERS)
def test_steps_are_the_same_on_another_backend(backend):
    pytest.importorskip(backend)
    for there, here in zip(run_on(backend, steps_taken), steps_taken(), strict=True):
        np.testing.assert_allclose(there, here, atol=2e-5)


def test_decay_acts_on_the_other_weights_only():
    bank, bias = keras.Variable(matrix((3, 3, 2, 4))), keras.Variable(matrix((5,)))
    nothing = [ops.zeros(bank.shape), ops.zeros(bias.shape)]
    optimizer(weight_decay=0.1).apply(nothing, [bank, bias])
    assert np.linalg.norm(ops.convert_to_numpy(bank)) == pytest.approx(2, rel=1e-4)
    np.testing.assert_allclose(
        ops.convert_to_numpy(bias), matrix((5,)) * (1 - RATE * 0.1), rtol=1e-5
    )


# --- In a model -------------------------------------------------------------------------------

X = matrix((32, 8, 8, 2))
Y = X[:, :4, :4].mean(axis=(1, 2, 3)) - X[:, 4:, 4:].mean(axis=(1, 2, 3))


def compiled():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    falling = keras.optimizers.schedules.PolynomialDecay(0.05, 100)
    model.compile(Muon(falling, rest=0.5), "mse")
    return model


def fit(model, epochs):
    return model.fit(X, Y, epochs=epochs, batch_size=8, shuffle=False, verbose=0).history["loss"]


def test_model_learns():
    losses = fit(compiled(), 10)
    assert losses[-1] < losses[0] / 5


def test_state_is_saved_and_restored(tmp_path):
    """A fit that is stopped, saved, loaded and continued ends where one without a stop does."""
    straight, stopped = compiled(), compiled()
    fit(straight, 4)
    fit(stopped, 2)
    stopped.save(tmp_path / "stopped.keras")
    again = keras.saving.load_model(tmp_path / "stopped.keras")
    assert isinstance(again.optimizer, Muon)
    assert int(again.optimizer.iterations) == 8
    fit(again, 2)
    for there, here in zip(again.get_weights(), straight.get_weights(), strict=True):
        np.testing.assert_allclose(there, here, atol=1e-6)


def test_settings_are_kept():
    kept = Muon.from_config(optimizer(weight_decay=0.1).get_config())
    assert (kept.momentum, kept.rest, kept.rest_momentum) == (MOMENTUM, REST, REST_MOMENTUM)
    assert kept.weight_decay == 0.1
    assert float(kept.learning_rate) == pytest.approx(RATE)
