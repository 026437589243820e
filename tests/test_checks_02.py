"""What the checks of notebook 02 say: of right answers, of mistakes that learners make."""

import re
from fractions import Fraction

import keras
import numpy as np
import pandas as pd
import pytest

from answers import is_right

# --- 02-patch ------------------------------------------------------------------------


def products(patch, kernel):
    return np.sum(patch * kernel)


def with_loops(patch, kernel):
    total = 0
    for row, weights in zip(patch.tolist(), kernel.tolist(), strict=True):
        for pixel, weight in zip(row, weights, strict=True):
            total += pixel * weight
    return total


@pytest.mark.parametrize("number", [-1, -1.0, np.int64(-1), Fraction(-1)])
@pytest.mark.parametrize(
    "function",
    [
        products,
        with_loops,
        lambda patch, kernel: (patch * kernel).sum(),
        lambda patch, kernel: np.vdot(patch, kernel),
        lambda patch, kernel: np.einsum("ij,ij->", patch, kernel),
        lambda patch, kernel: np.tensordot(patch, kernel),
        lambda patch, kernel: patch.ravel() @ kernel.ravel(),
        lambda patch, kernel: keras.ops.sum(patch * kernel),
        lambda patch, kernel: np.array([[np.sum(patch * kernel)]]),
    ],
)
def test_patch_right(said, number, function):
    assert is_right(said("02-patch", by_hand=number, apply_kernel=function))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (3, "lost its sign, or the kernel was turned"),
        (2, "a product of matrices"),
        (1, "mind the signs"),
        (5, "the sum of the pixels"),
        (-1 / 9, "the mean of the products"),
        (7, "go through the nine places"),
        (float("nan"), "go through the nine places"),
    ],
)
def test_by_hand_wrong(said, number, reason):
    text = said("02-patch", by_hand=number, apply_kernel=products)
    assert f"✗ by_hand: {reason}" in text or (reason in text and "✗ by_hand" in text)
    assert text.endswith("1 of 2 right so far.")
    assert not re.search(r"[-−]1\b", text), "it gives the answer away"


def changes_its_input(patch, kernel):
    patch *= kernel
    return patch.sum()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (-1, "this should be a function"),
        (lambda patch, kernel: -1, "uses the patch and kernel of the task"),
        (lambda patch, kernel: patch * kernel, "it should return one number"),
        (lambda patch, kernel: (patch * kernel).sum(axis=0), "it should return one number"),
        (lambda patch, kernel: np.sum(patch * np.flip(kernel)), "it turns the kernel first"),
        (lambda patch, kernel: np.mean(patch * kernel), "gives the mean of the products"),
        (lambda patch, kernel: np.sum(patch @ kernel), "multiply number by number"),
        (lambda patch, kernel: patch.sum() * kernel.sum(), "does not give the sum"),
        (lambda patch, kernel: int(np.sum(patch * kernel)), "does not give the sum"),
        (lambda patch, kernel: np.sum((patch * kernel)[:3, :3]), "on a patch of 2 × 5"),
        (lambda patch, kernel: None, "it returns nothing"),
        (lambda patch, kernel: "-1", "it should return one number"),
        (lambda patch: 0, "it stops with TypeError"),
        (lambda patch, kernel: patch.add(kernel), "it stops with AttributeError"),
        (changes_its_input, "it changes the patch"),
    ],
)
def test_apply_kernel_wrong(said, function, reason):
    text = said("02-patch", by_hand=-1, apply_kernel=function)
    assert "✗ apply_kernel: " in text
    assert reason in text
    assert text.endswith("1 of 2 right so far.")


# --- 02-sizes ------------------------------------------------------------------------

SIZES = [24, 28, 13, 11]


@pytest.mark.parametrize(
    "sizes", [SIZES, tuple(SIZES), np.array(SIZES), pd.Series(SIZES), [24.0, 28.0, 13.0, 11.0]]
)
def test_sizes_right(said, sizes):
    assert is_right(said("02-sizes", sizes=sizes))


@pytest.mark.parametrize(
    ("place", "size", "reason"),
    [
        (2, 13.5, "third: a part of a move cannot be"),  # floor forgotten
        (3, 11.33, "fourth: a part of a move cannot be"),
        (2, 14, "third: rounded up"),
        (3, 12, "fourth: rounded up"),
        (0, 23, "first: those are the moves"),
        (2, 12, "third: those are the moves"),
        (2, 12.5, "third: those are the moves"),
        (1, 26, "second: the padding is on both sides"),
        (1, 24, "second: the padding is not in it yet"),
        (2, 26, "third: the stride is not in it yet"),
        (3, 32, "fourth: the stride is not in it yet"),
        (0, 28, "first: the kernel is not in it yet"),
        (0, 5, "first: put W, F, P and S"),
        (3, -11, "fourth: put W, F, P and S"),
    ],
)
def test_sizes_wrong(said, place, size, reason):
    text = said("02-sizes", sizes=[*SIZES[:place], size, *SIZES[place + 1 :]])
    assert f"✗ {reason}" in text
    assert text.endswith("3 of 4 right so far.")
    assert not re.search(r"\b(24|28|13|11)\b", text), "it gives the answer away"


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([(24, 24), (28, 28), (13, 13), (11, 11)], "one number for each map"),
        ([24, 28, 13], "a list of four numbers"),
        ("24 28 13 11", "a list of four numbers"),
        ({24, 28, 13, 11}, "a list of four numbers"),
        ([24, 28, 13, None], "a list of four numbers"),
        (24, "a list of four numbers"),
    ],
)
def test_sizes_of_another_form(said, sizes, reason):
    assert reason in said("02-sizes", sizes=sizes)


# --- 02-pooling ----------------------------------------------------------------------

MAX, AVERAGE = [[5, 2], [4, 6]], [[2.75, 1], [2, 2]]
POOLED = {"max_pooled": MAX, "average_pooled": AVERAGE, "global_average": 2.64}


@pytest.mark.parametrize("form", [list, tuple, np.array, pd.DataFrame])
@pytest.mark.parametrize("mean", [2.64, 66 / 25, np.float32(2.64), Fraction(66, 25)])
def test_pooling_right(said, form, mean):
    found = {"max_pooled": form(MAX), "average_pooled": form(AVERAGE), "global_average": mean}
    assert is_right(said("02-pooling", **found))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("max_pooled", [[5, 2, 9], [4, 6, 3], [7, 8, 4]], "3 × 3 would need windows"),  # no floor
        ("average_pooled", [[2.75, 1, 4.5], [2, 2, 2], [4, 5, 4]], "3 × 3 would need windows"),
        ("max_pooled", np.ones((4, 4)), "4 × 4 is with a stride of 1"),
        ("max_pooled", AVERAGE, "the other kind of pooling"),
        ("average_pooled", MAX, "the other kind of pooling"),
        ("average_pooled", [[11, 4], [8, 8]], "those are sums"),
        ("max_pooled", [[1, 0], [0, 0]], "the smallest numbers"),
        ("max_pooled", [[5, 4], [2, 6]], "rows and columns have changed places"),
        ("max_pooled", [[5, 2], [4, 7]], "3 of its 4 numbers are right"),
        ("average_pooled", [[3, 1], [2, 2]], "3 of its 4 numbers are right"),
        ("max_pooled", [5, 2, 4, 6], "a list of rows"),
        ("max_pooled", [[5, 2]], "it has 1 × 2 numbers"),
        ("max_pooled", "5 2 4 6", "a list of rows"),
        ("global_average", 1.9375, "the last row and column count here"),
        ("global_average", 9, "the largest number"),
        ("global_average", 66, "divide it by how many"),
        ("global_average", 4.25, "before it was pooled"),
        ("global_average", 2, "add up all numbers of the map"),
    ],
)
def test_pooling_wrong(said, name, value, reason):
    text = said("02-pooling", **(POOLED | {name: value}))
    assert f"✗ {name}: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")
    assert not re.search(r"2[.,]64|2[.,]75", text), "it gives the answer away"


# --- 02-parameters -------------------------------------------------------------------

COUNTS = {"conv_1": 320, "conv_2": 18_496, "dense_1": 200_768, "dense_2": 650}


@pytest.mark.parametrize("kind", [int, float, np.int64, Fraction])
def test_parameters_right(said, kind):
    assert sum(COUNTS.values()) == 220_234
    assert is_right(said("02-parameters", **{name: kind(n) for name, n in COUNTS.items()}))


@pytest.mark.parametrize(
    ("name", "count", "reason"),
    [
        ("conv_1", 32 * 9, "And the biases?"),  # bias forgotten
        ("conv_2", 64 * 9 * 32, "And the biases?"),
        ("dense_1", 3136 * 64, "And the biases?"),
        ("dense_2", 640, "And the biases?"),
        ("conv_2", 64 * 9 + 64, "for an input of depth 1"),  # depth forgotten
        ("conv_2", 64 * 9, "for an input of depth 1"),
        ("dense_1", 49 * 64 + 64, "for one map"),
        ("conv_1", 32 * 9 + 1, "one bias is too few"),
        ("conv_1", 32 * 9 * 2, "not one for each weight"),
        ("conv_1", 32 * 27 + 32, "How deep is one of MNIST?"),
        ("conv_1", 10, "that is one filter"),
        ("conv_1", 32 * 9 * 28 + 32, "the size of the image does not come into it"),
        ("conv_2", 64 * 9 * 64 + 64, "that of its input"),
        ("conv_2", 64 * 9 * 3 + 64, "not the image but the maps"),
        ("conv_2", 9 * 32 + 1, "that is one filter"),
        ("dense_1", 28 * 28 * 64 * 64 + 64, "has pooling halved"),
        ("dense_1", 14 * 14 * 64 * 64 + 64, "has pooling halved"),
        ("dense_1", 5 * 5 * 64 * 64 + 64, "the convolutions keep the size"),
        ("dense_1", 784 * 64 + 64, "what comes out of flatten"),
        ("dense_1", 7 * 7 * 32 * 64 + 64, "how many maps come out of conv_2"),
        ("dense_1", 64 * 64 + 64, "more than one number"),
        ("dense_2", 31_370, "the units of dense_1"),
        ("dense_2", 74, "inputs and units"),
        ("conv_1", 0, "filters, kernel and depth"),
        ("conv_1", float("nan"), "filters, kernel and depth"),
    ],
)
def test_parameters_wrong(said, name, count, reason):
    text = said("02-parameters", **(COUNTS | {name: count}))
    assert f"✗ {name}: " in text
    assert reason in text
    assert text.endswith("3 of 4 right so far.")
    shown = re.sub(r"[,_]", "", text)
    assert not re.search(r"\b(320|18496|200768|650|220234|3136)\b", shown)


# --- 02-freeze -----------------------------------------------------------------------


def model_mnist(**trainable):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", name="conv_1"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", name="conv_2"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, name="dense_1"),
        layers.Dense(10, name="dense_2"),
    ])  # fmt: skip
    for name, value in trainable.items():
        model.get_layer(name).trainable = value
    return model


def frozen():
    return model_mnist(conv_1=False, conv_2=False)


@pytest.mark.parametrize("count", [201_418, 201_418.0, np.int64(201_418)])
def test_freeze_right(said, count):
    assert is_right(said("02-freeze", model_mnist=frozen(), trainable_count=count))


def test_pooling_frozen_too_is_as_good(said):
    model = frozen()
    for layer in model.layers[:5]:
        layer.trainable = False
    assert is_right(said("02-freeze", model_mnist=model, trainable_count=201_418))


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (18_816, "those are the frozen ones"),
        (220_234, "those are all of them"),
        (219_914, "conv_2 is frozen as well"),
        (201_738, "conv_1 is frozen as well"),
        (200_768, "the last layer is trained"),
        (201_344, "the biases of the dense layers"),
        (0, "the dense layers are still trained"),
        (2, "add up the layers"),
    ],
)
def test_trainable_count_wrong(said, count, reason):
    text = said("02-freeze", model_mnist=frozen(), trainable_count=count)
    assert "✗ trainable_count: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")
    assert "201" not in text


def whole_model_frozen():
    model = model_mnist()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (model_mnist(), "✗ conv_1: it would still be trained"),
        (model_mnist(conv_1=False), "✗ conv_2: it would still be trained"),
        (model_mnist(conv_2=False), "✗ conv_1: it would still be trained"),
        (model_mnist(conv_1=False, conv_2=False, dense_1=False), "✗ dense_1: frozen too"),
        (
            model_mnist(conv_1=False, conv_2=False, dense_1=False, dense_2=False),
            "✗ dense_1 and dense_2: frozen too",
        ),
        (whole_model_frozen(), "the whole model is frozen"),
        (keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), "not those of the table"),
    ],
)
def test_frozen_wrong(said, model, reason):
    text = said("02-freeze", model_mnist=model, trainable_count=201_418)
    assert reason in text
    assert not is_right(text)


# What the solutions need; see test_checks.py.
PREPARE = {
    "02-patch": [],
    "02-sizes": [],
    "02-pooling": ["pooling-table"],
    "02-parameters": [],
    "02-freeze": ["mnist-model"],
}
