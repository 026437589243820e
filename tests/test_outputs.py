"""Saved fits: whole or not at all, found again, and said which one it is."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from lesson import (
    load_history,
    load_model,
    load_table,
    outputs,
    save_history,
    save_model,
    save_table,
)

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
CURVES = {"loss": [1.5, 1.0], "val_loss": [1.6, 1.2]}
X = np.arange(8, dtype="float32").reshape(4, 2)


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A learner's folder and a reference folder, both empty."""
    monkeypatch.setenv("FIT_OUTPUTS", str(tmp_path / "own"))
    monkeypatch.setattr(outputs, "REFERENCE", tmp_path / "reference")
    (tmp_path / "own").mkdir()
    (tmp_path / "reference").mkdir()
    return tmp_path / "own"


@pytest.fixture
def reference(own):
    return own.parent / "reference"


def small_model(seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- There and back ---------------------------------------------------------------


@pytest.mark.parametrize(
    "curves",
    [
        {"loss": [0.1 + 0.2, 1 / 3, 1e-300], "val_loss": [1.7976931348623157e308, 5e-324, -0.0]},
        {"loss": [1.0, float("nan"), float("inf")], "accuracy": [float("nan")] * 3},
        {"loss": [float("nan"), 2.0]},
        {"loss": [1.0]},
    ],
)
def test_history_returns_to_the_last_digit(curves):
    save_history(curves, "history")
    loaded = load_history("history")
    expected = pd.DataFrame(curves, index=pd.RangeIndex(1, len(curves["loss"]) + 1, name="epoch"))
    pd.testing.assert_frame_equal(loaded, expected, check_exact=True, check_index_type="equiv")


def test_epochs_are_kept():
    frame = pd.DataFrame(CURVES, index=pd.Index([11, 12], name="epoch"))
    save_history(frame, "history")
    assert list(load_history("history").index) == [11, 12]


def test_history_of_a_fit_returns():
    history = small_model().fit(X, X[:, :1], epochs=2, verbose=0)
    save_history(history, "history")
    assert load_history("history")["loss"].to_list() == history.history["loss"]


@pytest.mark.parametrize("make", [list, pd.DataFrame])
def test_table_returns(make):
    rows = [{"rate": 0.1 + 0.2, "model": "a, b"}, {"rate": float("nan"), "model": "c"}]
    save_table(make(rows), "table")
    pd.testing.assert_frame_equal(load_table("table"), pd.DataFrame(rows), check_exact=True)


def test_model_returns_compiled_and_predicts_the_same(own):
    model = small_model()
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    save_model(model, "model")
    loaded = load_model("model")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert loaded.compiled
    assert int(loaded.optimizer.iterations) == 2
    mode = (own / "model.keras").stat().st_mode
    assert mode & 0o044 == 0o044, "others on this machine cannot read it"


def test_saving_again_replaces_and_leaves_nothing_else(own):
    for loss in (1.0, 2.0):
        save_history({"loss": [loss]}, "history")
        save_model(small_model(seed=int(loss)), "model")
    assert load_history("history")["loss"].to_list() == [2.0]
    assert sorted(files(own)) == ["history.csv", "model.keras"]


def test_folder_is_made(own, monkeypatch):
    monkeypatch.setenv("FIT_OUTPUTS", str(own / "new" / "folder"))
    save_history(CURVES, "history")
    assert (own / "new" / "folder" / "history.csv").is_file()


def test_without_the_setting_it_is_the_series_folder(monkeypatch):
    monkeypatch.delenv("FIT_OUTPUTS")
    assert outputs.outputs_folder() == NOTEBOOKS.parent / "fit_outputs"


# --- Which one ----------------------------------------------------------------------


def test_own_comes_before_reference(own, reference, capsys):
    save_history({"loss": [1.0]}, "history")
    (own / "history.csv").rename(reference / "history.csv")
    assert load_history("history")["loss"].to_list() == [1.0]
    save_history({"loss": [2.0]}, "history")
    assert load_history("history")["loss"].to_list() == [2.0]
    assert capsys.readouterr().out.splitlines() == [
        "Saved fit_outputs/history.csv.",
        "Loaded fit_outputs/reference/history.csv (the reference run: you have saved none yet).",
        "Saved fit_outputs/history.csv.",
        "Loaded fit_outputs/history.csv (your own run).",
    ]


def test_unknown_name_lists_those_there_are(own, reference):
    for path in (own / "model_intro.keras", reference / "model_dropout.keras"):
        path.touch()
    (own / "history_intro.csv").touch()
    (own / ".saving-x.keras").touch()
    with pytest.raises(FileNotFoundError) as caught:
        load_model("model_intr")
    assert str(caught.value) == (
        "no model 'model_intr' in fit_outputs/. Did you mean 'model_intro'? "
        "There are: model_dropout, model_intro."
    )
    for load in (load_history, load_table):
        with pytest.raises(FileNotFoundError, match=r"There are: history_intro\.$"):
            load("zzz")


def test_unknown_name_where_there_is_none():
    with pytest.raises(FileNotFoundError, match="holds none yet. Run the notebook that saves it"):
        load_model("model_intro")


@pytest.mark.parametrize("name", ["a/b", "..", "x.keras", "a b", "x\n", "", None, 3])
@pytest.mark.parametrize(
    "use",
    [load_model, load_history, lambda n: save_history(CURVES, n), lambda n: save_model(MODEL, n)],
)
def test_bad_name(use, name, own):
    with pytest.raises(ValueError, match="bare name of letters.*such as 'model_intro'; got"):
        use(name)
    assert not files(own)


MODEL = small_model()


def test_only_what_is_one_can_be_saved(own):
    with pytest.raises(ValueError, match="model must be a keras.Model; got a History"):
        save_model(keras.callbacks.History(), "model")
    with pytest.raises(ValueError, match="holds no epoch"):
        save_history(keras.callbacks.History(), "history")
    with pytest.raises(ValueError, match="the table has no row"):
        save_table([], "table")
    assert not files(own)


# --- Damaged files ---------------------------------------------------------------------


def cut_in_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def cut_the_last_digit(path):
    path.write_bytes(path.read_bytes().rstrip()[:-1])


def empty(path):
    path.write_bytes(b"")


def replace_by_a_page(path):
    path.write_text("<!DOCTYPE html>\n<p>404, not found</p>\n")


def put_a_word_among_the_numbers(path):
    path.write_text("epoch,loss\n1,low\n")


@pytest.mark.parametrize("damage", [cut_in_half, empty, replace_by_a_page])
def test_damaged_model(damage, own):
    save_model(MODEL, "model")
    damage(own / "model.keras")
    with pytest.raises(
        ValueError, match=r"fit_outputs/model\.keras is damaged.*Delete it, then run the notebook"
    ):
        load_model("model")


@pytest.mark.parametrize(
    "damage",
    [cut_in_half, cut_the_last_digit, empty, replace_by_a_page, put_a_word_among_the_numbers],
)
def test_damaged_history(damage, own):
    save_history(CURVES, "history")
    damage(own / "history.csv")
    with pytest.raises(
        ValueError, match=r"fit_outputs/history\.csv is damaged.*Delete it, then run the notebook"
    ):
        load_history("history")


@pytest.mark.parametrize("damage", [cut_in_half, empty])
def test_damaged_table(damage, own):
    save_table([{"rate": 0.123456}, {"rate": 0.654321}], "table")
    damage(own / "table.csv")
    with pytest.raises(ValueError, match=r"fit_outputs/table\.csv is damaged"):
        load_table("table")


# --- Saving that fails -------------------------------------------------------------------


@pytest.mark.parametrize("step", [(tempfile, "mkstemp"), (os, "replace")])
@pytest.mark.parametrize(
    "save", [lambda: save_history({"loss": [9.0]}, "history"), lambda: save_model(MODEL, "model")]
)
def test_read_only_folder(step, save, own, monkeypatch):
    (own / "history.csv").write_bytes(b"old")
    (own / "model.keras").write_bytes(b"old")

    def refuse(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(*step, refuse)
    with pytest.raises(PermissionError) as caught:
        save()
    assert "cannot save " in str(caught.value)
    assert "Permission denied. Any earlier file is intact" in str(caught.value)
    assert caught.value.filename == str(own)
    monkeypatch.undo()
    assert files(own) == {"history.csv": b"old", "model.keras": b"old"}


def test_folder_that_is_a_file(own, monkeypatch):
    (own / "file").write_bytes(b"")
    monkeypatch.setenv("FIT_OUTPUTS", str(own / "file"))
    with pytest.raises(OSError, match="cannot save history.csv"):
        save_history(CURVES, "history")


@pytest.mark.parametrize(
    "error", [RuntimeError("died"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")]
)
def test_saving_that_dies_leaves_the_old_file(error, own, monkeypatch):
    save_model(MODEL, "model")
    before = files(own)

    def half(self, path, *args, **options):
        Path(path).write_bytes(before["model.keras"][:100])
        raise error

    monkeypatch.setattr(keras.Model, "save", half)
    with pytest.raises(type(error)) as caught:
        save_model(small_model(seed=2), "model")
    if isinstance(error, OSError):
        assert "No space left" in str(caught.value)
    assert files(own) == before


KILLED = """
import lesson, keras, time
def half(self, path, *args, **options):
    open(path, "wb").write(b"PK")
    print("half", flush=True)
    time.sleep(120)
keras.Model.save = half
lesson.save_model(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), "model")
"""


def test_killed_kernel_leaves_the_old_model(own):
    save_model(MODEL, "model")
    before = files(own)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=NOTEBOOKS, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "half\n"
        process.kill()
    after = files(own)
    assert after.pop("model.keras") == before["model.keras"]
    assert list(after.values()) == [b"PK"], "the kill came too early or too late to tell"
    np.testing.assert_array_equal(
        load_model("model").predict(X, verbose=0), MODEL.predict(X, verbose=0)
    )
    with pytest.raises(FileNotFoundError, match=r"There are: model\.$"):
        load_model("zzz")


# --- What other code saves, and a metric that is an array -----------------------------


def test_history_of_an_array_comes_back_a_column_for_each_number(own):
    save_history({"loss": [2.0], "f1_score": [np.array([0.25, 0.5])]}, "history_f1")
    frame = load_history("history_f1")
    assert list(frame.columns) == ["loss", "f1_score[0]", "f1_score[1]"]
    assert list(frame.loc[1]) == [2.0, 0.25, 0.5]


def test_writable_makes_the_folder_and_gives_the_path(own):
    path = outputs.writable(own / "new" / "model.keras")
    assert path.parent.is_dir()
    assert not path.exists()


def test_folder_that_cannot_be_written_is_named_with_the_way_out(own):
    (own / "file").write_text("in the way")
    with pytest.raises(OSError, match="this folder is a file.*FIT_OUTPUTS") as caught:
        outputs.writable(own / "file" / "model.keras")
    assert caught.value.filename == str(own / "file")


def test_table_grows_by_what_is_not_there_yet(own):
    path = own / "many_seeds.csv"
    made = []

    def rows(seed):
        made.append(seed)
        return [{"epoch": epoch, "loss": seed / 3 + epoch} for epoch in (1, 2)]

    for seed in (1, 2, 1, 3, 2):
        outputs.extend_table(path, {"seed": seed, "where": "last"}, lambda seed=seed: rows(seed))
    assert made == [1, 2, 3]
    table = pd.read_csv(path)
    assert list(table.columns) == ["seed", "where", "epoch", "loss"]
    assert table["seed"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table["loss"][5] == pytest.approx(3)


def test_table_stays_whole_when_its_next_row_fails(own):
    path = own / "many_seeds.csv"
    outputs.extend_table(path, {"seed": 1}, lambda: [{"loss": 0.5}])
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        outputs.extend_table(path, {"seed": 2}, lambda: [{"loss": 1 / 0}])
    assert path.read_bytes() == before
    assert list(own.iterdir()) == [path]
