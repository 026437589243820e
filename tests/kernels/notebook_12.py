"""What the exercises of notebook 12 find in the kernel, and what attempts are made of."""

import functools
import multiprocessing
import os
import pickle
from unittest.mock import patch

import cloudpickle
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from lesson import load_boston
from lesson.checks import notebook_12

(FEATURES, PRICES), _ = load_boston()

X = (FEATURES[101:] - FEATURES[101:].mean(axis=0)) / FEATURES[101:].std(axis=0)

Y = PRICES[101:]

SHAPES = [(13, 64), (64,), (64, 64), (64,), (64, 1), (1,)]

RNG = np.random.default_rng(0)

WEIGHTS = [RNG.normal(size=shape).astype("float32") / 10 for shape in SHAPES]


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


def with_changes(*changes):
    """The solution with some of its text changed, as a notebook's function."""
    source = SOLUTION
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    kernel = {"__name__": "__main__", "jax": jax, "jnp": jnp, "keras": keras, "np": np, "tf": tf}
    exec(source, kernel)
    return kernel["losses_jax"]


def call(task):
    """Run there what was sent."""
    function, arguments = pickle.loads(task)
    return function(*arguments)


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


def late(factor, before, value):
    return point(factor, before, value)[0], before


def stuck(factor, before, value):
    return before, point(factor, before, value)[0]


def swapped(factor, before, value):
    return point(1 - factor, before, value)


@functools.cache
def pool():
    """One process on JAX for all answers: to start one for each takes five seconds."""
    with patch.dict(os.environ, KERAS_BACKEND="jax"):  # put back, also where it is interrupted
        started = multiprocessing.get_context("spawn").Pool(1)
        started.apply(call, [cloudpickle.dumps((int, ()))])  # with all that it imports
    return started


def run_in_pool(backend, function, *arguments):
    try:
        task = pool().apply_async(call, [cloudpickle.dumps((function, arguments))])
        return task.get()
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from error
    except BaseException:  # it takes too long
        if pool.cache_info().currsize:
            pool().terminate()
            pool.cache_clear()
        raise


def on_jax():
    pool()
    notebook_12.run_on = run_in_pool
    return {}


PREPARE = {
    "12-clip": dict,
    "12-jax": on_jax,
    "12-rows": ["data", "network", "start-weights", "predict"],
    "12-scan": [],
}
