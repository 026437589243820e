"""Checks of notebook 12, Custom training."""

import functools
import inspect

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
    judged,
    near,
    right,
    wrong,
)
from lesson.datasets import load_boston

LIMIT = 300  # the gradient norm that exercise 1 allows


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

PENALTY = 0.1  # of the first layer's weights


def _task(steps=5, rows=6):
    """Weights of a 3-4-4-1 network and batches to train it on."""
    rng = np.random.default_rng(12)
    shapes = [(3, 4), (4,), (4, 4), (4,), (4, 1), (1,)]
    weights = [rng.normal(size=shape).astype("float32") for shape in shapes]
    x = 1 + rng.normal(size=(steps, rows, 3)).astype("float32")
    return weights, list(zip(x, 3 + x.sum(axis=2), strict=True))


def _on_jax(losses_jax, weights, batches):
    """What a learner's function returns, and the model's weights after it, on JAX."""

    def train():  # pickled with all it names, so that the process need not import this file
        norm = keras.layers.BatchNormalization(center=False, scale=False)
        model = keras.Sequential([keras.Input((3,)), norm])
        l2 = keras.regularizers.L2(PENALTY)
        for units, activation, penalty in ((4, "relu", l2), (4, "relu", None), (1, None, None)):
            options = {"kernel_initializer": "zeros", "kernel_regularizer": penalty}
            model.add(keras.layers.Dense(units, activation=activation, **options))
        model.set_weights([*norm.get_weights(), *weights])
        optimizer = keras.optimizers.SGD(0.01, momentum=0.9)  # few operations to compile
        returned = losses_jax(model, optimizer, keras.losses.MeanSquaredError(), batches)
        if not isinstance(returned, str) and returned is not None:
            returned = np.asarray(returned, dtype=float)
        return returned, [np.asarray(weight) for weight in model.get_weights()]

    return run_on("jax", train, limit=60)


def _by_hand(
    weights, batches, *, moves=True, forgets=False, up=False, after=False, penalty=PENALTY
):
    """The same steps in NumPy: losses, weights after them; with a slip, what it would give."""
    velocities, losses = [0 * weight for weight in weights], []
    mean, variance = np.zeros(3), np.ones(3)
    for x, y in batches:
        mean, variance = 0.99 * mean + 0.01 * x.mean(0), 0.99 * variance + 0.01 * x.var(0)
        x = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)
        gradients = [g.mean(axis=0) for g in _gradients(weights, x, y)]
        gradients[0] = gradients[0] + 2 * penalty * weights[0]
        old = weights
        if moves:
            rate = -0.01 if up else 0.01
            pairs = zip(velocities, gradients, strict=True)
            velocities = [0.9 * (0 if forgets else v) - rate * g for v, g in pairs]
            weights = [w + v for w, v in zip(weights, velocities, strict=True)]
        seen = weights if after else old
        losses.append(((_predicted(seen, x) - y) ** 2).mean() + penalty * (seen[0] ** 2).sum())
    return np.array(losses), [mean, variance, *weights]


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
    losses, after = returned
    expected, weights_after = _by_hand(weights, batches)
    line = _judge_losses(losses, expected, weights, batches)
    yield line
    if line[0] == "✓":
        yield _judge_kept(after, weights_after)


def _judge_losses(returned, expected, weights, batches):
    losses = as_array(returned)
    if losses is None:
        return wrong("losses_jax: it should return a list of numbers, the loss of each batch.")
    if losses.shape != expected.shape:
        return wrong(
            f"losses_jax: for {len(batches)} batches it returns numbers of shape {losses.shape}; "
            "one for each batch is asked for."
        )
    slips = {
        "the penalties are missing. What does stateless_call return last?": {"penalty": 0},
        "nothing is learned. Do the new weights go into the next step?": {"moves": False},
        "the optimizer's memory is new in every step. Is the state handed on?": {"forgets": True},
        "the weights move up the slope, not down.": {"up": True},
        "each loss is that after its step; the one before it is asked for.": {"after": True},
    }
    return array(
        "losses_jax",
        losses,
        expected,
        "step by step the losses that these batches should give, penalties included.",
        {text: _by_hand(weights, batches, **slip)[0] for text, slip in slips.items()},
        "the first loss is right and the later ones are not. What becomes of weights and state?"
        if np.isclose(losses[0], expected[0], rtol=1e-3)
        else "the first loss, before any step, is not squared error plus penalties. What does "
        "loss_at return?",
        tolerance=1e-3,
    )


def _judge_kept(after, expected):
    """A line on what is in the model when the function is done."""
    near_enough = [near(a, b, 1e-3) for a, b in zip(after, expected, strict=True)]
    if all(near_enough):
        return right("the model: weights and moving statistics are in it.")
    if all(near_enough[2:]):
        return wrong(
            "the model: its weights have moved and its moving statistics have not. In every step "
            "there is a new fixed; is it kept?"
        )
    return wrong("the model: it does not have the weights that the last step made.")


# --- 3. An optimizer of one's own ---------------------------------------------------------

GOAL = 9  # the training loss after fifty steps


@exercise("12-own", "make the class MyOptimizer")
def own(MyOptimizer: object, start_weights: object):  # noqa: N803  (a class)
    given, weights = MyOptimizer, _as_weights(start_weights)
    if weights is None:
        yield changed("start_weights")
        return
    if not isinstance(given, type) or not issubclass(given, keras.optimizers.Optimizer):
        yield wrong(
            "MyOptimizer: this should be a class that begins with class "
            "MyOptimizer(keras.optimizers.Optimizer), not something made from it."
        )
        return
    if given.update_step.__module__.startswith("keras."):
        yield wrong("update_step: the class has none of its own, so Keras's moves the weights.")
        return
    made, fault = called("MyOptimizer()", lambda: given())
    if fault:
        yield fault
        return
    loss, fault = called("update_step", lambda: _after_fifty(made, weights), patience=10)
    if fault:
        yield fault
        return
    yield right("update_step: it moves weights by itself.")
    yield _judge_reached(loss)


def _as_weights(given):
    """The six arrays of the 64-64-1 network, or None."""
    arrays = [as_array(one) for one in given] if isinstance(given, list | tuple) else []
    shapes = [(13, 64), (64,), (64, 64), (64,), (64, 1), (1,)]
    return arrays if [None if a is None else a.shape for a in arrays] == shapes else None


def _after_fifty(optimizer, weights):
    """The training loss on fold 1 after fifty steps on all its rows."""
    model = keras.Sequential([keras.Input((13,))])
    for units, activation in ((64, "relu"), (64, "relu"), (1, None)):
        model.add(keras.layers.Dense(units, activation=activation))
    model.set_weights(weights)
    model.compile(optimizer, "mse")
    x, y = _fold_1()
    repeated = np.tile(x, (50, 1)), np.tile(y, 50)
    model.fit(*repeated, batch_size=303, shuffle=False, verbose=0)
    return float(model.evaluate(x, y, batch_size=303, verbose=0))


def _judge_reached(loss):
    if loss < GOAL:
        return right(f"goal: a training loss of {loss:.1f} after fifty steps, below {GOAL}.")
    if not np.isfinite(loss) or loss > 1000:
        why = "The steps are so long that they overshoot. Do they go down the slope?"
    elif loss > 500:
        why = "That is near where it began. Have the weights moved at all?"
    elif loss > 30:
        why = "The way is still long: are the steps too short, or so long that they overshoot?"
    elif loss > 12:
        why = "Plain gradient descent gets as far. What could it remember from earlier steps?"
    else:
        why = "Close. Another rate, or longer memory?"
    size = f"{loss:.1f}" if np.isfinite(loss) and loss < 1e6 else "beyond all bounds"
    return wrong(f"goal: a training loss of {size} after fifty steps; it should be below {GOAL}. "
                 f"{why}")  # fmt: skip


# --- 4. Gradient norms of single rows -----------------------------------------------------


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
    weights = _as_weights(start_weights)
    if weights is None:
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
