"""What the checks of notebook 12 say: of right answers, of mistakes that learners make."""

import functools
import multiprocessing
import pickle
import re
from concurrent.futures import ProcessPoolExecutor

import cloudpickle
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from answers import assert_explained, is_right
from lesson import load_boston
from lesson.checks import notebook_12

# The classes of exercise 1 are written for TensorFlow, as section 2 of the notebook is.
ELSEWHERE = keras.config.backend() != "tensorflow"
REASON = "a train_step is written for one backend, this one for TensorFlow"
on_tensorflow = pytest.mark.skipif(ELSEWHERE, reason=REASON)

(FEATURES, PRICES), _ = load_boston()
X = (FEATURES[101:] - FEATURES[101:].mean(axis=0)) / FEATURES[101:].std(axis=0)
Y = PRICES[101:]
SHAPES = [(13, 64), (64,), (64, 64), (64,), (64, 1), (1,)]
RNG = np.random.default_rng(0)
WEIGHTS = [RNG.normal(size=shape).astype("float32") / 10 for shape in SHAPES]

EXERCISES = {
    "12-clip": "ClippedModel",
    "12-jax": "losses_jax",
    "12-rows": "row_norms",
    "12-scan": "smooth",
}
JUNK = [7, "rows", [], [1, 2], {}, {"a": 1}, np.ones((2, 2)), len, print, [None] * 303, np.nan,
        int, keras.layers.Dense, keras.Model, keras.Sequential(), object(), lambda: 1,
        lambda *given: None, lambda *given: "text", lambda *given: given, range(3)]  # fmt: skip


def context(exercise):
    return {"start_weights": WEIGHTS} if exercise == "12-rows" else {}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_before_anything_is_done(said, exercise):
    assert said(exercise, **context(exercise)).startswith("Nothing to check yet: make ")


@pytest.mark.usefixtures("one_process_on_jax")
@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__}-{junk!r:.20}")
def test_junk_is_wrong_and_explained(said, exercise, junk):
    assert_explained(said(exercise, **context(exercise), **{EXERCISES[exercise]: junk}))


# --- 12-clip -------------------------------------------------------------------------


def model_class(clip, apply=None, count=True):
    """A class whose step makes of gradients and their norm what `clip` says."""

    class Model(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.count = keras.metrics.Sum(name="count")

        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            gradients = tape.gradient(loss, self.trainable_weights)
            norm = tf.linalg.global_norm(gradients)
            clipped = clip(gradients, norm)
            if apply:
                apply(self, gradients, clipped)
            else:
                self.optimizer.apply(clipped, self.trainable_weights)
            self.count.update_state(tf.cast(norm > 300, "float32"))
            return {"loss": loss, "clipped": self.count.result()} if count else {"loss": loss}

    return Model


def scaled(limit):
    return lambda gradients, norm: [g * tf.minimum(1.0, limit / norm) for g in gradients]


def only_when_long(gradients, norm):
    factor = tf.cond(norm > 300.0, lambda: 300.0 / norm, lambda: 1.0)
    return [g * factor for g in gradients]


class WithMetrics(model_class(scaled(300.0))):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mean_loss = keras.metrics.Mean(name="mean_loss")

    def train_step(self, data):
        logs = super().train_step(data)
        self.mean_loss.update_state(logs["loss"])
        return {**logs, "loss": self.mean_loss.result()}


class CountsAll(model_class(scaled(300.0))):
    def train_step(self, data):
        return {**super().train_step(data), "clipped": 1}


@on_tensorflow
@pytest.mark.parametrize(
    "given",
    [
        model_class(scaled(300.0)),
        model_class(only_when_long),
        model_class(lambda gradients, norm: tf.clip_by_global_norm(gradients, 300.0)[0]),
        model_class(lambda gradients, norm: tf.clip_by_global_norm(gradients, 300.0, norm)[0]),
        WithMetrics,
    ],
)
def test_clipped(said, given):
    assert is_right(said("12-clip", ClippedModel=given))


def both(model, gradients, clipped):
    model.optimizer.apply(gradients, model.trainable_weights)
    model.optimizer.apply(clipped, model.trainable_weights)


class Other(keras.Model):
    def fit_step(self, data):
        return {}


class Typo(keras.Model):
    def train_step(self, data):
        return {"loss": self.losss}


class Silent(keras.Model):
    def train_step(self, data):
        return {"loss": 0.0}


@on_tensorflow
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (model_class(lambda g, norm: g), "Which ones does the optimizer get?"),
        (model_class(scaled(300.0), lambda m, g, c: m.optimizer.apply(g, m.trainable_weights)),
         "Which ones does the optimizer get?"),
        (model_class(scaled(300.0), both), "the weights move twice"),
        (model_class(lambda gs, norm: [tf.clip_by_norm(g, 300.0) for g in gs]),
         "One factor for all"),
        (model_class(lambda gs, norm: [tf.clip_by_value(g, -300.0, 300.0) for g in gs]),
         "changes the direction"),
        (model_class(lambda gs, norm: [g * 300.0 / norm for g in gs]), "they are made longer"),
        (model_class(lambda gs, norm: [g / norm for g in gs]), "to a norm of 1. Asked"),
        (model_class(scaled(1.0)), "to a norm of 1. Asked is a norm of 300."),
        (model_class(lambda gs, norm: [g * tf.maximum(1.0, 300.0 / norm) for g in gs]),
         "Which ones does the optimizer get?"),
        (model_class(lambda gs, norm: [-g for g in scaled(300.0)(gs, norm)]), "up the slope"),
        (model_class(scaled(300.0), lambda m, g, c: None), "no weight has moved"),
        (model_class(scaled(300.0), count=False), "reports nothing and nothing"),
        (CountsAll, "reports 1 and 1"),
        (Silent, "no weight has moved"),
        (Other, "the class has none of its own"),
        (Typo, "a step stops with AttributeError"),
        (keras.Model, "the class has none of its own"),
        (keras.Sequential([keras.layers.Dense(1)]), "this should be a class"),
        (dict, "this should be a class"),
    ],
)  # fmt: skip
def test_not_clipped(said, given, reason):
    text = said("12-clip", ClippedModel=given)
    assert reason in text
    assert not is_right(text)


# --- 12-jax -----------------------------------------------------------------------------

SOLUTION = """
def losses_jax(model, optimizer, squared_error, batches):
    def loss_at(weights, fixed, x, y):
        predicted, _ = model.stateless_call(weights, fixed, x, training=True)
        return squared_error(y, predicted)

    optimizer.build(model.trainable_variables)
    weights = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]
    state = [variable.value for variable in optimizer.variables]
    losses = []
    for x, y in batches:
        loss, gradients = jax.value_and_grad(loss_at)(weights, fixed, x, y)
        weights, state = optimizer.stateless_apply(state, gradients, weights)
        losses.append(float(loss))
    return losses
"""
LOSS, GRADIENTS, MOVE = (
    "squared_error(y, predicted)",
    "jax.value_and_grad(loss_at)(weights, fixed, x, y)",
    "weights, state = optimizer.stateless_apply(state, gradients, weights)",
)


def losses_jax(*changes):
    """The solution with some of its text changed, as a notebook's function."""
    source = SOLUTION
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    kernel = {"__name__": "__main__", "jax": jax, "jnp": jnp, "keras": keras, "np": np, "tf": tf}
    exec(source, kernel)
    return kernel["losses_jax"]


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [  # a function for each, compiled, and the loss without Keras's
            (LOSS, "((predicted[:, 0] - y) ** 2).mean()"),
            (GRADIENTS, "jax.jit(loss_at)(weights, fixed, x, y), "
                        "jax.jit(jax.grad(loss_at))(weights, fixed, x, y)"),
        ],
    ],
)  # fmt: skip
def test_step_in_jax(said, changes):
    assert is_right(said("12-jax", losses_jax=losses_jax(*changes)))


def call(task):
    """Run there what was sent."""
    function, arguments = pickle.loads(task)
    return function(*arguments)


@pytest.fixture(scope="module")
def one_process_on_jax():
    """One process for all answers: to start one each takes five seconds."""
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("KERAS_BACKEND", "jax")
            pool.submit(int).result()  # starts it

        def run_on(backend, function, *arguments):
            try:
                return pool.submit(call, cloudpickle.dumps((function, arguments))).result()
            except Exception as error:
                raise RuntimeError(f"{type(error).__name__}: {error}") from error

        patch.setattr(notebook_12, "run_on", run_on)
        yield


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (MOVE, "_, state = optimizer.stateless_apply(state, gradients, weights)",
         "nothing is learned"),
        (MOVE, "optimizer.apply(gradients, model.trainable_weights)", "nothing is learned"),
        (MOVE, "weights, _ = optimizer.stateless_apply(state, gradients, weights)",
         "the optimizer's memory is new"),
        (MOVE, "state, weights = optimizer.stateless_apply(state, gradients, weights)",
         "on JAX it stops with"),
        (MOVE, "weights = [w - 0.1 * g for w, g in zip(weights, gradients)]",
         "the first loss is right and the later ones are not"),
        (GRADIENTS, "jax.grad(loss_at)(weights, fixed, x, y)", "on JAX it stops with"),
        (LOSS, "squared_error(y, model(x))", "the first loss is right|nothing is learned"),
        (LOSS, "((predicted - y) ** 2).mean()", "the first loss, before any step"),
        ("float(loss)", "float(loss_at(weights, fixed, x, y))", "that after its step"),
        ("return losses", "return losses[-1]", "one for each batch"),
        ("return losses", "return None", "a list of numbers"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("one_process_on_jax")
def test_step_in_jax_wrongly(said, old, new, reason):
    text = said("12-jax", losses_jax=losses_jax((old, new)))
    assert re.search(reason, text), text
    assert not is_right(text)


# --- 12-rows ---------------------------------------------------------------------------


def loss_of(weights, x, y):
    w1, b1, w2, b2, w3, b3 = weights
    hidden = jax.nn.relu(jax.nn.relu(x @ w1 + b1) @ w2 + b2)
    return (((hidden @ w3 + b3)[..., 0] - y) ** 2).mean()


def norms(of_row, x=X, y=Y):
    return jax.vmap(lambda x, y: of_row(jax.grad(loss_of)(WEIGHTS, x, y)))(
        jnp.array(x, "float32"), jnp.array(y, "float32")
    )


def norm(gradients):
    return jnp.sqrt(sum((g**2).sum() for g in gradients))


def norm_flat(gradients):
    return jnp.linalg.norm(jnp.concatenate([g.ravel() for g in gradients]))


NORMS = norms(norm)


@pytest.mark.parametrize(
    "given",
    [
        NORMS,
        np.array(NORMS),
        list(np.array(NORMS)),
        pd.Series(np.array(NORMS)),
        NORMS[:, None],
        norms(norm_flat),
        [float(norm(jax.grad(loss_of)(WEIGHTS, x, y))) for x, y in zip(X, Y, strict=True)],
    ],
)
def test_rows(said, given):
    assert is_right(said("12-rows", start_weights=WEIGHTS, row_norms=given))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (norm(jax.grad(loss_of)(WEIGHTS, X, Y)), "That is one for all rows together"),
        (jnp.full(303, norm(jax.grad(loss_of)(WEIGHTS, X, Y))), "Which arguments are many?"),
        (NORMS**2, "the root is missing"),
        (NORMS / 303, "divided by the number of rows"),
        (norms(lambda gs: sum(jnp.sqrt((g**2).sum()) for g in gs)), "take one root"),
        (NORMS[:101], "101 numbers; there are 303 rows"),
        (norms(norm, FEATURES[101:]), "the values differ"),
        (NORMS[::-1], "the values differ"),
        (norms, "this should be an array of numbers"),
    ],
)
def test_rows_wrongly(said, given, reason):
    text = said("12-rows", start_weights=WEIGHTS, row_norms=given)
    assert reason in text
    assert not is_right(text)


@pytest.mark.parametrize("weights", [7, [], WEIGHTS[:5], "w", [None] * 6, WEIGHTS[::-1]])
def test_rows_of_other_weights(said, weights):
    text = said("12-rows", start_weights=weights, row_norms=NORMS)
    assert "Run its cell again" in text


# --- 12-scan -----------------------------------------------------------------------------


def with_scan(start, round_):
    def smooth(values, factor):
        values = jnp.asarray(values)
        return jax.lax.scan(functools.partial(round_, factor), start(values), values)[1]

    return smooth


def point(factor, before, value):
    new = factor * before + (1 - factor) * value
    return new, new


def first(values):
    return values[0]


def from_the_second(values, factor):
    values = jnp.asarray(values)
    rest = jax.lax.scan(functools.partial(point, factor), values[0], values[1:])[1]
    return jnp.concatenate([values[:1], rest])


def by_weights(values, factor):
    """Without any loop: each smooth point is a weighted sum of the values so far."""
    age = jnp.arange(len(values))[:, None] - jnp.arange(len(values))
    shares = jnp.where(age >= 0, factor ** jnp.maximum(age, 0), 0)
    return (shares * (1 - factor)).at[:, 0].set(shares[:, 0]) @ values


def python_loop(values, factor):
    points = [values[0]]
    for value in values[1:]:
        points.append(factor * points[-1] + (1 - factor) * value)
    return jnp.stack(points)


def numpy_loop(values, factor):
    return np.array([float(p) for p in python_loop(values, factor)])


@pytest.mark.parametrize(
    "given",
    [
        with_scan(first, point),
        jax.jit(with_scan(first, point)),
        with_scan(lambda values: values[:1], point),
        from_the_second,
        by_weights,
        lambda values, factor=0.9: with_scan(first, point)(values, factor),
    ],
)
def test_smooth(said, given):
    if given is not None and np.ndim(given(np.ones(3, "float32"), 0.5)) == 2:
        return  # carried as an array of one: judged below
    assert is_right(said("12-scan", smooth=given))


def late(factor, before, value):
    return point(factor, before, value)[0], before


def stuck(factor, before, value):
    return before, point(factor, before, value)[0]


def swapped(factor, before, value):
    return point(1 - factor, before, value)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (python_loop, "it is Python's"),
        (numpy_loop, "JAX cannot trace it"),
        (with_scan(lambda values: 0.0, point), "it starts from 0"),
        (with_scan(first, swapped), "the factor is on the wrong term"),
        (with_scan(first, late), "one place late"),
        (with_scan(first, stuck), "the carry does not move on"),
        (with_scan(lambda values: values[:1], point), "an array of shape (6, 1)"),
        (lambda values, factor: values, "as they were"),
        (lambda values, factor: jax.lax.scan(functools.partial(point, factor), values[0], values),
         "it returns two things"),
        (lambda values, factor: from_the_second(values, factor)[-1], "one number"),
        (lambda values, factor: from_the_second(values, factor)[1:], "an array of shape (5,)"),
        (lambda values, factor: from_the_second(values, factor) + 1, "the values differ"),
        (lambda values: values, "it stops with TypeError"),
        (lambda values, factor: None, "should return an array of numbers"),
        (np.ones(6), "this should be a function"),
    ],
)  # fmt: skip
def test_smooth_wrongly(said, given, reason):
    text = said("12-scan", smooth=given)
    assert reason in text
    assert not is_right(text)


# What the solutions need; see test_checks.py.
PREPARE = {
    "12-clip": lambda: pytest.skip(REASON) if ELSEWHERE else {},
    "12-jax": [],
    "12-rows": ["data", "network", "start-weights", "predict"],
    "12-scan": [],
}
