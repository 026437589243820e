"""What the exercises of notebook 12 find in the kernel, and what attempts are made of."""

import functools
import os
import pickle
import subprocess
import sys

import cloudpickle
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from lesson import load_boston
from lesson.checks import notebook_12
from muon import orthogonalise

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
def put_back(model, weights, fixed):
    variables = model.trainable_variables + model.non_trainable_variables
    for variable, value in zip(variables, weights + fixed):
        variable.assign(value)

def losses_jax(model, optimizer, squared_error, batches):
    def loss_at(weights, fixed, x, y):
        predicted, fixed, penalties = model.stateless_call(
            weights, fixed, x, training=True, return_losses=True)
        return squared_error(y, predicted) + sum(penalties), fixed

    optimizer.build(model.trainable_variables)
    weights = [variable.value for variable in model.trainable_variables]
    fixed = [variable.value for variable in model.non_trainable_variables]
    state = [variable.value for variable in optimizer.variables]
    value_and_gradients = jax.jit(jax.value_and_grad(loss_at, has_aux=True))
    losses = []
    for x, y in batches:
        (loss, fixed), gradients = value_and_gradients(weights, fixed, x, y)
        weights, state = optimizer.stateless_apply(state, gradients, weights)
        losses.append(float(loss))
    put_back(model, weights, fixed)
    return losses
"""

LOSS, GRADIENTS, MOVE = (
    "squared_error(y, predicted) + sum(penalties)",
    "(loss, fixed), gradients = value_and_gradients(weights, fixed, x, y)",
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


def optimizer(update, rate=0.003, own_build=True):
    """A class of optimizer with such an `update_step`."""

    class Optimizer(keras.optimizers.Optimizer):
        def __init__(self, learning_rate=rate, **options):
            super().__init__(learning_rate, **options)

        def build(self, variables):
            if own_build and not self.built:
                super().build(variables)
                self.memories = self.add_optimizer_variables(variables, "memory")

        def update_step(self, gradient, variable, learning_rate):
            update(self, gradient, variable, learning_rate)

    return Optimizer


def plain(self, gradient, variable, rate):
    self.assign_sub(variable, rate * gradient)


def upwards(self, gradient, variable, rate):
    self.assign_add(variable, rate * gradient)


def momentum(self, gradient, variable, rate):
    memory = self.memories[self._get_variable_index(variable)]
    self.assign(memory, 0.9 * memory + gradient)
    self.assign_sub(variable, rate * memory)


def only_signs(self, gradient, variable, rate):
    memory = self.memories[self._get_variable_index(variable)]
    self.assign(memory, 0.9 * memory + 0.1 * gradient)
    self.assign_sub(variable, rate * keras.ops.sign(memory))


def forgets(self, gradient, variable, rate):
    memory = 0.9 * self.memories[self._get_variable_index(variable)] + gradient
    self.assign_sub(variable, rate * memory)


class Nesterov(keras.optimizers.SGD):
    """Another style: a subclass of Keras's, with a step of its own."""

    def __init__(self):
        super().__init__(0.003, momentum=0.9)

    def update_step(self, gradient, variable, learning_rate):
        memory = self.momentums[self._get_variable_index(variable)]
        self.assign(memory, 0.9 * memory - learning_rate * gradient)
        self.assign_add(variable, 0.9 * memory - learning_rate * gradient)


class NoStep(keras.optimizers.SGD):
    def __init__(self):
        super().__init__(0.003, momentum=0.9, nesterov=True)


SERVER = """
import pickle, sys
import keras, jax
answers, sys.stdout = sys.stdout.buffer, sys.stderr
answers.write(b"!")
answers.flush()
while True:
    try:
        task = pickle.load(sys.stdin.buffer)  # bytes: read whole, whatever is in them
        function, arguments = pickle.loads(task)
        told = function(*arguments), None
    except EOFError:
        break
    except Exception as error:
        told = None, f"{type(error).__name__}: {error}"
    pickle.dump(told, answers)
    answers.flush()
"""


READY = set()


@functools.cache
def server():
    """One process on JAX for all answers, which imports no more than it needs."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def run_on_server(backend, function, *arguments, limit=None):
    """Like `run_on`, without its start: of a process for each answer."""
    process = server()
    if process not in READY:
        process.stdout.read(1)  # it may take longer than a learner's function
        READY.add(process)
    try:
        pickle.dump(cloudpickle.dumps((function, arguments)), process.stdin)
        process.stdin.flush()
        returned, fault = pickle.load(process.stdout)
    except BaseException:  # it takes too long, or has died
        process.kill()
        process.wait()
        server.cache_clear()
        raise
    if fault:
        raise RuntimeError(fault)
    return returned


def on_jax():
    notebook_12.run_on = run_on_server
    run_on_server("jax", int)
    return {"put_back": with_changes().__globals__["put_back"]}


def with_orthogonalise():
    keras.utils.set_random_seed(8)
    layers = [keras.layers.Dense(64), keras.layers.Dense(64), keras.layers.Dense(1)]
    start_weights = keras.Sequential([keras.Input((13,)), *layers]).get_weights()
    return {"start_weights": start_weights, "orthogonalise": orthogonalise}


PREPARE = {
    "12-clip": dict,
    "12-jax": on_jax,
    "12-own": with_orthogonalise,
    "12-rows": ["data", "network", "start-weights", "predict"],
}
