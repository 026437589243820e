"""Checks of notebook 12, Custom training."""

import functools
import inspect
import sys

import keras
import numpy as np

from lesson.backends import run_on
from lesson.checks.engine import exercise
from lesson.checks.judges import (
    array,
    as_array,
    as_number,
    called,
    changed,
    first_line,
    function,
    judged,
    near,
    right,
    smoothed,
    wrong,
)
from lesson.datasets import load_boston

LIMIT = 300  # the gradient norm that exercise 1 allows


def _traced(function, *arguments):
    """The program that JAX makes of a function, as text, and what kept it from it.

    Nothing here imports a backend: without JAX in the kernel there is no text.
    """
    jax = sys.modules.get("jax")
    if jax is None:
        return None, None
    try:
        return str(jax.make_jaxpr(function)(*arguments)), None
    except Exception as error:
        return None, wrong(
            f"JAX cannot trace it ({type(error).__name__}: {first_line(error)}). Only jnp and jax "
            "functions work on numbers that are not there yet; NumPy's and float() do not."
        )


# --- 1. Clip the gradients --------------------------------------------------------------


LONG, SHORT = 9000, 30  # prices of this size make gradients of about this norm


def _one_step(model_class, scale, logs=None, **options):
    """By how much one step of SGD at rate 1 lowers the weights of a small network.

    What the step reports is put into `logs`.
    """
    rng = np.random.default_rng(12)
    inputs = keras.Input((3,))
    outputs = keras.layers.Dense(1)(keras.layers.Dense(2)(inputs))
    model = model_class(inputs, outputs)
    model.set_weights([rng.normal(size=weight.shape) / 2 for weight in model.get_weights()])
    before = model.get_weights()
    model.compile(optimizer=keras.optimizers.SGD(1.0, **options), loss="mse")
    x, y = rng.normal(size=(8, 3)), rng.normal(size=8) * scale
    history = model.fit(x, y, batch_size=8, verbose=0).history
    if logs is not None:
        logs |= history
    after = model.get_weights()
    return np.concatenate([(b - a).ravel() for b, a in zip(before, after, strict=True)])


@functools.cache
def _keras_step(scale, **options):
    return _one_step(keras.Model, scale, **options)


@exercise("12-clip", "make the class ClippedModel")
def clip(ClippedModel: object):  # noqa: N803  (a class)
    given = ClippedModel
    if not isinstance(given, type) or not issubclass(given, keras.Model):
        yield wrong(
            "ClippedModel: this should be a class that begins with class "
            "ClippedModel(keras.Model), not something made from it."
        )
        return
    if given.train_step is keras.Model.train_step:
        yield wrong("train_step: the class has none of its own, so fit takes Keras's.")
        return
    steps, counts = [], []
    for scale in (LONG, SHORT):
        logs = {}
        step, fault = called("train_step", lambda: _one_step(given, scale, logs))  # noqa: B023
        if fault:
            yield fault
            return
        steps.append(step)
        count = as_number(logs.get("clipped", [None])[-1])
        counts.append("nothing" if count is None else f"{count:g}")
    if _is_upside_down(steps[1]):
        yield wrong(
            "factor: the fraction is upside down, so short gradients become shorter still. One "
            "that is twice as long as allowed needs the factor one half."
        )
    else:
        yield _judge_long(steps[0])
        yield _judge_short(steps[1])
    yield judged(
        counts == ["1", "0"],
        "clipped: counts the long ones.",
        "clipped: under this name train_step should report how many gradients were shortened. For "
        f"one long and for one short gradient yours reports {counts[0]} and {counts[1]}.",
    )


def _is_upside_down(short_step):
    gradient = _keras_step(SHORT)
    return near(short_step, gradient * np.linalg.norm(gradient) / LIMIT, 1e-3)


def _judge_long(step):
    gradient = _keras_step(LONG)
    expected = gradient * LIMIT / np.linalg.norm(gradient)
    if near(step, expected, 1e-3):
        return right(f"long gradients: shortened to a norm of {LIMIT}, in their own direction.")
    guesses = {
        "no weight has moved. Does the optimizer apply them?": 0 * gradient,
        "they move the weights as they are. Which ones does the optimizer get?": gradient,
        "the weights move twice, once by the gradients as they are.": gradient + expected,
        "every tensor was shortened for itself, as clipnorm does. One factor for all is asked "
        "for.": _keras_step(LONG, clipnorm=LIMIT),
        "every number was cut for itself, as clipvalue does, and that changes the direction.": (
            _keras_step(LONG, clipvalue=LIMIT)
        ),
        "the weights move up the slope, not down.": -expected,
    }
    for text, values in guesses.items():
        if near(step, values, 1e-3):
            return wrong(f"long gradients: {text}")
    norm = np.linalg.norm(step)
    same = np.isfinite(norm) and near(step / norm, gradient / np.linalg.norm(gradient), 1e-2)
    where = f"in their own direction, to a norm of {norm:.3g}" if same else "in another direction"
    return wrong(f"long gradients: they move the weights {where}. Asked is a norm of {LIMIT}.")


def _judge_short(step):
    gradient = _keras_step(SHORT)
    norm = np.linalg.norm(gradient)
    if near(step, gradient * LIMIT / norm, 1e-3):
        return wrong(
            f"short gradients: they are made longer, to a norm of {LIMIT}. Below the limit they "
            "should be left alone."
        )
    return judged(
        near(step, gradient, 1e-3),
        "short gradients: left alone.",
        f"short gradients: one of norm {norm:.1f} is below the limit and should move the weights "
        "as it is; yours does not.",
    )


# --- 2. The step in JAX -----------------------------------------------------------------


def _task(steps=8, rows=5):
    """Weights of a 3-4-4-1 network and batches to train it on."""
    rng = np.random.default_rng(12)
    shapes = [(3, 4), (4,), (4, 4), (4,), (4, 1), (1,)]
    weights = [rng.normal(size=shape).astype("float32") for shape in shapes]
    x = rng.normal(size=(steps, rows, 3)).astype("float32")
    return weights, list(zip(x, 3 + x.sum(axis=2), strict=True))


def _on_jax(losses_jax, weights, batches):
    """What a learner's function returns in a process where Keras has JAX."""

    def train():  # pickled with all it names, so that the process need not import this file
        model = keras.Sequential([keras.Input((3,))])
        for units, activation in ((4, "relu"), (4, "relu"), (1, None)):
            model.add(keras.layers.Dense(units, activation=activation))
        model.set_weights(weights)
        optimizer = keras.optimizers.RMSprop(0.1)
        returned = losses_jax(model, optimizer, keras.losses.MeanSquaredError(), batches)
        return returned if isinstance(returned, str) else np.asarray(returned, dtype=float)

    return run_on("jax", train)


def _by_hand(weights, batches, *, moves=True, forgets=False, up=False, after=False):
    """The losses of the same steps, in NumPy; with a slip, those that it would give."""
    averages, losses = [0 * weight for weight in weights], []
    for x, y in batches:
        gradients = [g.mean(axis=0) for g in _gradients(weights, x, y)]
        old = weights
        if moves:
            signed = [-g if up else g for g in gradients]
            pairs = [_moved(*three) for three in zip(weights, signed, averages, strict=True)]
            weights = [weight for weight, _ in pairs]
            averages = [0 * a if forgets else a for _, a in pairs]
        losses.append(((_predicted(weights if after else old, x) - y) ** 2).mean())
    return np.array(losses)


def _moved(weight, gradient, average):
    """RMSprop at rate 0.1."""
    average = 0.9 * average + 0.1 * gradient**2
    return weight - 0.1 * gradient / np.sqrt(average + 1e-7), average


def _predicted(weights, x):
    w1, b1, w2, b2, w3, b3 = weights
    hidden = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
    return (hidden @ w3 + b3)[:, 0]


@exercise("12-jax", "make the function losses_jax")
def jax(losses_jax: object):
    given = losses_jax
    if not inspect.isfunction(given):
        yield wrong(f"losses_jax: this should be a function; it is of type {type(given).__name__}.")
        return
    try:
        inspect.signature(given).bind(1, 2, 3, 4)
    except TypeError:
        yield wrong("losses_jax: it should take four things: model, optimizer, squared_error and "
                    "batches.")  # fmt: skip
        return
    weights, batches = _task()
    returned, fault = called(
        "losses_jax, on JAX", lambda: _on_jax(given, weights, batches), patience=10
    )
    if fault:
        yield wrong(fault[1].replace("RuntimeError: ", ""))  # the process's own, around theirs
        return
    yield _judge_losses(returned, weights, batches)


def _judge_losses(returned, weights, batches):
    losses, expected = as_array(returned), _by_hand(weights, batches)
    if losses is None:
        return wrong("losses_jax: it should return a list of numbers, the loss of each batch.")
    if losses.shape != expected.shape:
        return wrong(
            f"losses_jax: for {len(batches)} batches it returns numbers of shape {losses.shape}; "
            "one for each batch is asked for."
        )
    slips = {
        "nothing is learned. Do the new weights go into the next step?": {"moves": False},
        "the optimizer's memory is new in every step. Is the state handed on?": {"forgets": True},
        "the weights move up the slope, not down.": {"up": True},
        "each loss is that after its step; the one before it is asked for.": {"after": True},
    }
    return array(
        "losses_jax",
        losses,
        expected,
        "step by step the losses that these batches should give.",
        {text: _by_hand(weights, batches, **slip) for text, slip in slips.items()},
        "the first loss is right and the later ones are not. What becomes of weights and state?"
        if np.isclose(losses[0], expected[0], rtol=1e-3)
        else "the first loss, before any step, is not the squared error of the predictions. What "
        "does loss_at return?",
        tolerance=1e-3,
    )


# --- 3. Gradient norms of single rows -----------------------------------------------------


def _fold_1():
    """Training rows and prices of the first fold, standardised by their own statistics."""
    (features, prices), _ = load_boston()
    rows = features[101:]
    return (rows - rows.mean(axis=0)) / rows.std(axis=0), prices[101:]


def _gradients(weights, x, y):
    """Of the squared error of each row: gradients with an axis for the rows, by hand."""
    w1, b1, w2, b2, w3, b3 = weights
    one = np.maximum(x @ w1 + b1, 0)
    two = np.maximum(one @ w2 + b2, 0)
    back_3 = 2 * ((two @ w3 + b3) - y[:, None])
    back_2 = (back_3 @ w3.T) * (two > 0)
    back_1 = (back_2 @ w2.T) * (one > 0)
    pairs = ((x, back_1), (one, back_2), (two, back_3))
    return [part for a, b in pairs for part in (a[:, :, None] * b[:, None], b)]


@exercise("12-rows", "make row_norms, 303 numbers")
def rows(row_norms: object, start_weights: object):
    shapes = [(13, 64), (64,), (64, 64), (64,), (64, 1), (1,)]
    given = start_weights if isinstance(start_weights, list | tuple) else []
    weights = [as_array(weight) for weight in given]
    if [None if weight is None else weight.shape for weight in weights] != shapes:
        yield changed("start_weights")
        return
    norms = as_array(row_norms)
    if norms is not None and norms.size != 303:
        hint = (
            " That is one for all rows together. Is each row's gradient taken alone?"
            if norms.size == 1
            else ""
        )
        yield wrong(f"row_norms: {norms.size} numbers; there are 303 rows.{hint}")
        return
    gradients = _gradients(weights, *_fold_1())
    squares = [(gradient**2).reshape(303, -1).sum(axis=1) for gradient in gradients]
    lengths = np.sqrt(sum(squares))
    together = np.sqrt(sum((gradient.mean(axis=0) ** 2).sum() for gradient in gradients))
    yield array(
        "row_norms",
        row_norms if norms is None else norms.ravel(),
        lengths,
        "for each row the norm of its own gradient.",
        {
            "the root is missing: these are the norms squared.": lengths**2,
            "all the same: the norm of the mean gradient of all rows. Which arguments are many?": (
                np.full(303, together)
            ),
            "these are sums of the tensors' norms. Add the squares first, then take one root.": (
                sum(np.sqrt(square) for square in squares)
            ),
            "these are divided by the number of rows. Each row stands alone here.": lengths / 303,
        },
        "the values differ from the gradient norms of loss_of at start_weights. Are rows and "
        "prices those of train_x[0] and train_y[0]?",
        tolerance=1e-3,
    )


# --- 4. Smooth with scan --------------------------------------------------------------------


@exercise("12-scan", "make the function smooth")
def scan(smooth: object):
    values = np.array([4.0, 2.0, 7.0, 1.0, 1.0, 5.0], "float32")
    returned, fault = called("smooth", smooth, values, 0.75)
    if not fault and isinstance(returned, tuple) and len(returned) == 2:
        fault = wrong(
            "smooth: it returns two things. scan gives the last carry and what was written down; "
            "only one of them is the smooth line."
        )
    if fault:
        yield fault
        return
    if np.size(returned) == 1:
        yield wrong("smooth: one number; the whole line is asked for. What does scan return?")
    else:
        yield _judge_smooth(smooth, values)
    programs = []
    for count in (20, 60):
        text, fault = _traced(lambda given: smooth(given, 0.9), np.ones(count, "float32"))
        if fault:
            yield fault
            return
        programs.append(len(text.splitlines()) if text else 0)
    yield judged(
        programs[1] <= programs[0] + 5,
        "the loop: one piece, however many values there are.",
        "the loop: it is Python's, so JAX notes every round anew, and the program for 60 values is "
        "longer than that for 20. Let scan do the rounds.",
    )


def _judge_smooth(smooth, values):
    return function(
        "smooth",
        smooth,
        [(values, 0.75)],
        smoothed,
        "the values of notebook 08's loop.",
        {
            "the factor is on the wrong term: the smooth point before has it.": (
                lambda v, f: smoothed(v, 1 - f)
            ),
            "it starts from 0. What should be carried into the first round?": (
                lambda v, f: smoothed(np.append(0, v), f)[1:]
            ),
            "these are the values as they were.": lambda v, f: v,
            "what is written down is the point before, so all are one place late.": (
                lambda v, f: np.append(v[0], smoothed(v, f)[:-1])
            ),
            "the carry does not move on: every round starts from the first value.": (
                lambda v, f: f * v[0] + (1 - f) * v
            ),
        },
        "the values differ from factor × the point before + (1 − factor) × value.",
    )
