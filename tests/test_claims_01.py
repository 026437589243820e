"""Claims of notebook 01, Keras building blocks, and that its tables say what its cells do."""

import re

import keras
import numpy as np
import pytest

from claims import claim, history, table
from notebook_files import NOTEBOOKS, code, markdown, read, tags


@pytest.fixture(scope="module")
def notebook():
    return next(read(path) for path in NOTEBOOKS if path.name.startswith("01-"))


@pytest.fixture(scope="module")
def curves():
    return history("history_digits")


@pytest.fixture(scope="module")
def evaluated():
    return table("digits_evaluated").set_index("when")


@pytest.fixture(scope="module")
def sure():
    return table("digits_sure").set_index("sure")


# --- That what was judged is what the prose describes --------------------------------


def test_evaluate_gives_the_last_point_of_the_curves(curves, evaluated):
    """As section 6 says it must: the same pictures, and the weights as they were left."""
    assert list(curves.index) == [1, 2, 3]
    for name in ("loss", "accuracy"):
        assert evaluated[name]["after"] == pytest.approx(curves[f"val_{name}"][3], rel=1e-4)


def test_groups_hold_every_validation_picture_once(evaluated, sure):
    assert sure["pictures"].sum() == 10_000
    assert 1 - sure["wrong"].sum() / 10_000 == pytest.approx(evaluated["accuracy"]["after"])


# --- 6. Evaluate and predict ---------------------------------------------------------


@claim("The untrained network names fewer than 25 of 100 validation pictures right.")
def test_untrained_network_guesses(evaluated):
    """0.06 to 0.14: random weights favour a few digits."""
    assert 0 < evaluated["accuracy"]["before"] < 0.25


@claim(
    "After three epochs it names more than 96 of 100 right, pictures that it never learned from.",
)
def test_trained_network_reads_digits(curves, evaluated):
    """0.969 to 0.977; in training 0.983 to 0.985."""
    assert 0.96 < evaluated["accuracy"]["after"] < 0.99
    # It has not learned from them: then its training accuracy would be no higher.
    assert evaluated["accuracy"]["after"] < curves["accuracy"][3]


@claim(
    "Training loss falls from each epoch to the next, and validation loss ends below one tenth of "
    "what it was before the fit.",
)
def test_losses_fall(curves, evaluated):
    """Training 0.24, 0.09, 0.05. Validation ends at 0.03 to 0.05 of what it was."""
    assert (curves["loss"].diff().dropna() < 0).all()
    assert evaluated["loss"]["after"] < evaluated["loss"]["before"] / 10


@claim(
    "Where the network gives its answer more than 99%, it is wrong in fewer than 1 of 100 cases; "
    "where it gives less than 90%, in more than 20 of 100.",
)
def test_sure_answers_are_better(sure):
    """0.002 to 0.003 against 0.32 to 0.36; 470 to 570 pictures in the smallest group."""
    assert sure["share wrong"]["above 99%"] < 0.01
    assert sure["share wrong"]["below 90%"] > 0.2
    assert sure["pictures"].min() > 50, "too few to speak of a share"


# --- 8. Backends ---------------------------------------------------------------------


@claim(
    "Every installed backend reads the file and gives the same probabilities for 100 pictures, "
    "within 0.001.",
)
def test_backends_agree():
    """TensorFlow and JAX: apart by less than 1e-6. Each in a Python of its own."""
    backends = table("digits_backends").set_index("backend")
    assert sorted(backends.index) == ["jax", "tensorflow", "torch"]
    installed = backends[backends["installed"]]
    assert keras.config.backend() in installed.index
    assert (installed["difference"] < 0.001).all()
    assert backends[~backends["installed"]]["difference"].isna().all()


# --- 9. The table of spellings -------------------------------------------------------

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


def test_chooser_has_the_tasks_of_the_prose(notebook):
    """Binary, multiclass twice, multilabel, and two kinds of regression; every one is fitted."""
    cells = {c.id: c for c in code(notebook)}
    fitted = "".join(o.get("text", "") for o in cells["chooser-fit"].outputs)
    found = re.findall(r"^(\S.*?)  +.* lowers the loss: True$", fitted, re.MULTILINE)
    assert found == [
        "binary", "multiclass", "multiclass", "multilabel", "scalar regression",
        "vector regression",
    ]  # fmt: skip
