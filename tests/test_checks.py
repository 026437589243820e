"""What the checks say: of each solution and each known mistake, of junk, of what is not there."""

import random
import re
import time
from numbers import Real

import keras
import numpy as np
import pandas as pd
import pytest

import transcripts
from lesson import check
from lesson.checks import engine, judges
from lesson.checks.engine import EXERCISES, answer, is_right
from notebook_files import NOTEBOOKS, code, read

# Notebook 12 is written for TensorFlow, and left out elsewhere.
HERE = [name for name in EXERCISES if keras.config.backend() == "tensorflow" or name[:2] != "12"]
# Their judges measure what a fit has reached: on another processor the last digits differ.
MEASURED = {"03-own", "04-own", "05-three", "06-ninety", "07-few", "08-better", "09-pass"}
MEASURED |= {"10-transfer"}
FITTED = MEASURED | {"03-fit", "06-retrain"}  # left out of `make quick`
every_exercise = pytest.mark.parametrize(
    "exercise",
    [pytest.param(name, marks=[pytest.mark.fitted] * (name in FITTED)) for name in HERE],
)


# --- Every exercise ---------------------------------------------------------------------


@every_exercise
def test_transcript(exercise, request):
    """What learners are told; with --rewrite, written down anew."""
    file = transcripts.FOLDER / f"{exercise}.txt"
    said = file.read_text("utf-8")
    if request.config.getoption("rewrite"):
        said = transcripts.rewritten(exercise, said)
        file.write_text(said, "utf-8", newline="\n")
    assert said.startswith(">>> stub\nNot attempted yet: ")
    told = re.search(r"^>>> solution\n(.*?)\n\n", said, re.DOTALL | re.MULTILINE)[1]
    assert is_right(told), "the solution"
    assert "✗" not in told
    assert "·" not in told, "a note on the solution itself"
    assert "stumbled" not in said
    assert "\nNameError: name" not in said, "an attempt names what the kernel does not have"
    if not request.config.getoption("rewrite"):
        again = transcripts.rewritten(exercise, said)
        assert compared(again, exercise) == compared(said, exercise)


def compared(text, exercise):
    """What is compared: not the words of others' errors, which change with their versions.

    On another backend than the one of the transcripts, only what was right and what was not.
    """
    if exercise in MEASURED:
        text = re.sub(
            r"^([✓✗·].*)", lambda told: re.sub(r"\d+(\.\d+)?%?", "#", told[0]), text, flags=re.M
        )
    if keras.config.backend() != "tensorflow":
        return re.findall(r"^(?:[✓✗·]|All right)", text, re.MULTILINE)
    return re.sub(r"(\w+Error): .*", r"\1", text)


def test_every_exercise_has_its_cells_and_its_transcript():
    cells = [cell.source.split("\n")[0] for path in NOTEBOOKS for cell in code(read(path))]
    for kind in ("exercise", "solution"):
        found = [line.split()[1] for line in cells if line.startswith(f"%%{kind}")]
        assert sorted(found) == sorted(EXERCISES)
    assert {file.stem for file in transcripts.FOLDER.iterdir()} == set(EXERCISES)


@every_exercise
def test_stored_output_names_the_blanks(exercise):
    path = next(path for path in NOTEBOOKS if path.name.startswith(exercise[:2]))
    (cell,) = (c for c in code(read(path)) if c.source.startswith(f"%%exercise {exercise}\n"))
    assert [output.text for output in cell.outputs] == [f"{transcripts.played(exercise, 'stub')}\n"]


HOSTILE = """
class Hostile:
    '''Fails at whatever is asked of it.'''

    def __getattr__(self, name):
        raise RuntimeError("line one" + chr(10) + "line two")

    __eq__ = __hash__ = __bool__ = __len__ = __array__ = lambda self, *_: self.fail
"""


def hostile():
    """An object whose class a learner wrote in the notebook."""
    kernel = {"__name__": "__main__"}
    exec(HOSTILE, kernel)
    return kernel["Hostile"]()


def forever(*_, **__):
    while True:
        pass


def asks(*_, **__):
    return input("how many? ")


def shakes(*_, **__):
    random.random()
    np.random.random(3)  # noqa: NPY002
    print("noise")
    return np.random.random()  # noqa: NPY002


def used_up():
    numbers = iter([1, 2])
    return (list(numbers), numbers)[1]


def history_of(curves):
    history = keras.callbacks.History()
    history.history, history.epoch = curves, list(range(len(curves.get("loss", []))))
    return history


JUNK = {
    "an integer": lambda: 3,
    "below zero": lambda: -1.5,
    "nan": lambda: float("nan"),
    "infinity": lambda: np.inf,
    "a truth": lambda: True,
    "text": lambda: "1250",
    "a blank": lambda: "____",
    "a list": lambda: [1, 2],
    "a ragged list": lambda: [[1, 2], [3]],
    "an empty list": list,
    "a tuple": lambda: (1, 440),
    "a dict": lambda: {"loss": [1.0]},
    "an array": lambda: np.arange(3),
    "an empty array": lambda: np.array([]),
    "a scalar": lambda: np.float32(3),
    "a tensor": lambda: keras.ops.ones(2),
    "a variable": lambda: keras.Variable(2.0),
    "a series": lambda: pd.Series([1, 2]),
    "a frame": lambda: pd.DataFrame({"loss": [1.0], "val_loss": [2.0]}),
    "not available": lambda: pd.NA,
    "a class": lambda: keras.Model,
    "a function that returns nothing": lambda: lambda *_, **__: None,
    "a function that takes nothing": lambda: lambda: 1,
    "a function that fails": lambda: lambda *_, **__: 1 / 0,
    "a function that never ends": lambda: forever,
    "a function that asks": lambda: asks,
    "a function that shakes the dice": lambda: shakes,
    "a generator used up": used_up,
    "an empty model": keras.Sequential,
    "an unbuilt model": lambda: keras.Sequential([keras.layers.Dense(10, activation="softmax")]),
    "a layer": lambda: keras.layers.Dense(1),
    "an unused history": keras.callbacks.History,
    "a short history": lambda: history_of({"loss": [1.0]}),
    "words in a history": lambda: history_of({"loss": ["low"], "val_loss": ["low"]}),
    "hostile": hostile,
}


def judge(told):
    """Junk is explained: in a few lines of its own, and not by a fault of the check."""
    assert told
    assert "stumbled" not in told, told
    assert "Traceback" not in told
    assert "line two" not in told, "only the first line of an error"
    assert all(line.strip() and len(line) < 400 for line in told.splitlines()), told


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(judges, "SECONDS", 0.2)


@every_exercise
def test_junk_is_explained(exercise, quick):
    if exercise == "12-jax":
        transcripts.prepared(exercise)  # one process on JAX, not one for each function
    for make in JUNK.values():
        told = answer(exercise, {n: make() for n in EXERCISES[exercise].needs})
        judge(told)
        assert not is_right(told)


@pytest.fixture
def solved(exercise):
    """A kernel in which the solution has run. No check changes what is in it."""
    told, kernel = transcripts.solved(exercise)
    assert is_right(told)
    return dict(kernel)


@every_exercise
def test_one_piece_of_junk_among_right_objects_is_explained(exercise, solved, quick):
    wanted = EXERCISES[exercise]
    for name in (*wanted.needs, *wanted.takes_too):
        for what, make in JUNK.items():
            told = answer(exercise, {**solved, name: make()})
            judge(told)
            if name in wanted.needs and wanted.needs[name] is not Real:
                assert not is_right(told), f"{what} as {name}"


def state_of(kernel):
    """The weights, the optimizers and the arrays in a kernel, and the states of randomness."""
    found = {"random": str(random.getstate()), "numpy": str(np.random.get_state())}  # noqa: NPY002
    for name, thing in kernel.items():
        if isinstance(thing, keras.Model):
            optimizer = getattr(thing, "optimizer", None)
            variables = [*thing.variables, *getattr(optimizer, "variables", [])]
            found[name] = [keras.ops.convert_to_numpy(v).tobytes() for v in variables]
            found[f"{name} learns"] = [layer.trainable for layer in thing.layers]
        elif isinstance(thing, np.ndarray) and thing.dtype != object:
            found[name] = thing.tobytes()
        elif isinstance(thing, dict | list | str | int | float):
            found[name] = repr(thing)
    return found


@every_exercise
def test_check_changes_nothing_and_takes_seconds(exercise, solved, capsys):
    before = state_of(solved)
    capsys.readouterr()
    start = time.process_time()
    check(exercise, **{name: solved[name] for name in EXERCISES[exercise].needs})
    assert time.process_time() - start < 10
    assert not capsys.readouterr().err
    assert state_of(solved) == before


def a_fitted_model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    return model


def test_weights_survive_a_judge_that_meets_an_error(monkeypatch):
    """On JAX an error in evaluate takes a model's weights."""

    def evaluates(model: keras.Model):
        assert judges.loss_on(model, np.ones((4, 2)), np.ones((4, 1))) is None
        yield judges.wrong("the data are of another form")

    monkeypatch.setitem(EXERCISES, "00-first", engine.Exercise("make a model", evaluates))
    kernel = {"model": a_fitted_model()}
    before = state_of(kernel)
    assert answer("00-first", kernel).startswith("✗ the data")
    assert state_of(kernel) == before


@pytest.mark.skipif(keras.config.backend() != "jax", reason="elsewhere models keep their weights")
def test_model_that_has_lost_its_weights(monkeypatch):
    def nothing(model: keras.Model):
        yield judges.right("judged")

    monkeypatch.setitem(EXERCISES, "00-first", engine.Exercise("make a model", nothing))
    model = a_fitted_model()
    assert answer("00-first", {"model": model}).startswith("✓ judged")
    with pytest.raises(ValueError, match="shape"):
        model.evaluate(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    told = answer("00-first", {"model": model})
    assert told.startswith("✗ model has lost its weights: on JAX an error in fit, evaluate")


@every_exercise
def test_nothing_yet(exercise):
    wanted = EXERCISES[exercise]
    for nothing in ({}, dict.fromkeys(wanted.needs), dict.fromkeys(wanted.needs, ...)):
        assert answer(exercise, nothing) == f"Not attempted yet: {wanted.make}."


def test_what_cells_above_make_is_asked_for():
    told = answer("08-leak", {"fixed_inputs": [1, 2, 3, 4]})
    assert told == "✗ There is no folds yet: run the cells above first."
    assert answer("08-leak", {"folds": []}).startswith("Not attempted yet: make fixed_inputs")


# --- The engine ---------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", ["03-nothing", "", None, 3, []])
def test_unknown_exercise(exercise):
    told = answer(exercise, {})
    assert told.startswith("✗")
    assert "There are: 00-first, " in told


def test_variables_are_found_in_the_notebook_or_given(capsys):
    kernel = {"check": check, "steps_per_epoch": 391, "last_batch": 80, "weight_changes": 1173}
    exec("check('01-steps')", kernel)
    assert is_right(capsys.readouterr().out.strip())
    exec("check('01-steps', weight_changes=1)", kernel)
    assert "2 of 3 right so far." in capsys.readouterr().out
    assert kernel["weight_changes"] == 1173


def test_fault_of_the_check_is_not_told_as_the_learners(monkeypatch):
    def stumbles(minutes: Real):
        yield judges.right("one")
        raise KeyError("two\nthree")

    monkeypatch.setitem(EXERCISES, "00-first", engine.Exercise("set minutes", stumbles))
    told = answer("00-first", {"minutes": 1})
    assert "the check itself stumbled (KeyError: 'two\\nthree')" in told
    assert "its fault and not yours" in told


@pytest.mark.parametrize(
    "number",
    [
        7,
        7.0,
        np.int8(7),
        np.float16(7),
        np.array(7),
        keras.ops.array(7),
        keras.ops.cast(7, "bfloat16"),
        keras.Variable(7.0),
        pd.Series([7])[0],
    ],
    ids=lambda number: type(number).__name__,
)
def test_a_number_of_any_make_is_one(number):
    assert judges.taken_as(Real, "n", number) == (7, None)


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        ((196, 672), "n is (196, 672): a comma makes a tuple of it"),
        ("7", "n is text, '7'. Without the quotation marks"),
        ("seven", "n is of type str; it should be a number."),
        ([7], "One alone, without brackets"),
        (np.array([7]), "One alone, without brackets"),
        (keras.ops.ones(3), "One alone, without brackets"),
        (True, "n is True; it should be a number."),
        (float("nan"), "n is nan, which is no number"),
        (float("inf"), "n is inf, which is no number"),
        (np.arange(3).mean, "Are the brackets missing, (), that call it?"),
        (int, "n is the class int itself"),
        (1 + 2j, "n is of type complex; it should be a number."),
    ],
)
def test_what_is_no_number_is_named(thing, reason):
    number, fault = judges.taken_as(Real, "n", thing)
    assert number is None
    assert reason in fault


def attempt(source):
    names = {"keras": keras, "np": np}
    exec(source, names)
    return names["f"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def f(x): return ____", "f: a blank, ____, is still in it."),
        ("def f(x): return keras.layers.____()", "f: a blank, ____, is still in it."),
        ("def f(x): return keras.layers.Dens(1)", "(is Dense meant?)"),
        ("def f(x): x + 1", "f: it returns nothing. Is there a return?"),
        ("def f(): return 1", "stops with TypeError: f() takes 0 positional arguments"),
        ("def f(x): return input()", "f: it asks for input"),
        ("def f(x):\n    while True: pass", "it had not come back after"),
        ("import time\ndef f(x): time.sleep(60)", "it had not come back after"),
        ("f = 3", "f is of type int; it should be a function."),
        ("f = keras.Model", "f is the class Model itself; it should be a function."),
    ],
)
def test_what_a_function_does_wrong_is_named(source, reason, quick):
    returned, line = judges.called("f", attempt(source), 1)
    assert returned is None
    assert reason in line[1]


def test_what_a_function_returns():
    assert judges.called("f", lambda x, y: x + y, 1, y=2) == (3, None)


def test_learners_own_interrupt_is_theirs():
    def stopped(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judges.called("f", stopped, 1)


def test_a_new_exercise_is_a_function(monkeypatch):
    """What CONTRIBUTING.md says that one needs."""
    monkeypatch.setattr(engine, "EXERCISES", {})

    @engine.exercise("99-double", "set double")
    def double(double: Real, single: Real = 2):
        yield judges.number("double", double, 2 * single, "twice as much.", {"half.": single / 2})

    assert answer("99-double", {"double": 4}) == "✓ double: twice as much.\nAll right."
    assert answer("99-double", {"double": 1}).startswith("✗ double: half.")
    assert is_right(answer("99-double", {"double": 6, "single": 3}))
