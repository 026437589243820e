"""What the checks of notebook 01 say: of right answers, of mistakes that learners make."""

import re

import keras
import numpy as np
import pytest
from keras import layers, losses, metrics, optimizers

from answers import is_right

PREPARE = {
    "01-count": dict,
    "01-twin": ["chain"],
    "01-steps": dict,
    "01-choose": dict,
    "01-repair": dict,
}


# --- 01-count ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [int, float, np.int64])
def test_count_right(said, kind):
    counts = {"count_hidden": 196_672, "count_output": 650, "count_all": 197_322}
    assert is_right(said("01-count", **{k: kind(v) for k, v in counts.items()}))


@pytest.mark.parametrize(
    ("hidden", "output", "total", "reason"),
    [
        (196_608, 640, 197_248, "count_hidden: the biases are missing"),
        (196_672, 640, 197_312, "count_output: the biases are missing"),
        (196_609, 641, 197_250, "not the layer one for all"),
        (199_680, 650, 200_330, "belong to the units, not to the inputs"),
        (65_600, 650, 66_250, "that is for one channel; a colour photograph has three"),
        (65_536, 650, 66_186, "one channel and without biases"),
        (2_112, 650, 2_762, "written as a long vector?"),
        (50_240, 650, 50_890, "that is for MNIST's pictures"),
        (196_672, 30_730, 227_402, "count_output: what goes into the last layer is"),
        (196_672, 650, 200_394, "count_all: Flatten only gives them another shape"),
        (196_608, 640, 197_248, "count_all: that follows from your other two"),
        (196_672, 650, 669_706, "count_all: the sum of what every layer"),
        (7, 7, 7, "how many inputs has a unit"),
    ],
)
def test_count_wrong(said, hidden, output, total, reason):
    text = said("01-count", count_hidden=hidden, count_output=output, count_all=total)
    assert reason in text
    assert not is_right(text)
    if hidden != 196_672:
        assert not re.search(r"196,?672|197,?322", text), "it gives the answer away"


# --- 01-twin -------------------------------------------------------------------------


def chain():
    return keras.Sequential([
        keras.Input((28, 28)), layers.Flatten(), layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def graph(shape=(28, 28), hidden=64, middle="relu", end="softmax", like=None, first=None):
    inputs = keras.Input(shape)
    x = (first or layers.Flatten())(inputs)
    x = layers.Dense(hidden, activation=middle)(x)
    model = keras.Model(inputs, layers.Dense(10, activation=end)(x))
    if like is not None:
        model.set_weights(like.get_weights())
    return model


def around(model):
    """The same layers, called anew."""
    x = inputs = keras.Input((28, 28))
    for layer in model.layers:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    "twin",
    [
        lambda model: graph(like=model),
        lambda model: graph(like=model, first=layers.Reshape((784,))),
        lambda model: keras.Model(model.inputs, model.outputs),
        around,
        lambda model: keras.models.clone_model(graph(like=model)),
    ],
    ids=["solution", "reshape", "ends", "around", "clone"],
)
def test_twin(said, twin, request):
    model = chain()
    other = twin(model)
    other.set_weights(model.get_weights())
    assert is_right(said("01-twin", model_chain=model, model_graph=other))


class Own(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("twin", "reason"),
    [
        (lambda model: model, "is a Sequential model"),
        (lambda model: keras.models.clone_model(model), "is a Sequential model"),
        (lambda model: Own(), "has no inputs. Begin with keras.Input"),
        (lambda model: graph(), "they differ, since the weights are other random numbers"),
        (lambda model: graph(end=None, like=model), "Compare the activations"),
        (lambda model: graph(middle=None, like=model), "Compare the activations"),
        (lambda model: graph(end="sigmoid", like=model), "Compare the activations"),
        (lambda model: graph((784,), like=model), "has shape (784,). Does model_chain take whole"),
        (lambda model: graph(hidden=32), "(784, 32)"),
        (lambda model: graph(first=layers.Activation("linear")), "(28, 64)"),
    ],
)
def test_no_twin(said, twin, reason):
    model = chain()
    text = said("01-twin", model_chain=model, model_graph=twin(model))
    assert reason in text
    assert not is_right(text)
    assert "could not be checked" not in text


# --- 01-steps ------------------------------------------------------------------------


def steps(said, epoch=391, last=80, changes=1173):
    return said("01-steps", steps_per_epoch=epoch, last_batch=last, weight_changes=changes)


@pytest.mark.parametrize("kind", [int, float, np.int64])
def test_steps_right(said, kind):
    assert is_right(steps(said, kind(391), kind(80), kind(1173)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"epoch": 390, "changes": 1170}, "left over would never be used"),
        ({"epoch": 390, "changes": 1170}, "weight_changes: that follows from your steps_per_epoch"),
        ({"epoch": 390.625, "changes": 1171.875}, "a part of a step cannot be"),
        ({"epoch": 469, "last": 96, "changes": 1407}, "that is all 60,000 pictures"),
        ({"epoch": 128}, "that is the size of a batch"),
        ({"epoch": 50_000}, "that would be one picture a step"),
        ({"epoch": 1563}, "batches of 32"),
        ({"epoch": 3}, "those are the epochs"),
        ({"last": 128}, "a full batch; but 50,000 is no multiple"),
        ({"last": 0}, "some are left over"),
        ({"last": 48}, "so many are missing"),
        ({"last": 79}, "how many pictures have the full batches left over"),
        ({"changes": 3}, "An iteration is a step, not an epoch"),
        ({"changes": 391}, "that is one epoch; there are three"),
        ({"changes": 150_000}, "once for each batch, not for each picture"),
        ({"changes": 384}, "whatever its size"),
        ({"changes": 1}, "each step changes the weights once"),
    ],
)
def test_steps_wrong(said, given, reason):
    text = steps(said, **given)
    assert reason in text
    assert not is_right(text)
    assert not re.search(r"1,?173", text), "it gives the answer away"


# --- 01-choose -----------------------------------------------------------------------

RIGHT = {
    "fraud": (1, "sigmoid", "binary_crossentropy", "binary_accuracy"),
    "season": (4, "softmax", "sparse_categorical_crossentropy", "sparse_categorical_accuracy"),
    "tags": (12, "sigmoid", "binary_crossentropy", "binary_accuracy"),
    "weather": (3, "linear", "mean_squared_error", "mean_absolute_error"),
}


def line(said, task, choice):
    """What the check says of one task."""
    text = said("01-choose", choices={task: choice})
    lines = text.splitlines()
    assert len(lines) == 5, text
    return lines[list(RIGHT).index(task)]


def test_choices_right(said):
    assert is_right(said("01-choose", choices=RIGHT))
    assert is_right(said("01-choose", choices={k: list(v) for k, v in RIGHT.items()}))


LOGITS = {"from_logits": True}


@pytest.mark.parametrize(
    ("task", "choice"),
    [
        ("fraud", (1, "sigmoid", "binary_crossentropy", "accuracy")),
        ("fraud", (1, "sigmoid", "crossentropy", "acc")),
        ("fraud", (1, "sigmoid", "BinaryCrossentropy", "AUC")),
        ("fraud", (1, keras.activations.sigmoid, losses.BinaryCrossentropy(), metrics.Recall())),
        ("fraud", (1, "linear", losses.BinaryCrossentropy(**LOGITS),
                   metrics.BinaryAccuracy(threshold=0))),
        ("fraud", (2, "softmax", "sparse_categorical_crossentropy", "accuracy")),
        ("season", (4, "softmax", "sparse_categorical_crossentropy", "accuracy")),
        ("season", (4, "softmax", "crossentropy", "SparseCategoricalAccuracy")),
        ("season", (4, None, losses.SparseCategoricalCrossentropy(**LOGITS), "accuracy")),
        ("season", (np.int64(4), "softmax", losses.SparseCategoricalCrossentropy,
                    [metrics.SparseCategoricalAccuracy()])),
        ("tags", (12, "sigmoid", losses.BinaryCrossentropy(), "BinaryAccuracy")),
        ("tags", (12.0, "sigmoid", "bce", metrics.F1Score(average="macro"))),
        ("tags", (12, "sigmoid", "binary_crossentropy", "precision")),
        ("weather", (3, None, "mse", "mae")),
        ("weather", (3, "linear", "huber", "mse")),
        ("weather", (3, "linear", "mean_absolute_error", metrics.RootMeanSquaredError())),
        ("weather", (3, "linear", losses.LogCosh(), metrics.R2Score())),
    ],
)  # fmt: skip
def test_other_right_choices(said, task, choice):
    assert line(said, task, choice).startswith("✓"), line(said, task, choice)


BCE, SCE, CCE = "binary_crossentropy", "sparse_categorical_crossentropy", "categorical_crossentropy"


@pytest.mark.parametrize(
    ("task", "choice", "reason"),
    [
        ("fraud", (1, "softmax", BCE, "accuracy"), "it would always be 1"),
        ("fraud", (1, "relu", BCE, "accuracy"), "read as probabilities"),
        ("fraud", (1, "tanh", BCE, "accuracy"), "read as probabilities"),
        ("fraud", (1, "linear", BCE, "accuracy"), "read as probabilities"),
        ("fraud", (1, "sigmoid", losses.BinaryCrossentropy(**LOGITS), "accuracy"), "from_logits"),
        ("fraud", (1, "sigmoid", CCE, "accuracy"), "one for each class. Here is one"),
        ("fraud", (1, "sigmoid", SCE, "accuracy"), "one for each class. Here is one"),
        ("fraud", (1, "sigmoid", "mse", "accuracy"), "charges a sure mistake little more"),
        ("fraud", (1, "sigmoid", BCE, "mae"), "says little of how often"),
        ("fraud", (1, "sigmoid", BCE, "sparse_categorical_accuracy"), "another kind of labels"),
        ("fraud", (3, "softmax", SCE, "accuracy"), "units: 3"),
        ("fraud", (2, "sigmoid", BCE, "accuracy"), "Exactly one is right"),
        ("season", (1, "softmax", SCE, "accuracy"), "units: 1"),
        ("season", (4, "sigmoid", SCE, "accuracy"), "Exactly one is right"),
        ("season", (4, "relu", SCE, "accuracy"), "read as probabilities"),
        ("season", (4, "softmax", CCE, "accuracy"), "does not suit labels such as 3"),
        ("season", (4, "softmax", BCE, "accuracy"), "for another kind of task"),
        ("season", (4, "softmax", SCE, "categorical_accuracy"), "another kind of labels"),
        ("season", (4, "softmax", SCE, "binary_accuracy"), "another kind of labels"),
        ("season", (4, "softmax", losses.SparseCategoricalCrossentropy(**LOGITS), "acc"),
         "turned them into probabilities already"),
        ("season", (4, "softmax", "mse", "accuracy"), "charges a sure mistake little more"),
        ("tags", (12, "softmax", CCE, "accuracy"), "two tags can never both be above"),
        ("tags", (12, "softmax", BCE, "binary_accuracy"), "two tags can never both be above"),
        ("tags", (12, "sigmoid", CCE, "binary_accuracy"), "each tag is a question of its own"),
        ("tags", (12, "sigmoid", SCE, "binary_accuracy"), "each tag is a question of its own"),
        ("tags", (12, "sigmoid", BCE, "accuracy"), "Keras takes this word for another accuracy"),
        ("tags", (12, "sigmoid", BCE, "categorical_accuracy"), "another kind of labels"),
        ("tags", (1, "sigmoid", BCE, "binary_accuracy"), "units: 1"),
        ("tags", (12, None, losses.BinaryCrossentropy(**LOGITS), "binary_accuracy"),
         "takes the outputs for probabilities"),
        ("weather", (3, "relu", "mse", "mae"), "no temperature below zero"),
        ("weather", (3, "elu", "mse", "mae"), "no temperature below zero"),
        ("weather", (3, "sigmoid", "mse", "mae"), "nothing above 1"),
        ("weather", (3, "tanh", "mse", "mae"), "nothing above 1"),
        ("weather", (3, "softmax", "mse", "mae"), "add up to 1. Temperatures do not"),
        ("weather", (1, "linear", "mse", "mae"), "units: 1"),
        ("weather", (3, "linear", BCE, "mae"), "Which ones compare numbers?"),
        ("weather", (3, "linear", CCE, "mae"), "Which ones compare numbers?"),
        ("weather", (3, "linear", "mse", "accuracy"), "an accuracy counts right classes"),
        ("weather", (3, "linear", "mse", "binary_accuracy"), "an accuracy counts right classes"),
        ("weather", (3, "linear", "mse", "AUC"), "how far off the temperatures are"),
        ("season", (4, "sofmax", SCE, "accuracy"), "no activation called 'sofmax'"),
        ("season", (4, "softmax", "sparse", "accuracy"), "no loss called 'sparse'"),
        ("season", (4, "softmax", SCE, "accurate"), "no metric called 'accurate'"),
        ("season", (4, "softmax", None, "accuracy"), "no loss called None"),
        ("season", (4, "softmax", SCE, None), "no metric called None"),
        ("season", (4, 7, SCE, "accuracy"), "no activation called 7"),
        ("season", ("four", "softmax", SCE, "accuracy"), "is the number of units; yours is 'four'"),
        ("season", (4, "softmax", SCE), "four things in brackets"),
        ("season", "softmax", "four things in brackets"),
        ("season", ..., "not in choices yet"),
        ("season", (..., ..., ..., ...), "✗"),
        ("season", (4, np.ones(3), SCE, "accuracy"), "✗"),
        ("season", (4, "softmax", [SCE], {"a": 1}), "✗"),
    ],
)  # fmt: skip
def test_wrong_choices(said, task, choice, reason):
    told = line(said, task, choice)
    assert told.startswith("✗")
    assert reason in told
    assert len(told) < 220


def test_no_hint_names_the_right_one(said):
    wrong = {
        "fraud": (1, "sigmoid", "mse", "mae"),
        "season": (4, "relu", CCE, "mse"),
        "tags": (12, "softmax", CCE, "accuracy"),
        "weather": (3, "relu", BCE, "accuracy"),
    }
    text = said("01-choose", choices=wrong).lower()
    for word in ("sigmoid", "softmax", "sparse", "binary", "linear", "squared", "absolute"):
        assert word not in text


@pytest.mark.parametrize("junk", [{}, {"a": 1}, {"fraud": 1, "season": None}, {1: 2}])
def test_junk_choices(said, junk):
    text = said("01-choose", choices=junk)
    assert "0 of 4 right so far." in text
    assert "could not be checked" not in text


# --- 01-repair -----------------------------------------------------------------------

SCHEDULES = optimizers.schedules


def falling(rate=0.1, decay=0.001, steps=1, **options):
    return SCHEDULES.InverseTimeDecay(rate, decay_steps=steps, decay_rate=decay, **options)


class Rule(SCHEDULES.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1.0 + 0.001 * float(keras.ops.convert_to_numpy(step)))


def repaired(stack=None, rate=None, momentum=0.9, optimizer=None, **given):
    model = stack or keras.Sequential([
        keras.Input((784,)), layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    rate = falling() if rate is None else rate
    options = {"loss": "categorical_crossentropy", "metrics": ["accuracy"], **given}
    model.compile(optimizer or optimizers.SGD(rate, momentum=momentum), **options)
    return model


def functional():
    inputs = keras.Input((784,))
    x = layers.Dense(64, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"stack": functional()},
        {"rate": falling(decay=1.0, steps=1000)},
        {"rate": Rule()},
        {"loss": losses.CategoricalCrossentropy()},
        {"metrics": [metrics.CategoricalAccuracy(name="accuracy")]},
        {"metrics": ["mse", "accuracy"]},
    ],
    ids=lambda other: ", ".join(other) or "solution",
)
def test_repaired(said, given):
    assert is_right(said("01-repair", model_new=repaired(**given)))


def with_old_shape():
    with pytest.warns(UserWarning, match="input_shape"):
        first = layers.Dense(64, activation="relu", input_shape=(784,))
    return keras.Sequential([first, layers.Dense(10, activation="softmax")])


def unbuilt():
    return keras.Sequential(
        [layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")]
    )


def stack(*parts, size=784):
    return keras.Sequential([keras.Input((size,)), *parts])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda: {"stack": with_old_shape()}, "still given its input shape, and Keras warns"),
        (lambda: {"stack": unbuilt()}, "the 784 got lost"),
        (lambda: {"stack": stack(layers.Dense(10), size=28)}, "yours has (28,)"),
        (lambda: {"stack": stack(layers.Dense(64), layers.Dense(10))}, "yours are [(64, 'linear')"),
        (lambda: {"optimizer": "sgd"}, "what lr and decay said got lost"),
        (lambda: {"optimizer": "sgd"}, "momentum: 0. The old code set another"),
        (lambda: {"optimizer": "adam"}, "optimizer: the old one was SGD; yours is Adam"),
        (lambda: {"rate": 0.1}, "learning rate: 0.1, always. What decay did got lost"),
        (lambda: {"rate": falling(decay=0.1)}, "it begins at 0.1, and is"),
        (lambda: {"rate": falling(steps=100)}, "The old rule was lr / (1 + decay"),
        (lambda: {"rate": falling(steps=1000)}, "The old rule was lr / (1 + decay"),
        (lambda: {"rate": falling(decay=1.0, steps=1000, staircase=True)}, "The old rule was"),
        (lambda: {"rate": SCHEDULES.ExponentialDecay(0.1, 1, 0.999)}, "The old rule was"),
        (lambda: {"rate": falling(0.01)}, "it begins at 0.01; lr said otherwise"),
        (lambda: {"momentum": 0.0}, "momentum: 0. "),
        (lambda: {"loss": "sparse_categorical_crossentropy"}, "loss: the old one has not changed"),
        (lambda: {"loss": None}, "loss: the old one"),
        (
            lambda: {"metrics": ["acc"]},
            "none would be called 'accuracy' in the history (yours: acc)",
        ),
        (lambda: {"metrics": None}, "(yours: none)"),
    ],
)
def test_not_repaired(said, given, reason):
    text = said("01-repair", model_new=repaired(**given()))
    assert reason in text
    assert not is_right(text)
    assert "could not be checked" not in text


def test_not_compiled(said):
    text = said("01-repair", model_new=functional())
    assert "· Compile model_new" in text
