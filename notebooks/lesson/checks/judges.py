"""One way for each thing that recurs in the checks.

Lines of an answer (`right`, `wrong`, `note`); what a learner left, taken as a
number, an array, a model (`taken_as`); and judges of a number, an array, a
function, a compiled model and a history.
"""

import _thread
import builtins
import contextlib
import difflib
import math
import numbers
import signal
import threading
import types
import warnings
from collections.abc import Callable

import keras
import numpy as np

RIGHT, WRONG, NOTE = "✓", "✗", "·"
SECONDS = 10  # that a learner's function may take: on JAX a first model took 3 on a busy machine


# --- Lines ------------------------------------------------------------------------


def right(text):
    """A line that says what is right."""
    return RIGHT, text


def wrong(text):
    """A line that says what is not right yet, and why."""
    return WRONG, text


def note(text):
    """A line that judges nothing."""
    return NOTE, text


def judged(is_right, text, otherwise):
    """One of two lines, by what was found."""
    return right(text) if is_right else wrong(otherwise)


def not_compiled(name):
    """The line on a model that is there and was not compiled."""
    return wrong(f"{name}: it is not compiled yet.")


def changed(*names):
    """The line on objects of the notebook's own that are not what its cells made."""
    verb = "is" if len(names) == 1 else "are"
    return wrong(f"{' and '.join(names)} {verb} not what the cells above make: run them again.")


def first_line(error):
    """The first line of an error: some of Keras's fill a screen."""
    return (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")


def told(error):
    """An error in one short line, to put into a sentence."""
    first = first_line(error)[:160].rstrip(".?")
    like = ""
    if isinstance(error, AttributeError) and error.name:
        like = _like(error.name, dir(error.obj))
    return f"{type(error).__name__}: {first}{like}" if first else type(error).__name__


def _like(name, names):
    found = difflib.get_close_matches(name, names, 1, 0.75)
    return f" (is {found[0]} meant?)" if found else ""


# --- What a learner left ------------------------------------------------------------


def taken_as(kind, name, thing):
    """What a learner left under a name, as what it must be.

    Args:
        kind: `numbers.Real` for a number, however it was made; `np.ndarray` for
            an array of finite numbers; `Callable` for a function; `keras.Model`,
            `keras.callbacks.History` or any other type; `object` for anything.
        name: the variable's name, to say it.
        thing: what stands there.

    Returns:
        The thing, a number as `int` or `float` and an array as NumPy's, and
        None; or None and a text that says what is wrong with it.
    """
    if kind is object or kind is Ellipsis:
        return thing, None
    if kind is numbers.Real:
        return _number(name, thing)
    if kind is np.ndarray:
        array = as_array(thing)
        return array, None if array is not None else f"{name}: {_no_numbers(thing)}"
    if kind is Callable:
        fits = callable(thing) and not isinstance(thing, type | keras.Model)
        return thing, None if fits else f"{name} is {_what(thing)}; it should be a function."
    if isinstance(thing, kind) and not isinstance(thing, bool):
        return thing, None
    return None, f"{name} is {_what(thing)}; it should be {_kind(kind)}.{_way_out(thing, kind)}"


def as_number(thing):
    """A finite `int` or `float` made from one number of any make, or None."""
    if isinstance(thing, bool | str | bytes | list | tuple | dict | set | type):
        return None
    if isinstance(thing, int):
        return thing
    try:
        is_one = len(getattr(thing, "shape", ())) == 0 and "bool" not in str(
            getattr(thing, "dtype", "")
        )
        number = float(thing) if is_one else math.nan
    except Exception:  # whatever it is, it is no number
        return None
    return number if math.isfinite(number) else None


def as_array(thing, dtype=float):
    """An array of finite numbers made from what a learner left, or None."""
    if isinstance(thing, dict | set | str | bytes | bool | type | types.GeneratorType):
        return None
    try:
        array = np.asarray(_plain(thing))
        if array.dtype.kind not in "iufbO" or array.dtype.kind == "b" and dtype is float:
            return None
        array = array.astype(dtype)
        return array if array.size and np.isfinite(array).all() else None
    except Exception:  # ragged, text inside, a tensor that is only traced
        return None


def _plain(thing):
    """A tensor or a variable of any backend as NumPy's array; anything else as it is."""
    if isinstance(thing, keras.Variable) or keras.ops.is_tensor(thing):
        return keras.ops.convert_to_numpy(thing)
    if isinstance(thing, list | tuple):
        return [_plain(one) for one in thing]
    return thing


def _number(name, thing):
    number = as_number(thing)
    if number is not None:
        return number, None
    if isinstance(thing, tuple) and all(as_number(one) is not None for one in thing):
        return None, (
            f"{name} is {_short(thing)}: a comma makes a tuple of it. Leave it out; Python writes "
            "one and a half 1.5, and ten thousand 10000 or 10_000."
        )
    what = f"{name} is {_what(thing)}; it should be a number."
    if isinstance(thing, str) and _reads_as_number(thing):
        return None, f"{name} is text, {thing!r}. Without the quotation marks it is a number."
    if isinstance(thing, list) or (np.ndim(_plain_or_none(thing)) and hasattr(thing, "shape")):
        return None, f"{what} One alone, without brackets around it."
    if isinstance(thing, float | np.floating):
        return None, (
            f"{name} is {thing}, which is no number. Was something divided by 0, or not there?"
        )
    if callable(thing) and not isinstance(thing, type):
        return None, f"{what} Are the brackets missing, (), that call it?"
    return None, what


def _plain_or_none(thing):
    try:
        return np.asarray(_plain(thing))
    except Exception:
        return None


def _reads_as_number(text):
    try:
        return math.isfinite(float(text.strip().rstrip("%").replace(",", "")))
    except ValueError:
        return False


def _no_numbers(thing, it="this"):
    """Why no array of numbers can be made of a thing."""
    if isinstance(thing, str | dict | set | type | types.GeneratorType) or callable(thing):
        return f"{it} is {_what(thing)}; it should be a list or an array of numbers."
    try:
        array = np.asarray(_plain(thing))
    except Exception:
        return f"{it} has rows of unequal lengths, or holds something that is no number."
    if not array.size:
        return f"{it} is empty."
    if array.dtype.kind in "fc" and not np.isfinite(array).all():
        return f"{it} has values that are no numbers (nan or inf). Was something divided by 0?"
    if array.dtype.kind in "US":
        return f"{it} holds text; take the quotation marks away."
    return f"{it} is {_what(thing)}; it should be a list or an array of numbers."


def _short(thing):
    text = repr(thing)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _what(thing):
    """What something is, in words."""
    if isinstance(thing, type):
        return f"the class {thing.__name__} itself"
    if isinstance(thing, bool | np.bool_):
        return f"{thing}"
    if isinstance(thing, keras.Model):
        return "a Keras model"
    if isinstance(thing, types.GeneratorType):
        return "a generator"
    if isinstance(thing, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
        return "a function"
    return f"of type {type(thing).__name__}"


def _kind(kind):
    names = {
        keras.Model: "a Keras model",
        keras.callbacks.History: "the History that fit returns",
        keras.callbacks.Callback: "a callback of Keras's, one alone",
        dict: "a dict",
        list: "a list",
        str: "text",
    }
    return names.get(kind, f"of type {getattr(kind, '__name__', str(kind))}")


def _way_out(thing, kind):
    if kind is keras.Model and isinstance(thing, keras.callbacks.History):
        return " fit returns a history; the model stays under its own name."
    if kind is keras.callbacks.History and isinstance(thing, dict | keras.Model):
        return " Keep what fit returns as it is."
    if isinstance(thing, types.FunctionType) or thing is kind:
        return " Call it: are the brackets missing?"
    return ""


# --- A number, an array, a function ---------------------------------------------------


def close(value, other, tolerance=1e-3, within=1e-9):
    """Whether two numbers agree, in share of their size or to so much."""
    return math.isclose(value, other, rel_tol=tolerance, abs_tol=within)


def near(array, expected, tolerance=1e-4):
    """Whether two arrays agree but for rounding, measured by the largest number expected."""
    array, expected = np.asarray(array), np.asarray(expected)
    scale = np.abs(expected).max() + 1e-12
    return array.shape == expected.shape and bool(
        np.abs(array - expected).max() <= tolerance * scale
    )


def number(
    name, given, value, why, mistakes=None, otherwise="", follows=None, tolerance=1e-9, within=1e-9
):
    """A line on a number: why it is right, or what was mistaken.

    Args:
        name: what the learner called it.
        given: the learner's number.
        value: the right one.
        why: what makes it right, after the name and a colon.
        mistakes: by what to say of it, the value that a mistake gives, or
            several.
        otherwise: what to say of any other value.
        follows: what would be right if another answer were, and that answer's
            name; then no cross is given.
        tolerance: by what share of it the number may be off.
        within: or by how much.
    """
    if close(given, value, tolerance, within):
        return right(f"{name}: {why}")
    if follows and close(given, follows[0], tolerance, within):
        return note(f"{name}: that follows from your {follows[1]}, which is not right yet.")
    for text, values in (mistakes or {}).items():
        values = values if isinstance(values, list | tuple) else [values]
        if any(close(given, other, tolerance, within) for other in values):
            return wrong(f"{name}: {text}")
    return wrong(f"{name}: {otherwise}")


def share(name, given, value, why, mistakes=None, otherwise="", within=0.006):
    """A line on a number that is to be a share, such as 0.02, and not in percent."""
    if not close(given, value, 0, within) and close(given / 100, value, 0, within):
        return wrong(f"{name}: give it as a share, such as 0.02, not in percent.")
    return number(name, given, value, why, mistakes, otherwise, tolerance=0, within=within)


def array(name, given, expected, why, mistakes=None, otherwise="", tolerance=1e-4):
    """A line on an array: why it is right, what was mistaken, or that its shape is another.

    Args:
        name: what the learner called it.
        given: what the learner left there.
        expected: the right array.
        why: what makes it right.
        mistakes: by what to say of it, the array that a mistake gives, of any
            shape, or several in a tuple.
        otherwise: what to say of any other array of this shape.
        tolerance: by what share of the largest expected number each may be off.
    """
    found, expected = as_array(given), np.asarray(expected)
    if found is None:
        return wrong(f"{name}: {_no_numbers(given)}")
    if near(found, expected, tolerance):
        return right(f"{name}: {why}")
    for text, others in (mistakes or {}).items():
        others = others if isinstance(others, tuple) else (others,)
        if any(near(found, other, tolerance) for other in others):
            return wrong(f"{name}: {text}")
    if found.shape != expected.shape:
        return wrong(f"{name}: its shape is {found.shape}; it should be {expected.shape}.")
    return wrong(f"{name}: {otherwise}")


def smoothed(values, factor=0.9):
    """The exponential moving average: each point is factor × the one before, and the rest new."""
    points = [values[0]]
    for value in values[1:]:
        points.append(factor * points[-1] + (1 - factor) * value)
    return np.array(points)


class TakesTooLong(BaseException):
    """A learner's function has not come back in time; its own `except` is not to catch this."""


def called(name, function, *arguments, patience=1, **options):
    """What a learner's function returns, and None; or None and a line on why it does not.

    It may take `patience` times SECONDS, where a process has to start first.
    """
    if not callable(function) or isinstance(function, type | keras.Model):
        return None, wrong(f"{name} is {_what(function)}; it should be a function.")
    try:
        with _no_input(), _limit(patience * SECONDS):
            returned = function(*arguments, **options)
    except TakesTooLong:
        return None, wrong(f"{name}: called, it had not come back after "
                           f"{patience * SECONDS} seconds. Does its loop ever end?")  # fmt: skip
    except EOFError:
        return None, wrong(f"{name}: it asks for input; let it work with what it is given.")
    except Exception as error:
        if set(getattr(error, "name", None) or "") == {"_"}:
            return None, wrong(f"{name}: a blank, {error.name}, is still in it.")
        return None, wrong(f"{name}: called, it stops with {told(error)}.")
    if returned is None:
        return None, wrong(f"{name}: it returns nothing. Is there a return?")
    return returned, None


@contextlib.contextmanager
def _no_input():
    def refuse(*_):
        raise EOFError

    asked, builtins.input = builtins.input, refuse
    try:
        yield
    finally:
        builtins.input = asked


@contextlib.contextmanager
def _limit(seconds):
    """Raise TakesTooLong in the main thread when the time is over."""
    if threading.current_thread() is not threading.main_thread():
        yield  # no other thread can be interrupted
        return
    is_over, is_waiting = False, True

    def ring():
        nonlocal is_over
        is_over = True
        if hasattr(signal, "pthread_kill"):  # ends a sleep, too
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        else:
            _thread.interrupt_main()

    def stop(number, frame):
        if not is_over and callable(before):  # the learner pressed Stop
            before(number, frame)
        elif is_waiting:
            raise TakesTooLong

    before = signal.signal(signal.SIGINT, stop)
    clock = threading.Timer(seconds, ring)
    clock.daemon = True
    clock.start()
    try:
        try:
            yield
        finally:
            is_waiting = False
            clock.cancel()
    finally:
        signal.signal(signal.SIGINT, before)


def function(name, given, samples, expected, why, mistakes=None, otherwise="", tolerance=1e-4):
    """A line on a learner's function, by what it returns for samples.

    Args:
        name: what the learner called it.
        given: the learner's function.
        samples: tuples of arguments.
        expected: a function that gives the right array or number for them.
        why: what makes it right.
        mistakes: by what to say of it, a function that makes this mistake, or a
            list of them; one that cannot take a sample may raise.
        otherwise: what to say of any other values.
        tolerance: by what share of the largest expected number each may be off.
    """
    outputs, fault = [], None
    for sample in samples:
        output, fault = _output(name, given, sample)
        if fault:
            break
        outputs.append(output)

    def agrees(other):
        """For each sample whether another function gives what the learner's does."""
        try:
            return [
                near(output, other(*sample), tolerance)
                for output, sample in zip(outputs, samples, strict=False)
            ]
        except Exception:  # this mistake cannot be made with such a sample
            return [False]

    hits = agrees(expected)
    if not fault and all(hits):
        return right(f"{name}: {why}")
    for text, others in (mistakes or {}).items():
        others = others if isinstance(others, list) else [others]
        if outputs and any(all(agrees(other)) for other in others):
            return wrong(f"{name}: {text}")
    if fault:
        return fault
    for output, sample in zip(outputs, samples, strict=True):
        if output.shape != np.shape(expected(*sample)):
            return wrong(
                f"{name}: what it returns has shape {output.shape}; it should have "
                f"{np.shape(expected(*sample))}."
            )
    if any(hits):
        return wrong(
            f"{name}: right for some arguments and not for others. Does it use all that it is "
            "given, and nothing else?"
        )
    return wrong(f"{name}: {otherwise}")


def _output(name, function, sample):
    """What a learner's function returns for a sample as an array, and None; or None and a line."""
    own = [one.copy() if isinstance(one, np.ndarray) else one for one in sample]
    returned, fault = called(name, function, *own)
    if fault:
        return None, fault
    if (output := as_array(returned)) is None:
        return None, wrong(f"{name}: {_no_numbers(returned, 'what it returns')}")
    if not all(np.array_equal(a, b) for a, b in zip(own, sample, strict=True)):
        return None, wrong(f"{name}: it changes what it is given; make something new instead.")
    return output, None


# --- A model, a history -----------------------------------------------------------------


def steps_taken(model):
    """How many steps a compiled model's optimizer has taken."""
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations))


def unfolded(model):
    """A model's layers in order, each with its activation's name.

    Models inside are taken apart; an activation in a layer of its own belongs
    to the layer before it.
    """
    found = []
    for layer in _flat(model):
        if isinstance(layer, ACTIVATIONS) and found:
            found[-1][1].append(layer)
        else:
            own = getattr(layer, "activation", None)
            found.append((layer, [own] if callable(own) else []))
    return [(layer, _activation(functions)) for layer, functions in found]


ACTIVATIONS = keras.layers.Activation, keras.layers.ReLU, keras.layers.Softmax


def _flat(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _flat(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _activation(functions):
    """The name of what functions compute one after another, whatever they were made of."""
    sample = computed = keras.ops.convert_to_tensor(np.array([[-2, -0.5, 1, 8]], "float32"))
    for function in functions:
        computed, fault = called("activation", function, computed)
        if fault:
            break
    for name in ("linear", "relu", "sigmoid", "softmax", "tanh"):
        expected = as_array(keras.activations.get(name)(sample))
        if (array := as_array(computed)) is not None and near(array, expected):
            return name
    return _name_of(functions[-1])


def loss_on(model, inputs, labels):
    """A compiled model's loss on such data, or None where it has none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            result = model.evaluate(inputs, labels, batch_size=500, verbose=0, return_dict=True)
        return as_number(result["loss"])
    except Exception:  # data of another form, a model that was taken apart
        return None


def cross_entropy(model, inputs, labels, first=None):
    """The mean of -log p over a model's answers, whatever it was compiled with.

    Args:
        model: the learner's.
        inputs: its samples.
        labels: integers or one-hot rows; 0 and 1 where the model has one output.
        first: how many samples to take, from the beginning. Default: all.

    Returns:
        A float; None where the answers are no probabilities, or the data of another form.
    """
    try:
        truth = as_array(labels[:first])  # before what takes a while
        if len(truth) != len(inputs[:first]):
            return None
        shares = as_array(model.predict(inputs[:first], batch_size=500, verbose=0))
        if shares.shape[1] == 1:
            shares = np.hstack([1 - shares, shares])
        elif truth.shape == shares.shape:
            truth = truth.argmax(axis=1)
        if shares.min() < 0 or not np.allclose(shares.sum(axis=1), 1, atol=0.01):
            return None
        given = shares[np.arange(len(shares)), truth.ravel().astype(int)]
        return as_number(-np.log(np.maximum(given, 1e-7)).mean())
    except Exception:  # whatever the learner has built, or left in these names
        return None


def misspelt(thing, name):
    """What stands on a layer or model under a name like this one and is not Keras's own."""
    own = [n for n in vars(thing) if n != name and n not in dir(type(thing)) and n[0] != "_"]
    return next(iter(difflib.get_close_matches(name, own, 1, 0.75)), None)


def curves(history, name, needed, otherwise):
    """The columns of a history as arrays, and None; or None and a line on what lacks.

    Args:
        history: a History, a dict or a DataFrame.
        name: what the learner called it.
        needed: names of columns.
        otherwise: what to do, where one is not there.
    """
    try:
        table = getattr(history, "history", history)
        columns = {column: as_array(table[column]) for column in table}
    except Exception:  # absent from one that never ran
        columns = {}
    missing = [column for column in needed if columns.get(column) is None]
    if missing:
        return None, wrong(f"{name} has no {', '.join(missing)}: {otherwise}")
    return columns, None


# --- What a model was compiled with -------------------------------------------------------

# Two predictions, to see what a loss makes of them.
THREE_CLASSES = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2]], "float32")
YES_NO = np.array([[1], [0], [1]], "float32")
SHARES_OF_YES = np.array([[0.7], [0.4], [0.2]], "float32")


def loss_of(model):
    """The loss function a model was compiled with, or None, and its name."""
    given = keras.tree.flatten(model.loss)  # a list of one is as good
    given = given[0] if len(given) == 1 else None
    if given in ("crossentropy", "ce"):  # what Keras makes of these for one-hot labels
        given = "categorical_crossentropy"
    try:
        loss = keras.losses.get(given)
    except ValueError:
        return None, repr(given)
    return loss, getattr(loss, "__name__", type(loss).__name__)


def _loss_config(loss):
    return loss.get_config() if isinstance(loss, keras.losses.Loss) else {}


def metrics_of(model):
    """What a model was compiled with as metrics: texts, functions, classes, objects."""
    # `get_compile_config` serialises them, which fails for some that Keras takes.
    config = getattr(model, "_compile_config", None)
    given = keras.tree.flatten(config.config.get("metrics") if config else None)
    return [m for m in given if m is not None]


def kind_of_metric(metric, suitable="categoricalaccuracy"):
    name = metric if isinstance(metric, str) else _name_of(metric)
    kind = name.replace("_", "").lower()
    # Keras picks the accuracy that suits the labels, but only for these words.
    if isinstance(metric, str) and kind in ("accuracy", "acc"):
        return suitable
    return kind


def _name_of(thing):
    return getattr(thing, "__name__", type(thing).__name__)


def name_in_history(metric):
    if isinstance(metric, str):
        return metric
    made = keras.metrics.get(metric)
    return getattr(made, "name", None) or _name_of(made)


def _no_loss(model, name):
    if model.loss is None:
        return wrong("loss: none. Without one there is nothing for the optimizer to lower.")
    return wrong(f"loss: Keras knows none called {name}. Mind the spelling.")


def judge_loss_for_one_hot(model):
    """A line on a loss that must suit one-hot labels and softmax outputs."""
    loss, name = loss_of(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return _no_loss(model, name)
    if kind == "sparsecategoricalcrossentropy":
        return wrong(
            f"loss: yours is {name}, which wants integer labels such as 6. The labels here are "
            "one-hot rows of ten numbers."
        )
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: from_logits=True says that the model's outputs are raw scores. This model ends "
            "in a softmax, so its outputs are probabilities already."
        )
    if kind == "categoricalcrossentropy":
        advice = "The one asked for has default settings; yours computes something else."
    else:
        advice = "To choose one class out of ten, with one-hot labels, use the cross-entropy "
        advice += "for categories."
    return judged(
        _computes(loss, np.eye(3, dtype="float32")[:2], THREE_CLASSES, [0.7, 0.5]),
        "loss: cross-entropy between one-hot labels and predicted probabilities.",
        f"loss: yours is {name}. {advice}",
    )


def judge_loss_for_integers(model):
    """A line on a loss that must suit integer labels and softmax outputs."""
    loss, name = loss_of(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return wrong("loss: none that Keras knows. Keep the sparse one, and set it right.")
    if kind == "categoricalcrossentropy":
        return wrong(
            "loss: yours suits one-hot labels, and is one way out. The task is to keep the sparse "
            "loss."
        )
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: sparse, but it still takes the outputs for raw scores. What has the last layer "
            "done to them already?"
        )
    return judged(
        _computes(loss, [0, 1], THREE_CLASSES, [0.7, 0.5]),
        "loss: cross-entropy between integer labels and predicted probabilities.",
        f"loss: yours is {name}; the task is to keep the sparse one.",
    )


def _computes(loss, labels, outputs, shares):
    """Judge a loss by what it computes: minus the logarithm of the true class's
    probability, averaged. A right loss of any make passes."""
    labels, outputs = (keras.ops.convert_to_tensor(np.asarray(x)) for x in (labels, outputs))
    try:
        with warnings.catch_warnings(action="ignore"):  # an unsuitable loss says so
            value = float(np.mean(keras.ops.convert_to_numpy(loss(labels, outputs))))
    except Exception:  # it wants labels of another form
        return False
    return close(value, -float(np.mean(np.log(shares))))


def judge_accuracy_for_one_hot(model, called="categorical_accuracy"):
    """Lines on metrics that must hold the accuracy for one-hot labels, by the name it has below."""
    metrics = {kind_of_metric(m): name_in_history(m) for m in metrics_of(model)}
    unsuitable = {
        "sparsecategoricalaccuracy": (
            "SparseCategoricalAccuracy wants integer labels; yours are one-hot."
        ),
        "binaryaccuracy": (
            "BinaryAccuracy judges each of the ten outputs alone, so it says 0.9 of a model that "
            "knows nothing. Use the accuracy for categories."
        ),
        "accuracy": (
            "Accuracy() asks whether outputs equal labels to the last digit, which probabilities "
            "never do. Use the accuracy for categories."
        ),
    }
    if "categoricalaccuracy" in metrics:
        yield right("metrics: the share of images whose most probable class is the right one.")
        name = metrics["categoricalaccuracy"]
        if name != called:
            yield note(
                f"Keras will call it {name!r} in the history. The cells below look for "
                f"{called!r}, so ask for it by that name."
            )
    elif known := [k for k in unsuitable if k in metrics]:
        yield wrong(f"metrics: {unsuitable[known[0]]}")
    else:
        yield wrong(f"metrics: no accuracy for categories in the list ({_yours(model, metrics)}).")


def _yours(model, metrics):
    config = getattr(model, "_compile_config", None)
    if not metrics and config and config.config.get("loss_weights") is not None:
        return "yours: none. What stands third in compile is loss_weights; write metrics=[…]"
    return f"yours: {', '.join(metrics.values()) or 'none'}"


def judge_adam(optimizer):
    """A line on an optimizer that must be Adam with default settings."""
    return _judge_optimizer(optimizer, "Adam")


def _judge_optimizer(optimizer, wanted):
    name = type(optimizer).__name__
    if name != wanted:
        return wrong(f"optimizer: yours is {name}; the task asks for {wanted}.")
    rate = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
    return judged(
        close(rate, 0.001, 1e-4),
        f"optimizer: {wanted}, with learning rate 0.001.",
        f"optimizer: {wanted}, but with learning rate {rate:g}; the task asks for its default.",
    )


def judge_binary_loss(model):
    """A line on a loss that must suit 0 or 1 as labels and a sigmoid at the end."""
    loss, name = loss_of(model)
    kind = name.replace("_", "").lower()
    if loss is None or model.loss is None:
        return _no_loss(model, name)
    if _loss_config(loss).get("from_logits"):
        return wrong(
            "loss: from_logits=True says that the model's outputs are raw scores. This model ends "
            "in a sigmoid, so its outputs are probabilities already."
        )
    if "categorical" in kind:
        advice = (
            "It compares several outputs, one for each class. Here is one output, for yes or no."
        )
    else:
        advice = (
            "For one output that is the probability of yes, use the cross-entropy for two classes."
        )
    return judged(
        _computes(loss, YES_NO, SHARES_OF_YES, [0.7, 0.6, 0.2]),
        "loss: cross-entropy between labels of 0 or 1 and predicted probabilities.",
        f"loss: yours is {name}. {advice}",
    )


def judge_binary_accuracy(model):
    """Lines on metrics that must hold the accuracy for labels of 0 or 1."""
    metrics = {kind_of_metric(m, "binaryaccuracy"): name_in_history(m) for m in metrics_of(model)}
    if "binaryaccuracy" not in metrics:
        if "accuracy" in metrics:
            yield wrong(
                "metrics: Accuracy() asks whether outputs equal labels to the last digit, which "
                "probabilities never do. Use the accuracy for two classes."
            )
            return
        yield wrong(f"metrics: no accuracy for two classes in the list ({_yours(model, metrics)}).")
        return
    yield right("metrics: the share of verdicts on the right side of one half.")
    name = metrics["binaryaccuracy"]
    if name != "binary_accuracy":
        yield note(f"Keras will call it {name!r} in the history, ours is 'binary_accuracy'.")


def judge_rmsprop(optimizer):
    """A line on an optimizer that must be RMSprop with default settings."""
    return _judge_optimizer(optimizer, "RMSprop")
