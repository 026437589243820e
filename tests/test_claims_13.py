"""That notebook 13, Look it up, describes what Keras has: all of it, and nothing else."""

import inspect
import re

import keras
import numpy as np
import pytest

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
