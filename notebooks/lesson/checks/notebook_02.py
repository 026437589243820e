"""Checks of notebook 02, Convolution by hand."""

import math
from collections.abc import Callable
from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import array, as_array, function, judged, misspelt, number, right, wrong

# --- 1. One patch -----------------------------------------------------------------

PATCH = np.array([[0, 0, 0], [0, 0, 2], [0, 1, 2]])
KERNEL = np.array([[1, -1, 0], [1, 1, 0], [0, 1, -1]])


@exercise("02-patch", "set by_hand and write the function apply_kernel")
def patch(by_hand: Real, apply_kernel: Callable):
    expected = np.sum(PATCH * KERNEL)
    yield number(
        "by_hand",
        by_hand,
        expected,
        "the nine products, added up.",
        {
            "one of the weights may have lost its sign, or the kernel was turned before it was "
            "laid on the patch.": np.sum(PATCH * np.flip(KERNEL)),
            "that is a product of matrices; multiply number by number.": np.sum(PATCH @ KERNEL),
            "rows and columns have changed places in one of the two tables.": (
                np.sum(PATCH * KERNEL.T)
            ),
            "that is the sum of the pixels; the weights are not in it yet.": np.sum(PATCH),
            "that is the mean of the products; the task asks for their sum.": (
                np.mean(PATCH * KERNEL)
            ),
            "mind the signs.": -expected,
        },
        "go through the nine places once more, one product each.",
    )
    rng = np.random.default_rng(1)
    samples = [(PATCH, KERNEL), *(tuple(rng.normal(size=(2, *s))) for s in [(3, 3), (2, 5)])]
    yield function(
        "apply_kernel",
        lambda *given: _alone(apply_kernel(*given)),
        samples,
        lambda patch, kernel: np.sum(patch * kernel),
        "one number, right for patches of several shapes.",
        {
            "it turns the kernel first; Keras does not.": (
                lambda patch, kernel: np.sum(patch * np.flip(kernel))
            ),
            "it gives the mean of the products; the task asks for their sum.": (
                lambda patch, kernel: np.mean(patch * kernel)
            ),
            "it goes over a square only; a patch may have more columns than rows.": (
                lambda patch, kernel: np.sum((patch * kernel)[:, : len(patch)])
            ),
            "@ and np.dot make a product of matrices; multiply number by number, with *.": (
                lambda patch, kernel: np.sum(patch @ kernel)
            ),
            "it uses the patch and kernel of the task, not those it is given.": (
                lambda *_: np.sum(PATCH * KERNEL)
            ),
            "it should return one number. The products are to be added up, along rows and "
            "columns.": lambda patch, kernel: patch * kernel,
            "it should return one number: add up the columns as well.": (
                lambda patch, kernel: (patch * kernel).sum(axis=0)
            ),
            "it should return one number: add up the rows as well.": (
                lambda patch, kernel: (patch * kernel).sum(axis=1)
            ),
        },
        "it does not give the sum of the products.",
    )


def _alone(result):
    """A number in an array of one as that number; anything else as it is."""
    found = as_array(result)
    return found.item() if found is not None and found.size == 1 else result


# --- 2. Sizes ---------------------------------------------------------------------

SETTINGS = {
    "first": (28, 5, 0, 1),
    "second": (28, 5, 2, 1),
    "third": (28, 3, 0, 2),
    "fourth": (32, 5, 2, 3),
}


def _moves(width, kernel, padding, stride):
    return (width - kernel + 2 * padding) / stride


@exercise("02-sizes", "make sizes, a list of four numbers")
def sizes(sizes: object):
    if isinstance(sizes, list | tuple) and any(np.ndim(size) for size in sizes):
        yield wrong("sizes: one number for each map, the length of one side, is enough.")
        return
    found = as_array(sizes)
    if found is None or found.shape != (len(SETTINGS),):
        yield wrong("sizes: this should be a list of four numbers, one for each line of the table.")
        return
    for (name, setting), size in zip(SETTINGS.items(), found, strict=True):
        yield _judge_size(name, setting, size)


def _judge_size(name, setting, size):
    width, kernel, padding, stride = setting
    moves = _moves(*setting)
    whole = math.floor(moves)
    mistakes = {}
    if moves != whole:
        mistakes |= {
            "a part of a move cannot be: what is left at the edge stays unused. Round down.": (
                moves + 1,
                round(moves + 1, 2),
            ),
            "rounded up, so the last place would reach beyond the edge. Which way must it be?": (
                math.ceil(moves) + 1
            ),
        }
    mistakes["those are the moves; where does the kernel stand before the first of them?"] = (
        whole,
        moves,
    )
    if padding:
        mistakes |= {
            "the padding is on both sides.": (
                math.floor(_moves(width, kernel, padding / 2, stride)) + 1
            ),
            "the padding is not in it yet.": math.floor(_moves(width, kernel, 0, stride)) + 1,
        }
    if stride > 1:
        mistakes["the stride is not in it yet."] = _moves(width, kernel, padding, 1) + 1
    mistakes["the kernel is not in it yet: its last place is where its right edge ends."] = (
        width + 2 * padding
    ) // stride
    return number(
        name,
        size,
        whole + 1,
        "as many places as fit.",
        mistakes,
        "put W, F, P and S of this line into the rule once more.",
    )


# --- 3. Pooling -------------------------------------------------------------------

TABLE = np.array(
    [[1, 3, 0, 2, 9], [5, 2, 1, 1, 0], [0, 4, 6, 2, 1], [2, 2, 0, 0, 3], [7, 1, 2, 8, 4]], float
)


def _pool(table, function, size=2, stride=2):
    """Pooling of a table, its last windows cut short where they reach beyond the edge."""
    starts = range(0, len(table), stride)
    return np.array([[function(table[r : r + size, c : c + size]) for c in starts] for r in starts])


@exercise("02-pooling", "make max_pooled, average_pooled and global_average")
def pooling(max_pooled: object, average_pooled: object, global_average: Real):
    yield _judge_pooled("max_pooled", max_pooled, np.max, np.mean)
    yield _judge_pooled("average_pooled", average_pooled, np.mean, np.max)
    windows = TABLE[:4, :4]
    yield number(
        "global_average",
        global_average,
        TABLE.mean(),
        "the mean of the whole map.",
        {
            "global means everything: the last row and column count here.": windows.mean(),
            "that is the largest number; the task asks for the mean.": TABLE.max(),
            "that is the sum; divide it by how many numbers the map has.": TABLE.sum(),
            "the mean of the map itself, before it was pooled.": _pool(windows, np.max).mean(),
        },
        "add up all numbers of the map, and divide by how many they are.",
        within=0.005,
    )


def _judge_pooled(name, given, function, other):
    windows = TABLE[:4, :4]
    expected, found = _pool(windows, function), as_array(given)
    if found is not None and found.shape == (3, 3):
        return wrong(
            f"{name}: 3 × 3 would need windows that reach beyond the map. What does the rule of "
            "section 4 make of W = 5, F = 2, P = 0, S = 2?"
        )
    if found is not None and found.shape == (4, 4):
        return wrong(f"{name}: 4 × 4 is with a stride of 1; the windows should not overlap.")
    if found is not None and found.ndim != 2:
        return wrong(f"{name}: this should be a list of rows, each a list of numbers.")
    if found is not None and found.shape != expected.shape:
        return wrong(
            f"{name}: it has {found.shape[0]} × {found.shape[1]} numbers. Work out the size with "
            "the rule of section 4."
        )
    count = 0 if found is None else int(np.isclose(found, expected, atol=0.01).sum())
    return array(
        name,
        given,
        expected,
        "one number for each window.",
        {
            "those are the numbers of the other kind of pooling.": _pool(windows, other),
            "those are sums; divide by how many numbers a window has.": _pool(windows, np.sum),
            "those are the smallest numbers.": _pool(windows, np.min),
            "rows and columns have changed places.": expected.T,
            "// drops what is after the point; divide with /.": expected // 1,
            "rounded to whole numbers. Give them as they are.": np.round(expected),
        },
        f"{count} of its {expected.size} numbers are right.",
        tolerance=2e-3,
    )


# --- 4. Parameters ----------------------------------------------------------------

FILTERS_1, FILTERS_2, UNITS, CLASSES, KERNEL_AREA = 32, 64, 64, 10, 9
ROW = 7 * 7 * FILTERS_2  # what flatten gives


def _dense(inputs, units):
    return inputs * units + units


def _conv(filters, depth):
    return filters * KERNEL_AREA * depth + filters


PARAMETERS = {  # and how many of them are biases
    "conv_1": (_conv(FILTERS_1, 1), FILTERS_1),
    "conv_2": (_conv(FILTERS_2, FILTERS_1), FILTERS_2),
    "dense_1": (_dense(ROW, UNITS), UNITS),
    "dense_2": (_dense(UNITS, CLASSES), CLASSES),
}
MISTAKES = {
    "conv_1": {
        "the size of the image does not come into it; its depth does.": (
            _conv(FILTERS_1, 28),
            _conv(FILTERS_1, 784),
        ),
        "that is for a colour image. How deep is one of MNIST?": _conv(FILTERS_1, 3),
        "that is one filter. How many are there?": KERNEL_AREA + 1,
    },
    "conv_2": {
        "that is for an input of depth 1. How many channels come out of the layer before?": (
            _conv(FILTERS_2, 1)
        ),
        "that is for an input of depth 1. How many channels come out of the layer before? And "
        "every filter has a bias.": FILTERS_2 * KERNEL_AREA,
        "its input is not the image but the maps of conv_1. How deep is that?": _conv(FILTERS_2, 3),
        "the depth is that of its input, not of what comes out.": _conv(FILTERS_2, FILTERS_2),
        "that is one filter. How many are there?": KERNEL_AREA * FILTERS_1 + 1,
    },
    "dense_1": {
        "that is for one map. How many come out of pool_2?": _dense(49, UNITS),
        "has pooling halved height and width each time, before flatten?": (
            _dense(14 * 14 * FILTERS_2, UNITS),
            _dense(28 * 28 * FILTERS_2, UNITS),
        ),
        "its input is not the image but what comes out of flatten.": _dense(28 * 28, UNITS),
        "with padding same the convolutions keep the size.": _dense(5 * 5 * FILTERS_2, UNITS),
        "how many maps come out of conv_2?": _dense(7 * 7 * FILTERS_1, UNITS),
        "each map is more than one number when it is flattened.": _dense(FILTERS_2, UNITS),
    },
    "dense_2": {
        "its inputs are the units of dense_1.": _dense(ROW, CLASSES),
    },
}


@exercise("02-parameters", "set conv_1, conv_2, dense_1 and dense_2 to your four numbers")
def parameters(conv_1: Real, conv_2: Real, dense_1: Real, dense_2: Real):
    for name, given in zip(PARAMETERS, (conv_1, conv_2, dense_1, dense_2), strict=True):
        expected, biases = PARAMETERS[name]
        each, rule = (
            ("filter", "filters, kernel and depth")
            if name.startswith("conv")
            else ("unit", "inputs and units")
        )
        weights = expected - biases
        yield number(
            name,
            given,
            expected,
            f"the weights of every {each}, and its bias.",
            {
                f"those are the weights. And the biases? Every {each} has one.": weights,
                f"one bias is too few: every {each} has its own.": weights + 1,
                f"every {each} has one bias, not one for each weight.": 2 * weights,
                **MISTAKES[name],
            },
            f"go through {rule} once more.",
        )


# --- 5. Freeze --------------------------------------------------------------------


@exercise("02-freeze", "freeze both convolution layers of model_mnist and set trainable_count")
def freeze(trainable_count: Real, model_mnist: keras.Model):
    yield from _judge_frozen(model_mnist)
    first, second, hidden, last = (count for count, _ in PARAMETERS.values())
    yield number(
        "trainable_count",
        trainable_count,
        hidden + last,
        "the parameters of the layers that still learn.",
        {
            "those are the frozen ones; the task asks for the others.": first + second,
            "those are all of them; the frozen ones are not trained.": (
                first + second + hidden + last
            ),
            "conv_2 is frozen as well.": second + hidden + last,
            "conv_1 is frozen as well.": first + hidden + last,
            "the last layer is trained, too.": hidden,
            "the biases of the dense layers are trained, too.": hidden + last - UNITS - CLASSES,
            "the dense layers are still trained.": 0,
        },
        "add up the layers that are not frozen, with your counts.",
    )


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
    frozen = {name for name in PARAMETERS if not layers[name].trainable_weights}
    for name in ("conv_1", "conv_2"):
        slip = misspelt(layers[name], "trainable")
        hint = f" It has a new attribute, {slip}: mind the spelling." if slip else ""
        yield judged(
            name in frozen, f"{name}: frozen.", f"{name}: it would still be trained.{hint}"
        )
    if others := sorted(frozen - {"conv_1", "conv_2"}):
        yield wrong(f"{' and '.join(others)}: frozen too; only the convolution layers should be.")
    elif {"conv_1", "conv_2"} <= frozen:
        yield right("dense_1 and dense_2: they still learn.")
