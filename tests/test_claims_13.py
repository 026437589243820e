"""That notebook 13, Look it up, describes what Keras has: all of it, and nothing else."""

import inspect
import re

import keras
import numpy as np
import pytest

from claims import stated, value
from notebook_files import NOTEBOOKS, code, markdown, read, tags

# What a namespace holds besides the things that it is for.
MACHINERY = {"get", "serialize", "deserialize"}
# Described, and not run in a cell, with the reason.
NOT_RUN = {
    "Circle": "TensorFlow prints a notice of its own on processors without AVX-512",
    "OrbaxCheckpoint": "needs the package Orbax",
    "RemoteMonitor": "needs a server",
    "TensorBoard": "needs the package TensorBoard",
    "BackupAndRestore": "the subject of notebook 10",
    "ProgbarLogger": "prints a clock",
    "CallbackList": "made by `fit`",
    "legacy": "a module",
}
LISTS = {  # the cell that holds the list, for each namespace
    "losses": "losses",
    "metrics": "metrics",
    "optimizers": "optimizers",
    "optimizers.schedules": "schedules",
    "activations": "parts",
    "initializers": "initializers",
    "regularizers": "regularizers",
    "constraints": "regularizers",
    "callbacks": "callbacks",
}


@pytest.fixture(scope="module")
def notebook():
    return next(read(path) for path in NOTEBOOKS if path.name.startswith("13-"))


@pytest.fixture(scope="module")
def cells(notebook):
    return {cell.id: cell.source for cell in notebook.cells}


def rows(text):
    """The body of each table in a text: a list of rows, a row a list of cells."""
    tables = re.findall(r"^\|[^\n]*\|\n\|[-|]+\|\n((?:\|[^\n]*\|\n?)+)", text, re.MULTILINE)
    bar = re.compile(r"(?<!\\)\|")  # not one that is escaped
    return [
        [[part.strip() for part in bar.split(line)[1:-1]] for line in table.splitlines()]
        for table in tables
    ]


def names(cell):
    return re.findall(r"`([A-Za-z_0-9]+)`", cell)


def listed(cells, namespace):
    """The rows of the list of a namespace."""
    return rows(cells[LISTS[namespace]])[1 if namespace == "constraints" else 0]


def arguments(cells, method):
    """The rows of the table of a method's arguments."""
    tables = rows(cells["evaluate" if method == "predict" else method])
    return tables[1 if method == "predict" else 0]


def described(cells, namespace):
    """The names in the first columns: two columns where a thing has a name as a string too."""
    text = cells[LISTS[namespace]]
    columns = 2 if re.search(r"\| (as a string|function) \|", text) else 1
    table = listed(cells, namespace)
    return [name for row in table for cell in row[:columns] for name in names(cell)]


def public(namespace):
    held = keras
    for part in namespace.split("."):
        held = getattr(held, part)
    return {name for name in dir(held) if not name.startswith("_")} - MACHINERY


@pytest.mark.parametrize("namespace", LISTS)
def test_every_name_of_keras_is_described_once(cells, namespace):
    found = described(cells, namespace)
    assert len(found) == len(set(found)), "described twice"
    missing, gone = public(namespace) - set(found), set(found) - public(namespace)
    assert not missing, f"new in keras.{namespace}: describe them in notebook 13: {missing}"
    assert not gone, f"not in keras.{namespace}: {gone}"


@pytest.mark.parametrize("namespace", LISTS)
def test_every_name_is_run(notebook, cells, namespace):
    """Each row stands in the source or in the output of a cell."""
    run = "\n".join(
        c.source + "".join(o.get("text", "") for o in c.outputs) for c in code(notebook)
    )
    run += " History"  # what fit returns
    for row in listed(cells, namespace):
        known = [name for cell in row[:2] for name in names(cell)]
        is_base = any(cell.startswith("the class to build your own on") for cell in row)
        run_here = any(re.search(rf"\b{name}\b", run) for name in known)
        assert run_here or is_base or set(known) & set(NOT_RUN), known


@pytest.mark.parametrize("method", ["compile", "fit", "evaluate", "predict"])
def test_every_argument_has_a_row_with_its_default(cells, method):
    signature = inspect.signature(getattr(keras.Model, method)).parameters
    wanted = {
        name: "" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        for name, parameter in signature.items()
        if name != "self"
    }
    assert {names(row[0])[0]: row[1] for row in arguments(cells, method)} == wanted


@pytest.mark.parametrize("method", ["compile", "fit", "evaluate", "predict"])
def test_arguments_that_change_a_result_are_run(notebook, cells, method):
    run = "\n".join(cell.source for cell in code(notebook))
    for row in arguments(cells, method):
        (name,) = names(row[0])
        if row[-1] != "no" and name not in ("x", "y", "optimizer", "loss"):
            assert re.search(rf"\b{name}\b[\"']?\s*[=:]", run), f"no cell shows {name}"


def test_layers_that_the_series_uses_are_in_bold(cells):
    used = set()
    for path in NOTEBOOKS:
        if not path.name.startswith("13-"):
            text = "\n".join(cell.source for cell in code(read(path)))
            used |= set(re.findall(r"\blayers\.([A-Z]\w+)", text))
    in_bold = set(re.findall(r"\*\*(\w+)\*\*", cells["layers"]))
    named = set(re.findall(r"\b[A-Z]\w+", cells["layers"].partition("|---|")[2]))
    not_layers = {"Layer", "Input", "InputLayer"}
    assert used - not_layers == in_bold
    assert {name for name in named if not hasattr(keras.layers, name)} == set()


# --- What rows say, computed -----------------------------------------------------------

E = np.linspace(-3, 3, 13)  # errors
LABELS = np.full((13, 1), 4.0)
ANSWERS = LABELS - E[:, None]
FORMULAS = {  # a loss: its formula in the table, the same in NumPy
    "mean_squared_error": ("e²", E**2),
    "mean_absolute_error": (r"\|e\|", abs(E)),
    "huber": (
        "e²/2 up to an error of `delta` = 1, then a straight line",
        np.where(abs(E) <= 1, E**2 / 2, abs(E) - 0.5),
    ),
    "mean_absolute_percentage_error": (r"100 · \|e / y\|", 100 * abs(E / 4)),
    "mean_squared_logarithmic_error": (
        "(log(y + 1) − log(o + 1))²",
        (np.log(5) - np.log(ANSWERS[:, 0] + 1)) ** 2,
    ),
    "poisson": ("o − y · log o", ANSWERS[:, 0] - 4 * np.log(ANSWERS[:, 0])),
    "hinge": ("max(0, 1 − y · o), with *y* −1 or 1", np.maximum(0, 1 + E)),
    "squared_hinge": ("its square", np.maximum(0, 1 + E) ** 2),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_of_a_loss(cells, name):
    said, expected = FORMULAS[name]
    row = next(row for row in listed(cells, "losses") if names(row[1]) == [name])
    assert row[2] == said
    labels, answers = LABELS, ANSWERS
    if "hinge" in name:
        labels, answers = -np.ones((13, 1)), E[:, None]
    loss = getattr(keras.losses, name)(labels, answers)
    assert keras.ops.convert_to_numpy(loss) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "said", "share"),
    [
        ("BinaryAccuracy", "share right, yes above `threshold` = 0.5", 0.7),
        ("TruePositives", "how many were called yes and are yes", 4),
        ("TrueNegatives", "how many were called no and are no", 3),
        ("FalsePositives", "how many were called yes and are no", 1),
        ("FalseNegatives", "how many were called no and are yes", 2),
        ("Precision", "of what is called yes, the share that is (09)", 4 / 5),
        (
            "Recall",
            "of what is yes, the share that is called so; also *sensitivity* (09)",
            4 / 6,
        ),
    ],
)
def test_what_a_metric_counts(cells, name, said, share):
    row = next(row for row in listed(cells, "metrics") if names(row[0]) == [name])
    assert row[2] == said
    yes, called = (
        np.repeat([1, 1, 0, 0], [4, 2, 1, 3]),
        np.repeat([0.9, 0.1, 0.9, 0.1], [4, 2, 1, 3]),
    )
    metric = getattr(keras.metrics, name)()
    metric.update_state(yes[:, None], called[:, None])
    assert float(metric.result()) == pytest.approx(share)


def still_model():
    """A model that learns nothing, so that each fit measures the same weights."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mean_squared_error")
    return model


@stated("`epochs` counts from the beginning of all fits, so five of them after three are two:")
def test_epochs_count_from_the_beginning():
    data = np.zeros((4, 1)), np.zeros((4, 1))
    assert still_model().fit(*data, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]


@stated("this share of the samples, the *last* ones, is set aside for validation")
def test_which_share_validates():
    x = np.arange(8.0)[:, None]
    model = still_model()
    last = model.evaluate(x[6:], 0 * x[6:], verbose=0)
    split = model.fit(x, 0 * x, validation_split=0.25, verbose=0).history["val_loss"]
    assert split == pytest.approx([last], rel=1e-4)


# --- 12. From Keras 2 to Keras 3 -------------------------------------------------------

# Where a row's cells are not named after the first word in its first column.
ROWS = {
    "lr=": "lr",
    "decay=": "decay",
    '"acc"': "acc",
    "input_shape=": "input-shape",
    ".hdf5": "hdf5",
    ".h5": "h5",
    "np_utils": "np-utils",
    "ImageDataGenerator": "generator",
    "keras.layers.normalization": "normalization",
    "fit_generator": "fit-generator",
    "predict_classes": "predict-classes",
}


def test_every_row_of_the_table_is_executed(notebook):
    """Each old spelling stands in a cell that fails, each new one in a cell that does not."""
    text = next(c.source for c in markdown(notebook) if c.id == "migration")
    rows = [re.findall(r"`([^`]+)`", line) for line in text.splitlines() if line.startswith("| `")]
    old = [name for row in rows for name in row if name in ROWS]
    assert old == list(ROWS), "the table and this test name other rows"
    cells = {c.id: c for c in code(notebook)}
    for name in old:
        cell = cells[f"old-{ROWS[name]}"]
        assert name in cell.source
        assert "raises-exception" in tags(cell)
    working = "\n".join(c.source for i, c in cells.items() if i.startswith("new-"))
    for row in rows:
        for name in row:
            name = name.rpartition("…)")[2]
            assert name in ROWS or name in working, f"{name} is not executed"


def test_keras_obeys_what_the_table_says_it_obeys(tmp_path, recwarn, caplog):
    """What the cells leave out: they stop at Keras's first complaint."""
    model = keras.Sequential([keras.layers.Dense(10, input_shape=(784,))])
    assert any("input_shape" in str(w.message) for w in recwarn)
    assert model.count_params() == 7_850
    model.compile(loss="mse", metrics=["acc"])
    data = np.zeros((4, 784)), np.zeros((4, 10))
    assert sorted(model.fit(*data, verbose=0).history) == ["acc", "loss"]
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.h5")
    assert "legacy" in caplog.text
    assert len(list(tmp_path.iterdir())) == 2


# --- What Keras's own manual says otherwise, or not -------------------------------------------


def little(**options):
    """A compiled model for samples of one number, 12 of them."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error", **options)
    return model


ONES = np.ones((12, 1), "float32")


@stated("called again, it keeps the loss and the metrics where you name none, and an optimizer")
@stated("that you give again, as the same object, keeps its memory.")
def test_compile_again_keeps_what_is_not_named():
    model = little(metrics=["mae"])
    model.fit(ONES, ONES, batch_size=4, verbose=0)
    model.compile(model.optimizer)
    assert int(model.optimizer.iterations) == 3
    assert set(model.fit(ONES, ONES, verbose=0).history) == {"loss", "mae"}
    model.compile(keras.optimizers.SGD(0.01))
    assert int(model.optimizer.iterations) == 0


@stated("`None` means 32, or, where `steps_per_epoch` is given, all samples in so many batches.")
@stated("`None` means 32, or, where `steps` is given, all samples in so many batches.")
@stated("| with a `batch_size`, or where batches come ready made: stop after so many |")
def test_steps_without_a_batch_size_take_all_samples():
    model, numbers = little(), np.arange(12, dtype="float32").reshape(-1, 1)
    sizes = []

    def size(labels, outputs):
        sizes.append(labels.shape[0])
        return keras.ops.ones_like(outputs)

    model.compile("sgd", "mean_squared_error", metrics=[size], run_eagerly=True)
    model.fit(numbers, numbers, steps_per_epoch=3, verbose=0)
    assert sizes[-3:] == [4, 4, 4]
    every = model.evaluate(numbers, numbers, verbose=0)[0]
    assert model.evaluate(numbers, numbers, steps=2, verbose=0)[0] == pytest.approx(every, rel=1e-5)
    some = model.evaluate(numbers, numbers, steps=2, batch_size=4, verbose=0)[0]
    assert some == pytest.approx(model.evaluate(numbers[:8], numbers[:8], verbose=0)[0], rel=1e-5)
    assert some != pytest.approx(every, rel=1e-3)


class InTurn(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.given = []

    def __len__(self):
        return 20

    def __getitem__(self, number):
        self.given.append(number)
        return ONES, ONES


@stated("without it a `PyDataset`'s batches come in a new order, and Keras warns that the others")
@stated("of a `PyDataset` the batches; generators and other datasets keep their order, and Keras")
def test_batches_of_a_pydataset_are_shuffled():
    kept, shuffled = InTurn(), InTurn()
    little().fit(kept, shuffle=False, verbose=0)
    little().fit(shuffled, verbose=0)
    orders = [list(dict.fromkeys(data.given)) for data in (kept, shuffled)]  # one is given twice
    assert orders[0] == list(range(20)) == sorted(orders[1])
    assert orders[1] != orders[0]
    batches = (batch for batch in [(ONES, ONES)] * 9)
    with pytest.warns(UserWarning, match="shuffle=True"):
        little().fit(batches, steps_per_epoch=2, verbose=0)


@stated("| for `fit`'s own use; any name of yours is an error |")
def test_evaluate_refuses_other_names():
    with pytest.raises(ValueError, match="not recognized"):
        little().evaluate(ONES, ONES, verbose=0, mine=1)


@stated("the same; `alpha` weighs what is missed, `beta` false alarms (so Keras 3.15 computes; its")
def test_alpha_of_tversky_weighs_what_is_missed():
    labels = np.array([[1], [1], [0], [0]], "float32")
    missed, alarm = (np.array(o, "float32").reshape(4, 1) for o in ([1, 0, 0, 0], [1, 1, 1, 0]))
    high, low = (keras.losses.Tversky(alpha=a, beta=1 - a) for a in (0.9, 0.1))
    assert value(high(labels, missed)) > 0.4 > 0.2 > value(low(labels, missed))
    assert value(low(labels, alarm)) > 0.2 > 0.1 > value(high(labels, alarm))


@stated("which gives a number for each sample (`dice` and `tversky`: one for the batch)")
@stated("a margin instead of probabilities; labels of 0 count as −1")
def test_losses_of_a_sample_and_of_a_batch():
    labels, outputs = np.array([[1.0], [0.0]]), np.array([[0.9], [0.4]])
    for loss in (keras.losses.dice, keras.losses.tversky):
        assert loss(labels, outputs).shape == ()
    assert keras.losses.mean_squared_error(labels, outputs).shape == (2,)
    hinge = [value(keras.losses.Hinge()(y, outputs)) for y in (labels, 2 * labels - 1)]
    assert hinge[0] == pytest.approx(hinge[1])


@stated("for yes or no give `threshold=0.5`, else the largest output of a row is the yes")
def test_f1_of_one_output_needs_a_threshold():
    labels, right = np.array([[1], [0], [0], [1]]), np.array([[0.9], [0.1], [0.2], [0.8]])
    f1 = [keras.metrics.F1Score(threshold=threshold) for threshold in (None, 0.5)]
    found = [np.ravel(keras.ops.convert_to_numpy(one(labels, right))).item() for one in f1]
    assert found == pytest.approx([2 / 3, 1], abs=1e-4)


@stated("though Keras's keeps a number a weight too")
@stated("All from `SGD` to `ScheduleFreeAdamW` take `learning_rate`, `weight_decay`, `clipnorm`")
@stated("The wrappers do not: give them to the optimizers inside.")
def test_what_optimizers_keep_and_take():
    def kept(name):
        optimizer = getattr(keras.optimizers, name)()
        optimizer.build([keras.Variable(np.ones((10, 20), "float32"))])
        return sum(int(np.prod(variable.shape)) for variable in optimizer.variables)

    assert 200 < kept("RMSprop") < kept("Adafactor") < 250 < 400 < kept("Adam")
    for name in ("SGD", "Adafactor", "Muon", "Lion", "ScheduleFreeAdamW"):
        getattr(keras.optimizers, name)(
            learning_rate=0.1, weight_decay=0.1, clipnorm=1.0, use_ema=True,
            gradient_accumulation_steps=2,
        )  # fmt: skip
    sgd = keras.optimizers.SGD()
    with pytest.raises((TypeError, ValueError)):
        keras.optimizers.LossScaleOptimizer(sgd, clipnorm=1.0)
    with pytest.raises((TypeError, ValueError)):
        keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(sgd, {}), clipnorm=1.0)


@stated("| falls so again and again, each time over `t_mul` = 2 times as many steps |")
def test_restarts_come_later_each_time():
    schedule = keras.optimizers.schedules.CosineDecayRestarts(1.0, 10)
    rates = [value(schedule(step)) for step in (0, 9, 10, 20, 29, 30)]
    assert rates == pytest.approx([1, 0.02, 1, 0.5, 0.006, 1], abs=0.01)


@stated('so the string `"l1l2"` adds nothing')
@stated("| 0.01 × the mean \\|cosine\\| of two rows: none at right angles |")
def test_two_penalties_that_surprise():
    weights = np.array([[3, 0], [-4, 0.5]], "float32")
    assert value(keras.regularizers.get("l1l2")(weights)) == 0
    penalty = keras.regularizers.OrthogonalRegularizer()
    cosine = abs(weights[0] @ weights[1]) / np.prod(np.linalg.norm(weights, axis=1))
    assert value(penalty(weights)) == pytest.approx(0.01 * cosine, rel=1e-3)
    assert value(penalty(np.eye(2, dtype="float32"))) == pytest.approx(0, abs=1e-6)


@stated("rows or columns, whichever are fewer, at right angles and of length 1")
def test_orthogonal_rows_or_columns():
    draw = keras.initializers.Orthogonal(seed=1)
    for shape in ((2, 5), (5, 2)):
        drawn = keras.ops.convert_to_numpy(draw(shape))
        few = drawn if shape[0] < shape[1] else drawn.T
        np.testing.assert_allclose(few @ few.T, np.eye(2), atol=1e-5)
