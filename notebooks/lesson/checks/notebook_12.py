"""Checks of notebook 12, Custom training."""

import inspect
import sys

import keras
import numpy as np

from lesson.backends import run_on
from lesson.checks.engine import exercise, first_line, judged, right, wrong
from lesson.datasets import load_boston

LIMIT = 300  # the gradient norm that exercise 1 allows


def _numbers(value):
    """An array of finite numbers made from what a learner left, or None."""
    if isinstance(value, dict | set | str | bytes):
        return None
    try:
        array = np.asarray(value, dtype=float)
    except Exception:  # a tensor that is only traced, or something else that holds no numbers
        return None
    return array if array.size and np.isfinite(array).all() else None


def _close(array, expected, tolerance=1e-4):
    """Equal but for rounding, measured by the largest number expected."""
    scale = np.abs(expected).max() + 1e-12
    return array.shape == expected.shape and np.abs(array - expected).max() <= tolerance * scale


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


def _called(name, function, *arguments):
    """What a learner's function returns, or a line that says why it does not."""
    if not callable(function) or isinstance(function, type):
        return None, wrong(f"{name}: this should be a function; it is of type "
                           f"{type(function).__name__}.")  # fmt: skip
    try:
        return function(*arguments), None
    except Exception as error:
        return None, wrong(f"{name}: it stops with {type(error).__name__}: {first_line(error)}.")


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


@exercise("12-clip", "make the class ClippedModel", ClippedModel=object)
def _clip(found):
    given = found["ClippedModel"]
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
        try:
            steps.append(_one_step(given, scale, logs))
        except Exception as error:
            fault = f"{type(error).__name__}: {first_line(error)}"
            yield wrong(f"train_step: a step stops with {fault}.")
            return
        count = _numbers(logs.get("clipped", [None])[-1])
        counts.append("nothing" if count is None or count.size != 1 else f"{count.item():g}")
    yield _judge_long(steps[0])
    yield _judge_short(steps[1])
    yield judged(
        counts == ["1", "0"],
        "clipped: counts the long ones.",
        "clipped: under this name train_step should report how many gradients were shortened. For "
        f"one long and for one short gradient yours reports {counts[0]} and {counts[1]}.",
    )


def _judge_long(step):
    gradient = _one_step(keras.Model, LONG)
    expected = gradient * LIMIT / np.linalg.norm(gradient)
    if _close(step, expected, 1e-3):
        return right(f"long gradients: shortened to a norm of {LIMIT}, in their own direction.")
    guesses = {
        "no weight has moved. Does the optimizer apply them?": 0 * gradient,
        "they move the weights as they are. Which ones does the optimizer get?": gradient,
        "the weights move twice, once by the gradients as they are.": gradient + expected,
        "every tensor was shortened for itself, as clipnorm does. One factor for all is asked "
        "for.": _one_step(keras.Model, LONG, clipnorm=LIMIT),
        "every number was cut for itself, as clipvalue does, and that changes the direction.": (
            _one_step(keras.Model, LONG, clipvalue=LIMIT)
        ),
        "the weights move up the slope, not down.": -expected,
    }
    for text, values in guesses.items():
        if _close(step, values, 1e-3):
            return wrong(f"long gradients: {text}")
    norm = np.linalg.norm(step)
    same = np.isfinite(norm) and _close(step / norm, gradient / np.linalg.norm(gradient), 1e-2)
    where = f"in their own direction, to a norm of {norm:.3g}" if same else "in another direction"
    return wrong(f"long gradients: they move the weights {where}. Asked is a norm of {LIMIT}.")


def _judge_short(step):
    gradient = _one_step(keras.Model, SHORT)
    norm = np.linalg.norm(gradient)
    if _close(step, gradient * LIMIT / norm, 1e-3):
        return wrong(
            f"short gradients: they are made longer, to a norm of {LIMIT}. Below the limit they "
            "should be left alone."
        )
    return judged(
        _close(step, gradient, 1e-3),
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


@exercise("12-jax", "make the function losses_jax", losses_jax=object)
def _jax(found):
    given = found["losses_jax"]
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
    try:
        returned = _on_jax(given, weights, batches)
    except Exception as error:
        yield wrong(f"losses_jax: on JAX it stops with {first_line(error)}.")
        return
    yield _judge_losses(returned, weights, batches)


def _judge_losses(returned, weights, batches):
    losses = _numbers(returned)
    if losses is None:
        return wrong("losses_jax: it should return a list of numbers, the loss of each batch.")
    if losses.shape != (len(batches),):
        return wrong(
            f"losses_jax: for {len(batches)} batches it returns numbers of shape {losses.shape}; "
            "one for each batch is asked for."
        )
    if _close(losses, _by_hand(weights, batches), 1e-3):
        return right("losses_jax: step by step the losses that these batches should give.")
    slips = {
        "nothing is learned. Do the new weights go into the next step?": {"moves": False},
        "the optimizer's memory is new in every step. Is the state handed on?": {"forgets": True},
        "the weights move up the slope, not down.": {"up": True},
        "each loss is that after its step; the one before it is asked for.": {"after": True},
    }
    for text, slip in slips.items():
        if _close(losses, _by_hand(weights, batches, **slip), 1e-3):
            return wrong(f"losses_jax: {text}")
    if np.isclose(losses[0], _by_hand(weights, batches)[0], rtol=1e-3):
        return wrong("losses_jax: the first loss is right and the later ones are not. What becomes "
                     "of weights and state?")  # fmt: skip
    return wrong("losses_jax: the first loss, before any step, is not the squared error of the "
                 "predictions. What does loss_at return?")  # fmt: skip


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


@exercise(
    "12-rows",
    "make row_norms, 303 numbers",
    start_weights=object,
    row_norms=object,
)
def _rows(found):
    norms, given = _numbers(found["row_norms"]), found["start_weights"]
    shapes = [(13, 64), (64,), (64, 64), (64,), (64, 1), (1,)]
    weights = [_numbers(w) for w in given] if isinstance(given, list | tuple) else []
    if [w.shape for w in weights if w is not None] != shapes:
        yield wrong("start_weights: not the six arrays that the notebook made. Run its cell again.")
        return
    if norms is None:
        yield wrong("row_norms: this should be an array of numbers.")
        return
    if norms.size != 303:
        hint = (
            " That is one for all rows together. Is each row's gradient taken alone?"
            if norms.size == 1
            else ""
        )
        yield wrong(f"row_norms: {norms.size} numbers; there are 303 rows.{hint}")
        return
    gradients = _gradients(weights, *_fold_1())
    squares = [(g**2).reshape(303, -1) for g in gradients]
    lengths = np.sqrt(sum(s.sum(axis=1) for s in squares))
    together = np.sqrt(sum((g.mean(axis=0) ** 2).sum() for g in gradients))
    norms, tolerance = norms.ravel(), 1e-3
    if _close(norms, lengths, tolerance):
        yield right("row_norms: for each row the norm of its own gradient.")
        return
    guesses = {
        "the root is missing: these are the norms squared.": lengths**2,
        "all the same: the norm of the mean gradient of all rows. Which arguments are many?": (
            np.full(303, together)
        ),
        "these are sums of the tensors' norms. Add the squares first, then take one root.": sum(
            np.sqrt(s.sum(axis=1)) for s in squares
        ),
        "these are divided by the number of rows. Each row stands alone here.": lengths / 303,
    }
    for text, values in guesses.items():
        if _close(norms, values, tolerance):
            yield wrong(f"row_norms: {text}")
            return
    yield wrong(
        "row_norms: the values differ from the gradient norms of loss_of at start_weights. Are "
        "rows and prices those of train_x[0] and train_y[0]?"
    )


# --- 4. Smooth with scan --------------------------------------------------------------------


def _smoothed(values, factor):
    smooth = [values[0]]
    for value in values[1:]:
        smooth.append(factor * smooth[-1] + (1 - factor) * value)
    return np.array(smooth)


@exercise("12-scan", "make the function smooth", smooth=object)
def _scan(found):
    smooth = found["smooth"]
    values = np.array([4.0, 2.0, 7.0, 1.0, 1.0, 5.0], "float32")
    returned, fault = _called("smooth", smooth, values, 0.75)
    if fault:
        yield fault
        return
    yield _judge_smooth(returned, values)
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


def _judge_smooth(returned, values):
    if isinstance(returned, tuple) and len(returned) == 2:
        return wrong(
            "smooth: it returns two things. scan gives the last carry and what was written down; "
            "only one of them is the smooth line."
        )
    points = _numbers(returned)
    if points is None:
        return wrong("smooth: it should return an array of numbers.")
    expected = _smoothed(values, 0.75)
    if _close(points, expected):
        return right("smooth: the values of notebook 08's loop.")
    guesses = {
        "the factor is on the wrong term: the smooth point before has it.": _smoothed(values, 0.25),
        "it starts from 0. What should be carried into the first round?": _smoothed(
            np.append(0, values), 0.75
        )[1:],
        "these are the values as they were.": values,
        "what is written down is the point before, so all stand one place late.": np.append(
            values[0], expected[:-1]
        ),
        "the carry does not move on: every round starts from the first value.": (
            0.75 * values[0] + 0.25 * values
        ),
    }
    for text, wrong_values in guesses.items():
        if _close(points, wrong_values):
            return wrong(f"smooth: {text}")
    if points.size == 1:
        return wrong("smooth: one number; the whole line is asked for. What does scan return?")
    if points.shape != values.shape:
        return wrong(f"smooth: of {len(values)} values it makes an array of shape {points.shape}; "
                     "there should be as many as there were.")  # fmt: skip
    return wrong("smooth: the values differ from factor × the point before + (1 − factor) × value.")
