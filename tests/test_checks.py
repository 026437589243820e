"""What the checks say: of solutions, of other right answers, of mistakes, of nonsense."""

import functools
import importlib
import re
from fractions import Fraction
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from answers import is_right
from lesson import check
from lesson.checks import engine
from notebook_files import NOTEBOOKS, code, read, tags

losses, metrics, optimizers = keras.losses, keras.metrics, keras.optimizers


# --- A small stand-in for notebook 03 ------------------------------------------------


class Fast(keras.Model):
    """A model that runs an epoch's steps in one go: the same numbers, sooner."""

    def compile(self, *args, **options):
        super().compile(*args, **{**options, "steps_per_execution": 1250})


def create_model_intro(size=2):
    inputs = keras.Input((size, size, 1))
    outputs = keras.layers.GlobalAveragePooling2D()(inputs)
    return Fast(inputs, keras.layers.Dense(10, activation="softmax")(outputs))


@functools.cache
def tiny_data():
    """As many images as in notebook 03, of four pixels each."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 50_000)
    images = (labels[:, None, None, None] / 10 + rng.random((50_000, 2, 2, 1))).astype("float32")
    images[40_000:] += 1  # so that a loss tells which images it was computed on
    one_hot = keras.utils.to_categorical(labels, 10)
    return {
        "train_images": images[:40_000],
        "train_labels": one_hot[:40_000],
        "val_images": images[40_000:],
        "val_labels": one_hot[40_000:],
    }


CURVES = {
    "loss": [1.6, 1.2, 1.1, 1.0],
    "val_loss": [1.5, 1.2, 1.1, 1.14],
    "categorical_accuracy": [0.4, 0.5, 0.6, 0.67],
    "val_categorical_accuracy": [0.4, 0.61, 0.6, 0.6],
}


def history_of(curves):
    history = keras.callbacks.History()
    history.history, history.epoch = curves, list(range(len(curves.get("loss", []))))
    return history


# --- Solutions -------------------------------------------------------------------------

# What a solution cell finds in the kernel, by exercise: what makes the variables,
# or the ids of earlier cells to run. Each test_checks_NN.py has such a PREPARE.
PREPARE = {
    "03-compile": lambda: {"model_intro": create_model_intro()},
    "03-bug": lambda: {
        "create_model_intro": create_model_intro,
        "train_images": tiny_data()["train_images"],
        "labels": np.arange(50_000)[:, None] % 10,
    },
    "03-steps": dict,
    "03-fit": lambda: {"create_model_intro": create_model_intro, **tiny_data()},
    "03-read": lambda: {"history_few": history_of(CURVES)},
}
for file in sorted(Path(__file__).parent.glob("test_checks_*.py")):
    PREPARE |= getattr(importlib.import_module(file.stem), "PREPARE", {})


def exercises():
    """The check cell and the solution cell of each exercise of every notebook."""
    found = []
    for path in NOTEBOOKS:
        cells = {cell.id: cell for cell in code(read(path))}
        for name, cell in cells.items():
            if "solution" in tags(cell) or name.endswith("-solution"):
                judge = cells[f"{name.removesuffix('-solution')}-check"].source
                exercise = re.search(r'"(.+)"', judge)[1]
                found.append(pytest.param(cells, judge, cell.source, id=exercise))
    return found


def prepared(exercise, cells):
    """The kernel as the solution finds it."""
    if exercise not in PREPARE:
        file = f"test_checks_{exercise[:2]}.py"
        pytest.fail(f"add to PREPARE in {file} what the solution of {exercise} needs")
    kernel = {}
    exec(cells["imports"].source, kernel)
    before = PREPARE[exercise]
    if callable(before):
        kernel |= before()
    else:
        for name in before:
            exec(cells[name].source, kernel)
    return kernel


@pytest.mark.parametrize(("cells", "check_cell", "solution"), exercises())
def test_solution_passes_its_check(cells, check_cell, solution, capsys, request):
    kernel = prepared(request.node.callspec.id, cells)
    capsys.readouterr()
    exec(check_cell, kernel)
    assert capsys.readouterr().out.startswith("Nothing to check yet: "), "before the solution"
    exec(solution, kernel)
    capsys.readouterr()
    exec(check_cell, kernel)
    text = capsys.readouterr().out.strip()
    assert is_right(text), text
    assert "·" not in text, "a note on the solution itself"


def test_every_check_has_a_solution_and_every_solution_a_check():
    written = {path.name[:2] for path in NOTEBOOKS}
    judged = {exercise for exercise in engine.EXERCISES if exercise[:2] in written}
    assert {one.id for one in exercises()} == judged


# --- The engine ---------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", engine.EXERCISES)
def test_nothing_yet(exercise, said):
    needs = engine.EXERCISES[exercise].needs
    for nothing in ({}, dict.fromkeys(needs), dict.fromkeys(needs, ...)):
        text = said(exercise, **nothing)
        assert re.fullmatch(r"Nothing to check yet: .+, then run this cell again\.", text)


@pytest.mark.parametrize("exercise", ["03-nothing", "", None, 3, []])
def test_unknown_exercise(exercise, said):
    text = said(exercise)
    assert text.startswith("✗")
    if isinstance(exercise, str):
        assert "There are: " in text
        assert "03-steps" in text


def test_variables_are_found_in_the_notebook_or_given(capsys):
    kernel = {"check": check, "steps_per_epoch": 782, "steps_in_all": 2346}
    exec("check('03-steps')", kernel)
    assert is_right(capsys.readouterr().out.strip())
    exec("check('03-steps', steps_in_all=1)", kernel)
    assert "1 of 2 right so far." in capsys.readouterr().out
    assert kernel["steps_in_all"] == 2346


class Hostile:
    """Fails at whatever is asked of it."""

    def __getattr__(self, name):
        raise RuntimeError("line one\nline two")

    __eq__ = __hash__ = __bool__ = __len__ = __array__ = lambda self, *_: self.fail


NONSENSE = {
    "int": 3,
    "negative": -1.5,
    "nan": float("nan"),
    "bool": True,
    "text": "1250",
    "list": [1, 2],
    "dict": {"loss": [1.0]},
    "array": np.arange(3),
    "scalar": np.float32(3),
    "series": pd.Series([1, 2]),
    "frame": pd.DataFrame(CURVES),
    "not available": pd.NA,
    "tensor": keras.ops.ones(2),
    "class": keras.Model,
    "function": create_model_intro,
    "empty model": keras.Sequential(),
    "unbuilt model": keras.Sequential([keras.layers.Dense(10, activation="softmax")]),
    "layer": keras.layers.Dense(1),
    "unused history": keras.callbacks.History(),
    "empty history": history_of({}),
    "short history": history_of({"loss": [1.0]}),
    "words in history": history_of(dict.fromkeys(CURVES, ["low"])),
    "hostile": Hostile(),
}


def judge_nonsense(text):
    assert text
    assert not is_right(text)
    assert "Traceback" not in text
    assert "line two" not in text, "only the first line of an error"
    assert all(line.strip() and len(line) < 400 for line in text.splitlines())


@pytest.mark.parametrize("thing", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("exercise", engine.EXERCISES)
def test_nonsense_is_explained(exercise, thing, said):
    judge_nonsense(said(exercise, **dict.fromkeys(engine.EXERCISES[exercise].needs, thing)))


@pytest.mark.parametrize("thing", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize(
    ("exercise", "name"),
    [
        ("03-fit", "model_intro"),
        ("03-fit", "history_intro"),
        ("03-fit", "val_images"),
        ("03-read", "history_few"),
        ("03-read", "gap"),
    ],
)
def test_one_nonsense_among_right_things_is_explained(exercise, name, thing, said):
    right = {"history_few": history_of(CURVES), "best_epoch": 3, "gap": 0.07}
    if exercise == "03-fit":
        right = dict(right_fit())
    assert is_right(said(exercise, **right))
    judge_nonsense(said(exercise, **{**right, name: thing}))


def test_wrong_type_is_named(said):
    text = said("03-steps", steps_per_epoch="1250", steps_in_all=1)
    assert "steps_per_epoch is of type str; it should be a number." in text
    text = said("03-steps", steps_per_epoch=True, steps_in_all=1)
    assert "of type bool; it should be a number." in text
    text = said("03-compile", model_intro=history_of(CURVES))
    assert "model_intro is of type History; it should be a Keras model." in text
    text = said("03-read", history_few=pd.DataFrame(CURVES), best_epoch=3, gap=0.07)
    assert "of type DataFrame; it should be the History that fit returns." in text


# --- 03-steps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "total"),
    [
        (782, 2346),
        (782.0, 2346.0),
        (np.int64(782), np.float32(2346)),
        (Fraction(782), Fraction(2346)),
    ],
)
def test_steps_right(epoch, total, said):
    assert is_right(said("03-steps", steps_per_epoch=epoch, steps_in_all=total))


@pytest.mark.parametrize(
    ("epoch", "total", "reason"),
    [
        (781, 2346, "the 16 images left over would never be used"),
        (50_000 / 64, 2346, "a quarter of a step cannot be"),
        (1250, 2346, "that is 40,000 / 32"),
        (625, 2346, "that is 40,000 / 64"),
        (1563, 2346, "that is with batches of 32"),
        (50_000, 2346, "that would be one image a step"),
        (64, 2346, "how many batches of 64 do 50,000 images fill?"),
        (782, 782, "every epoch goes through all the batches again"),
        (782, 2343, "every epoch goes through all the batches again"),
        (781, 2343, "that follows from your steps_per_epoch, which is not right yet"),
    ],
)
def test_steps_wrong(epoch, total, reason, said):
    text = said("03-steps", steps_per_epoch=epoch, steps_in_all=total)
    assert reason in text
    assert re.search(r"[01] of 2 right so far\.$", text)
    assert not re.search(r"\b782|2,?346", text), "it gives the answer away"


# --- 03-compile and 03-bug ---------------------------------------------------------------------


def own_cross_entropy(labels, outputs):
    return -keras.ops.sum(labels * keras.ops.log(outputs), axis=-1)


class OwnCrossEntropy(losses.Loss):
    def call(self, labels, outputs):
        return own_cross_entropy(labels, outputs)


RIGHT = {
    "optimizer": optimizers.Adam,
    "loss": losses.CategoricalCrossentropy,
    "metrics": lambda: [metrics.CategoricalAccuracy()],
}


def compiled(**given):
    """A small model compiled as the exercise asks, but for what is given."""
    model = create_model_intro()
    model.compile(**({name: make() for name, make in RIGHT.items()} | given))
    return model


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalCrossentropy(),
        losses.CategoricalCrossentropy(name="mine"),
        losses.CategoricalCrossentropy,
        losses.categorical_crossentropy,
        losses.KLDivergence(),
        "categorical_crossentropy",
        "CategoricalCrossentropy",
        "crossentropy",
        ["categorical_crossentropy"],
        own_cross_entropy,
        OwnCrossEntropy(),
        lambda labels, outputs: own_cross_entropy(labels, outputs),
        functools.partial(losses.categorical_crossentropy, axis=-1),
    ],
)
def test_right_losses(loss, said, recwarn):
    assert is_right(said("03-compile", model_intro=compiled(loss=loss)))
    assert not [w for w in recwarn if "serialized" in str(w.message)]


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (
            losses.SparseCategoricalCrossentropy(),
            "SparseCategoricalCrossentropy, which wants integ",
        ),
        ("sparse_categorical_crossentropy", "which wants integer labels such as 6"),
        (losses.SparseCategoricalCrossentropy(from_logits=True), "which wants integer labels"),
        (
            losses.CategoricalCrossentropy(from_logits=True),
            "from_logits=True says that the model's",
        ),
        (losses.CategoricalCrossentropy(label_smoothing=0.1), "has default settings; yours comp"),
        ("mse", "yours is mean_squared_error. To choose one class out of ten"),
        (losses.MeanSquaredError(), "yours is MeanSquaredError. To choose one class"),
        ("binary_crossentropy", "yours is binary_crossentropy. To choose one class"),
        (losses.BinaryCrossentropy(from_logits=True), "from_logits=True"),
        (lambda y, p: losses.sparse_categorical_crossentropy(y, p), "To choose one class"),
        ("crosentropy", "Keras knows none called 'crosentropy'. Mind the spelling"),
        (None, "loss: none."),
    ],
)
def test_wrong_losses(loss, reason, said):
    text = said("03-compile", model_intro=compiled(loss=loss))
    assert "✗ loss: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")
    shown = text.replace("SparseCategoricalCrossentropy", "")
    if not isinstance(loss, losses.CategoricalCrossentropy):
        assert "CategoricalCrossentropy" not in shown, "it gives the answer away"


def fitted(loss, labels):
    model = compiled(loss=loss, metrics=None)
    model.fit(tiny_data()["train_images"][:64], labels, verbose=0)
    return model


@pytest.mark.parametrize(
    "loss", [losses.SparseCategoricalCrossentropy(), "sparse_categorical_crossentropy"]
)
@pytest.mark.parametrize("labels", [np.arange(64) % 10, np.arange(64)[:, None] % 10])
def test_bug_repaired(loss, labels, said):
    assert is_right(said("03-bug", model_fixed=fitted(loss, labels)))


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (losses.SparseCategoricalCrossentropy(from_logits=True), "still takes the outputs for raw"),
        (losses.CategoricalCrossentropy(), "suits one-hot labels, and is one way out"),
        ("mse", "yours is mean_squared_error; the task is to keep the sparse one"),
        ("crosentropy", "none that Keras knows"),
        (None, "none that Keras knows"),
    ],
)
def test_bug_not_repaired(loss, reason, said):
    text = said("03-bug", model_fixed=compiled(loss=loss))
    assert reason in text
    assert "fit: the model has taken no step yet" in text
    assert text.endswith("0 of 2 right so far.")


@pytest.mark.parametrize(
    "given", ["adam", "Adam", optimizers.Adam(0.001), optimizers.Adam(beta_1=0.9)]
)
def test_right_optimizers(given, said):
    assert is_right(said("03-compile", model_intro=compiled(optimizer=given)))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("sgd", "yours is SGD; the task asks for Adam"),
        (optimizers.RMSprop(), "yours is RMSprop"),
        (optimizers.AdamW(), "yours is AdamW"),
        (optimizers.Adam(0.01), "with learning rate 0.01; the task asks for its default"),
        (optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)), "rate 0.1;"),
    ],
)
def test_wrong_optimizers(given, reason, said):
    text = said("03-compile", model_intro=compiled(optimizer=given))
    assert "✗ optimizer: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ([metrics.CategoricalAccuracy()], None),
        ([metrics.CategoricalAccuracy], None),
        (["categorical_accuracy"], None),
        ([metrics.categorical_accuracy], None),
        ([["categorical_accuracy"]], None),
        (("categorical_accuracy", "mse"), None),
        (["mse", metrics.CategoricalAccuracy()], None),
        ([metrics.SparseCategoricalAccuracy(), metrics.CategoricalAccuracy()], None),
        (["accuracy"], "accuracy"),
        (["acc"], "acc"),
        (["CategoricalAccuracy"], "CategoricalAccuracy"),
        ([metrics.CategoricalAccuracy(name="share")], "share"),
    ],
)
def test_right_metrics(given, name, said):
    """The note says what the history will call it, where cells below need another name."""
    text = said("03-compile", model_intro=compiled(metrics=given))
    assert is_right(text)
    assert re.findall(r"Keras will call it '(\w+)' in the history", text) == [name] * bool(name)


@pytest.mark.parametrize("given", ["accuracy", metrics.CategoricalAccuracy(name="share")])
def test_the_history_has_the_name_that_the_note_says(given, said):
    model = compiled(metrics=[given])
    data = tiny_data()
    text = said("03-compile", model_intro=model)
    history = model.fit(data["val_images"], data["val_labels"], verbose=0).history
    assert re.search(r"call it '(\w+)'", text)[1] in history


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "no accuracy for categories in the list (yours: none)"),
        ([], "yours: none"),
        (["mse", "mae"], "yours: mse, mae"),
        ([metrics.SparseCategoricalAccuracy()], "wants integer labels; yours are one-hot"),
        (["sparse_categorical_accuracy"], "wants integer labels"),
        (["binary_accuracy"], "judges each of the ten outputs alone"),
        ([metrics.Accuracy()], "asks whether outputs equal labels to the last digit"),
        ([metrics.Precision()], "yours: precision"),
    ],
)
def test_wrong_metrics(given, reason, said):
    text = said("03-compile", model_intro=compiled(metrics=given))
    assert "✗ metrics: " in text
    assert reason in text
    assert text.endswith("2 of 3 right so far.")


def test_model_not_compiled_yet(said):
    text = said("03-compile", model_intro=create_model_intro())
    assert text == "Nothing to check yet: compile model_intro, then run this cell again."
    text = said("03-bug", model_fixed=create_model_intro())
    assert text == "Nothing to check yet: compile and fit model_fixed, then run this cell again."


def test_last_compile_counts(said):
    model = compiled(optimizer="sgd", loss="mse", metrics=None)
    model.compile(**{name: make() for name, make in RIGHT.items()})
    assert is_right(said("03-compile", model_intro=model))


def test_model_without_a_shape_is_judged_all_the_same(said):
    model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
    model.compile(**{name: make() for name, make in RIGHT.items()})
    assert is_right(said("03-compile", model_intro=model))


# --- 03-fit ------------------------------------------------------------------------------------


def fit(model=None, **given):
    """The names that the check of 03-fit looks at, after such a fit."""
    data = tiny_data()
    options = {
        "x": data["train_images"],
        "y": data["train_labels"],
        "epochs": 10,
        "validation_data": (data["val_images"], data["val_labels"]),
        "verbose": 0,
    }
    model = model or compiled()
    history = model.fit(**(options | given))
    return {
        "model_intro": model,
        "history_intro": history,
        "val_images": data["val_images"],
        "val_labels": data["val_labels"],
    }


@functools.cache
def right_fit():
    keras.utils.set_random_seed(1)
    return fit(batch_size=32)


def test_right_fit(said):
    found = right_fit()
    weights = found["model_intro"].get_weights()
    text = said("03-fit", **found)
    assert is_right(text)
    assert text.count("✓") == 3
    for before, after in zip(weights, found["model_intro"].get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def joined(name):
    data = tiny_data()
    return np.concatenate([data[f"train_{name}"], data[f"val_{name}"]])


DATA = tiny_data()
TRAINING_DATA = (DATA["train_images"], DATA["train_labels"])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "epochs: 1; the task asks for 10."),
        ({"batch_size": 64}, "batches: 625 an epoch; 40,000 images in batches of 32 make 1,250."),
        ({"validation_data": None}, "validation: none. Give fit the pair (val_images, val_labels)"),
        ({"validation_data": TRAINING_DATA}, "other data were used"),
        (
            {"x": joined("images"), "y": joined("labels")},
            "all 50,000 images: keep the validation images out of x",
        ),
        (
            {"x": DATA["val_images"], "y": DATA["val_labels"]},
            "313 steps an epoch is 10,000 images: fit on the training images",
        ),
    ],
)
def test_wrong_fits(given, reason, said):
    text = said("03-fit", **fit(epochs=1, **given))
    assert reason in text
    wrong = re.findall(r"✗ (\w+):", text)
    assert wrong == ["epochs"] + (["validation"] if "validation_data" in given else []) + (
        ["batches"] if {"x", "batch_size"} & set(given) else []
    )


def test_part_of_the_training_data_kept_for_validation(said):
    text = said("03-fit", **fit(validation_data=None, validation_split=0.2, epochs=1))
    assert "batches: 1000 an epoch" in text
    assert "other data were used" in text


def test_history_of_another_model(said):
    text = said("03-fit", **{**right_fit(), "model_intro": compiled()})
    assert "history_intro belongs to another model than model_intro" in text
    assert text.endswith("0 of 1 right so far.")


class StopInEpochThree(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_interrupted_fit(said):
    model = compiled()
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks=[StopInEpochThree()])
    data = tiny_data()
    text = said("03-fit", model_intro=model, history_intro=model.history, **data)
    assert "✗ epochs: the fit stopped after 2 of 10. Run it again to the end." in text


def test_no_epoch_finished(said):
    history = keras.callbacks.History()
    text = said("03-fit", model_intro=compiled(), history_intro=history)
    assert "holds no finished epoch" in text


def test_fitted_twice(said):
    first = fit(epochs=1)
    second = fit(first["model_intro"], epochs=1)
    text = said("03-fit", **second)
    assert "✓ validation" in text
    assert "· model_intro has taken 2,500 steps, more than this fit's 1,250" in text
    text = said("03-fit", **first)
    assert "✗ validation" in text
    assert "or the model was fitted again since" in text


# --- 03-read -----------------------------------------------------------------------------------


@pytest.mark.parametrize("best", [3, 3.0, np.int64(3)])
@pytest.mark.parametrize("gap", [0.07, 0.67 - 0.6, np.float32(0.07), 0.0712])
def test_reading_right(best, gap, said):
    history = history_of(CURVES)
    assert is_right(said("03-read", history_few=history, best_epoch=best, gap=gap))


@pytest.mark.parametrize(
    ("best", "reason"),
    [
        (2, "that is its place in the list, which counts from 0"),
        (4, "there the training loss is lowest"),
        (10, "look for the lowest point of the dashed curve"),
        (1.1, "look for the lowest point of the dashed curve"),
    ],
)
def test_best_epoch_wrong(best, reason, said):
    text = said("03-read", history_few=history_of(CURVES), best_epoch=best, gap=0.07)
    assert f"✗ best_epoch: {reason}" in text
    assert text.endswith("1 of 2 right so far.")


def test_best_epoch_of_accuracy(said):
    curves = {**CURVES, "val_categorical_accuracy": [0.7, 0.61, 0.6, 0.6]}
    text = said("03-read", history_few=history_of(curves), best_epoch=1, gap=0.07)
    assert "✗ best_epoch: there the validation accuracy is highest" in text


@pytest.mark.parametrize(
    ("gap", "reason"),
    [
        (-0.07, "the sign is the other way round"),
        (7.0, "give it as a share, such as 0.02, not in percent"),
        (7, "not in percent"),
        (0.14, "that is the gap between the losses"),
        (0.67, "compare the two accuracies after the last epoch"),
        (0.0, "compare the two accuracies"),
    ],
)
def test_gap_wrong(gap, reason, said):
    text = said("03-read", history_few=history_of(CURVES), best_epoch=3, gap=gap)
    assert "✗ gap: " in text
    assert reason in text
    assert text.endswith("1 of 2 right so far.")


def test_history_without_the_metric(said):
    curves = {"loss": [1.0], "val_loss": [1.0], "accuracy": [0.5]}
    text = said("03-read", history_few=history_of(curves), best_epoch=1, gap=0.1)
    assert "has no categorical_accuracy, val_categorical_accuracy: fit model_few" in text
