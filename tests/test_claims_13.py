"""That notebook 13, Look it up, describes what Keras has: all of it, and nothing else."""

import inspect
import re

import keras
import numpy as np
import pytest

from claims import stated
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
