"""Checks of notebook 02, Convolution by hand."""

import math
import numbers

import keras
import numpy as np

from lesson.checks.engine import exercise, judged, numbers_in, right, wrong

# --- 1. One patch -----------------------------------------------------------------

PATCH = np.array([[0, 0, 0], [0, 0, 2], [0, 1, 2]])
KERNEL = np.array([[1, -1, 0], [1, 1, 0], [0, 1, -1]])


@exercise(
    "02-patch",
    "set by_hand and write the function apply_kernel",
    by_hand=numbers.Real,
    apply_kernel=object,
)
def _patch(found):
    yield _judge_by_hand(found["by_hand"])
    yield _judge_apply(found["apply_kernel"])


def _judge_by_hand(number):
    expected = np.sum(PATCH * KERNEL)
    hints = {
        np.sum(PATCH * np.flip(KERNEL)): (
            "one of the weights may have lost its sign, or the kernel was turned before it was "
            "laid on the patch."
        ),
        np.sum(PATCH @ KERNEL): "that is a product of matrices; multiply number by number.",
        np.sum(PATCH * KERNEL.T): "rows and columns have changed places in one of the two tables.",
        np.sum(PATCH): "that is the sum of the pixels; the weights are not in it yet.",
        np.mean(PATCH * KERNEL): "that is the mean of the products; the task asks for their sum.",
        -expected: "mind the signs.",
    }
    hint = hints.get(number, "go through the nine places once more, one product each.")
    return judged(number == expected, "by_hand: the nine products, added up.", f"by_hand: {hint}")


def _judge_apply(function):
    if not callable(function):
        return wrong("apply_kernel: this should be a function of a patch and a kernel.")
    rng = np.random.default_rng(1)
    cases = [(PATCH, KERNEL), *(rng.normal(size=(2, *shape)) for shape in [(3, 3), (2, 5)])]
    for patch, kernel in cases:
        given = patch.copy(), kernel.copy()
        try:
            result = function(*given)
        except Exception as error:
            text = (str(error).splitlines() or [""])[0][:120]
            return wrong(
                f"apply_kernel: with a patch and a kernel of {patch.shape[0]} × {patch.shape[1]} "
                f"it stops with {type(error).__name__}: {text}"
            )
        if result is None:
            return wrong("apply_kernel: it returns nothing. Is there a return?")
        array = numbers_in(result)
        if array is None or array.size != 1:
            return wrong(
                "apply_kernel: it should return one number. Have the products been added up, "
                "along rows and columns?"
            )
        expected = np.sum(patch * kernel)
        if not math.isclose(array.item(), expected, abs_tol=1e-5):
            return wrong(f"apply_kernel: {_mistake(array.item(), patch, kernel)}")
        if not (np.array_equal(given[0], patch) and np.array_equal(given[1], kernel)):
            return wrong("apply_kernel: it changes the patch or the kernel that it is given.")
    return right("apply_kernel: one number, right for patches of several shapes.")


def _mistake(result, patch, kernel):
    """What an apply_kernel does that gives a wrong result."""
    known = {
        "it turns the kernel first; Keras does not.": lambda: patch * np.flip(kernel),
        "it gives the mean of the products; the task asks for their sum.": (
            lambda: patch * kernel / patch.size
        ),
        "@ and np.dot make a product of matrices; multiply number by number, with *.": (
            lambda: patch @ kernel
        ),
        "it uses the patch and kernel of the task, not those it is given.": (
            lambda: PATCH * KERNEL
        ),
    }
    for text, products in known.items():
        try:
            if math.isclose(result, np.sum(products()), abs_tol=1e-5):
                return text
        except ValueError:  # matrices of shapes that have no product
            continue
    shape = f"{patch.shape[0]} × {patch.shape[1]}"
    return f"on a patch of {shape} numbers it does not give the sum of the products."


# --- 2. Sizes ---------------------------------------------------------------------

SETTINGS = {
    "first": (28, 5, 0, 1),
    "second": (28, 5, 2, 1),
    "third": (28, 3, 0, 2),
    "fourth": (32, 5, 2, 3),
}


def _moves(width, kernel, padding, stride):
    return (width - kernel + 2 * padding) / stride


@exercise("02-sizes", "make sizes, a list of four numbers", sizes=object)
def _sizes(found):
    sizes = found["sizes"]
    if isinstance(sizes, list | tuple) and any(
        isinstance(size, list | tuple) or np.ndim(size) for size in sizes
    ):
        yield wrong("sizes: one number for each map, the length of one side, is enough.")
        return
    array = numbers_in(sizes)
    if array is None or array.shape != (len(SETTINGS),):
        yield wrong("sizes: this should be a list of four numbers, one for each line of the table.")
        return
    for (name, setting), size in zip(SETTINGS.items(), array.tolist(), strict=True):
        yield _judge_size(name, setting, size)


def _judge_size(name, setting, size):
    width, kernel, padding, stride = setting
    moves = _moves(*setting)
    expected = math.floor(moves) + 1
    if size == expected:
        return right(f"{name}: as many places as fit.")
    if moves != math.floor(moves) and math.isclose(size, moves + 1, abs_tol=0.01):
        text = "a part of a move cannot be: what is left at the edge stays unused. Round down."
    elif moves != math.floor(moves) and size == math.ceil(moves) + 1:
        text = "rounded up, so the last place would reach beyond the edge. Which way must it be?"
    elif size in (math.floor(moves), moves):
        text = "those are the moves; where does the kernel stand before the first of them?"
    elif padding and size == math.floor(_moves(width, kernel, padding / 2, stride)) + 1:
        text = "the padding is on both sides."
    elif padding and size == math.floor(_moves(width, kernel, 0, stride)) + 1:
        text = "the padding is not in it yet."
    elif stride > 1 and size == _moves(width, kernel, padding, 1) + 1:
        text = "the stride is not in it yet."
    elif size == (width + 2 * padding) // stride:
        text = "the kernel is not in it yet: its last place is where its right edge ends."
    else:
        text = "put W, F, P and S of this line into the rule once more."
    return wrong(f"{name}: {text}")


# --- 3. Pooling -------------------------------------------------------------------

TABLE = np.array(
    [[1, 3, 0, 2, 9], [5, 2, 1, 1, 0], [0, 4, 6, 2, 1], [2, 2, 0, 0, 3], [7, 1, 2, 8, 4]], float
)


def _pool(table, function, size=2, stride=2):
    """Pooling of a table, its last windows cut short where they reach beyond the edge."""
    starts = range(0, len(table), stride)
    return np.array([[function(table[r : r + size, c : c + size]) for c in starts] for r in starts])


@exercise(
    "02-pooling",
    "make max_pooled, average_pooled and global_average",
    max_pooled=object,
    average_pooled=object,
    global_average=numbers.Real,
)
def _pooling(found):
    for name, function, other in (
        ("max_pooled", np.max, np.mean),
        ("average_pooled", np.mean, np.max),
    ):
        yield _judge_pooled(name, numbers_in(found[name]), function, other)
    yield _judge_global_average(found["global_average"])


def _judge_pooled(name, array, function, other):
    windows = TABLE[:4, :4]
    expected = _pool(windows, function)
    if array is None or array.ndim != 2:
        return wrong(f"{name}: this should be a list of rows, each a list of numbers.")
    if array.shape == (3, 3):
        return wrong(
            f"{name}: 3 × 3 would need windows that reach beyond the map. What does the rule of "
            "section 4 make of W = 5, F = 2, P = 0, S = 2?"
        )
    if array.shape == (4, 4):
        return wrong(f"{name}: 4 × 4 is with a stride of 1; the windows should not overlap.")
    if array.shape != expected.shape:
        return wrong(
            f"{name}: it has {array.shape[0]} × {array.shape[1]} numbers. Work out the size with "
            "the rule of section 4."
        )

    def close(values):
        return np.allclose(array, values, atol=0.01)

    if close(expected):
        return right(f"{name}: one number for each window.")
    if close(_pool(windows, other)):
        return wrong(f"{name}: those are the numbers of the other kind of pooling.")
    if close(_pool(windows, np.sum)):
        return wrong(f"{name}: those are sums; divide by how many numbers a window has.")
    if close(_pool(windows, np.min)):
        return wrong(f"{name}: those are the smallest numbers.")
    if close(expected.T):
        return wrong(f"{name}: rows and columns have changed places.")
    count = int(np.isclose(array, expected, atol=0.01).sum())
    return wrong(f"{name}: {count} of its {expected.size} numbers are right.")


def _judge_global_average(value):
    hints = {
        TABLE[:4, :4].mean(): "global means everything: the last row and column count here.",
        TABLE.max(): "that is the largest number; the task asks for the mean.",
        TABLE.sum(): "that is the sum; divide it by how many numbers the map has.",
        _pool(TABLE[:4, :4], np.max).mean(): "the mean of the map itself, before it was pooled.",
    }
    hint = next(
        (text for number, text in hints.items() if math.isclose(value, number, abs_tol=0.005)),
        "add up all numbers of the map, and divide by how many they are.",
    )
    return judged(
        math.isclose(value, TABLE.mean(), abs_tol=0.005),
        "global_average: the mean of the whole map.",
        f"global_average: {hint}",
    )


# --- 4. Parameters ----------------------------------------------------------------

FILTERS_1, FILTERS_2, UNITS, CLASSES, KERNEL_AREA = 32, 64, 64, 10, 9
ROW = 7 * 7 * FILTERS_2  # what flatten gives


def _dense(inputs, units):
    return inputs * units + units


def _conv(filters, depth):
    return filters * KERNEL_AREA * depth + filters


PARAMETERS = {
    "conv_1": _conv(FILTERS_1, 1),
    "conv_2": _conv(FILTERS_2, FILTERS_1),
    "dense_1": _dense(ROW, UNITS),
    "dense_2": _dense(UNITS, CLASSES),
}
BIASES = {"conv_1": FILTERS_1, "conv_2": FILTERS_2, "dense_1": UNITS, "dense_2": CLASSES}
NO_DEPTH = "that is for an input of depth 1. How many channels come out of the layer before?"
NO_POOL = "has pooling halved height and width each time, before flatten?"
MISTAKES = {
    "conv_1": {
        _conv(FILTERS_1, 28): "the size of the image does not come into it; its depth does.",
        _conv(FILTERS_1, 784): "the size of the image does not come into it; its depth does.",
        _conv(FILTERS_1, 3): "that is for a colour image. How deep is one of MNIST?",
        KERNEL_AREA + 1: "that is one filter. How many are there?",
    },
    "conv_2": {
        _conv(FILTERS_2, 1): NO_DEPTH,
        FILTERS_2 * KERNEL_AREA: NO_DEPTH + " And every filter has a bias.",
        _conv(FILTERS_2, 3): "its input is not the image but the maps of conv_1. How deep is that?",
        _conv(FILTERS_2, FILTERS_2): "the depth is that of its input, not of what comes out.",
        KERNEL_AREA * FILTERS_1 + 1: "that is one filter. How many are there?",
    },
    "dense_1": {
        _dense(49, UNITS): "that is for one map. How many come out of pool_2?",
        _dense(14 * 14 * FILTERS_2, UNITS): NO_POOL,
        _dense(28 * 28 * FILTERS_2, UNITS): NO_POOL,
        _dense(28 * 28, UNITS): "its input is not the image but what comes out of flatten.",
        _dense(5 * 5 * FILTERS_2, UNITS): "with padding same the convolutions keep the size.",
        _dense(7 * 7 * FILTERS_1, UNITS): "how many maps come out of conv_2?",
        _dense(FILTERS_2, UNITS): "each map is more than one number when it is flattened.",
    },
    "dense_2": {
        _dense(ROW, CLASSES): "its inputs are the units of dense_1.",
    },
}


@exercise(
    "02-parameters",
    "set conv_1, conv_2, dense_1 and dense_2 to your four numbers",
    conv_1=numbers.Real,
    conv_2=numbers.Real,
    dense_1=numbers.Real,
    dense_2=numbers.Real,
)
def _parameters(found):
    for name, expected in PARAMETERS.items():
        yield _judge_count(name, found[name], expected)


def _judge_count(name, count, expected):
    each = "filter" if name.startswith("conv") else "unit"
    if count == expected:
        return right(f"{name}: the weights of every {each}, and its bias.")
    if count == expected - BIASES[name]:
        text = f"those are the weights. And the biases? Every {each} has one."
    elif count == expected - BIASES[name] + 1:
        text = f"one bias is too few: every {each} has its own."
    elif count == 2 * (expected - BIASES[name]):
        text = f"every {each} has one bias, not one for each weight."
    else:
        kind = "filters, kernel and depth" if each == "filter" else "inputs and units"
        text = MISTAKES[name].get(count, f"go through {kind} once more.")
    return wrong(f"{name}: {text}")


# --- 5. Freeze --------------------------------------------------------------------


@exercise(
    "02-freeze",
    "freeze both convolution layers of model_mnist and set trainable_count",
    trainable_count=numbers.Real,
    model_mnist=keras.Model,
)
def _freeze(found):
    yield from _judge_frozen(found["model_mnist"])
    yield _judge_trainable_count(found["trainable_count"])


def _judge_frozen(model):
    layers = {layer.name: layer for layer in model.layers}
    if not set(PARAMETERS) <= set(layers):
        yield wrong(
            "model_mnist: its layers are not those of the table. Run the cell that builds it once "
            "more."
        )
        return
    if not model.trainable:
        yield wrong(
            "model_mnist: the whole model is frozen, so nothing would learn. Set "
            "model_mnist.trainable = True, then switch off the two layers alone."
        )
        return
    frozen = {name for name in PARAMETERS if not _learns(layers[name])}
    for name in ("conv_1", "conv_2"):
        yield judged(name in frozen, f"{name}: frozen.", f"{name}: it would still be trained.")
    if others := sorted(frozen - {"conv_1", "conv_2"}):
        yield wrong(f"{' and '.join(others)}: frozen too; only the convolution layers should be.")


def _learns(layer):
    return bool(layer.trainable_weights)


def _judge_trainable_count(count):
    frozen = PARAMETERS["conv_1"] + PARAMETERS["conv_2"]
    total = sum(PARAMETERS.values())
    hints = {
        frozen: "those are the frozen ones; the task asks for the others.",
        total: "those are all of them; the frozen ones are not trained.",
        total - PARAMETERS["conv_1"]: "conv_2 is frozen as well.",
        total - PARAMETERS["conv_2"]: "conv_1 is frozen as well.",
        PARAMETERS["dense_1"]: "the last layer is trained, too.",
        total - frozen - UNITS - CLASSES: "the biases of the dense layers are trained, too.",
        0: "the dense layers are still trained.",
    }
    hint = hints.get(count, "add up the layers that are not frozen, with your counts.")
    return judged(
        count == total - frozen,
        "trainable_count: the parameters of the layers that still learn.",
        f"trainable_count: {hint}",
    )
