"""What the checks of notebook 05 say: of right answers, of mistakes that learners make."""

import keras
import numpy as np
import pandas as pd
import pytest

from answers import is_right
from lesson.checks import notebook_05
from notebook_files import NOTEBOOKS, read

schedules = keras.optimizers.schedules


def finder_table():
    rates = np.logspace(-4, 1, 11)
    rmsprop = [1.0, 0.4, 0.26, 0.2, 0.21, 0.4, 0.9, 2.4, 2.6, 4.6, 9.3]
    sgd = [2.3, 2.2, 2.1, 1.8, 1.1, 0.5, 0.3, 0.25, 0.27, 2.3, np.nan]
    return pd.DataFrame(
        {
            "optimizer": ["RMSprop"] * 11 + ["SGD"] * 11,
            "rate": [*rates, *rates],
            "loss": rmsprop + sgd,
        }
    )


PREPARE = {
    "05-step": ["exercise-step-data"],
    "05-rate": lambda: {"finder": finder_table()},
    "05-momentum": dict,
    "05-schedule": dict,
    "05-diagnose": dict,
}


@pytest.fixture
def only(said):
    """The single line that is wrong."""

    def run(exercise, **objects):
        text = said(exercise, **objects)
        assert not is_right(text)
        wrong = [line for line in text.splitlines() if line.startswith("✗")]
        assert len(wrong) == 1, text
        return wrong[0]

    return run


# --- Junk ----------------------------------------------------------------------------

JUNK = ["rate", [], [1, 2], {}, np.ones((2, 2)), [[1], [1, 2]], np.nan, object(), range(3),
        lambda: 3, float, np.array(["a"]), 1j, -1.5]  # fmt: skip
NAMES = {
    "05-step": ("slope_by_hand", "weight_after"),
    "05-rate": ("chosen_rate",),
    "05-momentum": ("momentum_step",),
    "05-schedule": ("schedule",),
    "05-diagnose": ("diagnosis",),
}


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: f"{type(junk).__name__}-{junk!r:.12}")
@pytest.mark.parametrize("exercise", NAMES)
def test_junk_is_wrong_and_explained(said, exercise, junk):
    text = said(exercise, finder=finder_table(), **dict.fromkeys(NAMES[exercise], junk))
    assert text.startswith("✗")
    assert "could not be checked" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("finder", [3, [], pd.DataFrame({"rate": [1]}), finder_table().head(2)])
def test_finder_that_is_not_the_table(only, finder):
    assert "finder should be the table of section 3" in only(
        "05-rate", finder=finder, chosen_rate=0.003
    )


# --- 05-step -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [float, np.float32, np.array, keras.ops.convert_to_tensor])
def test_step_right(said, kind):
    assert is_right(said("05-step", slope_by_hand=kind(-8.0), weight_after=kind(0.9)))


@pytest.mark.parametrize(
    ("slope", "reason"),
    [
        (8, "sign is the other way round"),
        (-24, "that is the sum"),
        (24, "a sum, with its sign turned"),
        (-4, "the 2 is missing"),
        (-12, "the 2 is missing, and it is the mean"),
        (-10 / 3, "each error counts times its x"),
        (-5 / 3, "times its x, and twice"),
        (11 / 3, "that is the loss itself"),
        (-7, "for each example 2"),
    ],
)
def test_slope_wrong(said, slope, reason):
    text = said("05-step", slope_by_hand=slope, weight_after=0.9)
    assert f"✗ slope_by_hand: {reason}" in text or reason in text.splitlines()[0]
    assert "✓ weight_after" in text
    assert "-8" not in text
    follows = said("05-step", slope_by_hand=slope, weight_after=0.5 - 0.05 * slope)
    assert "✗ weight_after: that follows from your slope" in follows


@pytest.mark.parametrize(
    ("weight", "reason"),
    [
        (0.1, "that went uphill"),
        (0.4, "that is how far it goes"),
        (-0.4, "with the sign of the slope"),
        (8.5, "the learning rate is missing"),
        (-7.5, "the learning rate is missing, and"),
        (0.5, "weight − learning rate × slope"),
    ],
)
def test_weight_wrong(only, weight, reason):
    line = only("05-step", slope_by_hand=-8, weight_after=weight)
    assert reason in line
    assert "0.9" not in line


# --- 05-rate -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.001, 0.0015, 0.003, 0.01 / 3, np.float32(0.002)])
def test_rate_right(said, rate):
    text = said("05-rate", finder=finder_table(), chosen_rate=rate)
    assert is_right(text)
    assert "·" not in text


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.012])
def test_rate_right_of_the_lowest_is_right_and_noted(said, rate):
    text = said("05-rate", finder=finder_table(), chosen_rate=rate)
    assert is_right(text)
    assert "· It lies to the right of the lowest point" in text


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (0.0001, "too low"),
        (0.0003, "too low"),
        (0.1, "too high"),
        (1.0, "too high"),
        (10, "too high"),
        (0.3, "that would suit SGD"),
        (0.2, "that is the lowest loss"),
        (1e-6, "outside the rates that were tried"),
        (100, "outside the rates that were tried"),
        (-2.5, "a rate is above 0"),
        (0, "a rate is above 0"),
    ],
)
def test_rate_wrong(only, rate, reason):
    assert reason in only("05-rate", finder=finder_table(), chosen_rate=rate)


# --- 05-momentum ---------------------------------------------------------------------


def with_other_names(w, v, g, rate=0.1, beta=0.9):
    new = -rate * g + beta * v
    return [w + new, new]


def with_arrays(weight, velocity, slope, rate=0.1, beta=0.9):
    velocity = np.array(beta * velocity - rate * slope)
    return np.array([weight]) + velocity, velocity


def with_float32(weight, velocity, slope, rate=0.1, beta=0.9):
    velocity = np.float32(beta * velocity) - np.float32(rate * slope)
    return np.float32(weight) + velocity, velocity


@pytest.mark.parametrize("function", [with_other_names, with_arrays, with_float32])
def test_momentum_right(said, function):
    assert is_right(said("05-momentum", momentum_step=function))


def rule(new, move=lambda w, v, g, r, b, new: (w + new, new)):
    """A function of the form asked for, from how it makes the velocity and how it moves."""

    def function(weight, velocity, slope, rate=0.1, beta=0.9):
        made = new(velocity, slope, rate, beta)
        return move(weight, velocity, slope, rate, beta, made)

    return function


def right_velocity(v, g, r, b):
    return b * v - r * g


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (rule(lambda v, g, r, b: b * v + r * g), "it still goes uphill: the slope"),
        (rule(lambda v, g, r, b: -r * g), "the velocity is not kept"),
        (rule(lambda v, g, r, b: r * g), "uphill, and the velocity begins at 0"),
        (rule(lambda v, g, r, b: b * v - g), "the learning rate is missing"),
        (rule(lambda v, g, r, b: v - r * g), "the velocity is kept whole"),
        (rule(lambda v, g, r, b: b * v - (1 - b) * r * g), "as in Adam"),
        (
            rule(right_velocity, lambda w, v, g, r, b, new: (w + v, new)),
            "the weight moves by the old velocity",
        ),
        (
            rule(right_velocity, lambda w, v, g, r, b, new: (w + b * new - r * g, new)),
            "the slope counts twice",
        ),
        (
            rule(right_velocity, lambda w, v, g, r, b, new: (w - new, new)),
            "against its velocity",
        ),
        (
            rule(right_velocity, lambda w, v, g, r, b, new: (new, w + new)),
            "asks for weight, velocity",
        ),
        (
            rule(right_velocity, lambda w, v, g, r, b, new: (w + new, v)),
            "the velocity that it was given",
        ),
        (rule(right_velocity, lambda w, v, g, r, b, new: (w, new)), "has to move by it"),
        (rule(right_velocity, lambda w, v, g, r, b, new: w + new), "should return two values"),
        (rule(right_velocity, lambda w, v, g, r, b, new: None), "it returns nothing"),
        (rule(right_velocity, lambda w, v, g, r, b, new: ("a", new)), "two numbers for numbers"),
        (rule(lambda v, g, r, b: 0.9 * v - 0.1 * g), "right for some values and not for others"),
        (rule(lambda v, g, r, b: 7 * v), "this is neither rule"),
        (rule(lambda v, g, r, b: 1 / 0), "it stopped with ZeroDivisionError"),
        (lambda weight, velocity, slope: (1, 2), "it could not be called as"),
        (lambda: 1, "it could not be called as"),
    ],
)
def test_momentum_wrong(only, function, reason):
    line = only("05-momentum", momentum_step=function)
    assert reason in line
    assert "beta * velocity" not in line


# --- 05-schedule ---------------------------------------------------------------------


def staircase(start=0.01, steps=375, rate=0.5, stairs=True):
    return schedules.ExponentialDecay(start, steps, rate, staircase=stairs)


@pytest.mark.parametrize(
    "schedule",
    [
        staircase(),
        lambda step: 0.01 * 0.5 ** (step // 375),
        schedules.PiecewiseConstantDecay(
            [374 + 375 * i for i in range(6)], [0.01 / 2**i for i in range(7)]
        ),
    ],
    ids=["solution", "function", "piecewise"],
)
def test_schedule_right(said, schedule):
    assert is_right(said("05-schedule", schedule=schedule))


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        (staircase(steps=1), "A schedule counts steps and not epochs"),
        (staircase(steps=1, stairs=False), "A schedule counts steps and not epochs"),
        (staircase(steps=6), "A schedule counts steps and not epochs"),
        (lambda epoch: 0.01 * 0.5**epoch, "A schedule counts steps and not epochs"),
        (staircase(steps=48_000), "it never falls in six epochs"),
        (staircase(rate=1.0), "it never falls in six epochs"),
        (staircase(rate=2.0), "decay: it rises"),
        (staircase(stairs=False), "bit by bit with every step"),
        (staircase(rate=0.1), "0.1 times what it was; the task asks for half"),
        (staircase(start=0.1), "start: 0.1 at the first step"),
        (staircase(start=0.001), "start: 0.001 at the first step"),
        (staircase(steps=469), "where the first epoch ends"),
        (staircase(steps=128), "where the first epoch ends"),
        (staircase(steps=1500), "where the first epoch ends"),
        (schedules.CosineDecay(0.01, 2250), "where the first epoch ends"),
        (0.01, "should be a schedule of Keras"),
        (lambda step: "a", "for step 0 it gives no number"),
        (lambda step, more: 1, "it stopped with TypeError"),
    ],
)
def test_schedule_wrong(only, schedule, reason):
    line = only("05-schedule", schedule=schedule)
    assert reason in line
    assert "decay_steps=375" not in line


# --- 05-diagnose ---------------------------------------------------------------------

RIGHT = {
    "A": ("rate too high", "a lower rate and a new model"),
    "B": ("rate too low", "ten times the rate"),
    "C": ("overfitting", "a lower rate"),
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"A": ["rate too high", "a lower rate and a new model"]},
        {"B": (" Rate too low.", "Ten times  the rate")},
        {"A": ("rate too high", "a lower rate, and a new model")},
        {"C": ("overfitting", "a lower rate and a new model")},
        {"D": 3},
    ],
)
def test_diagnosis_right(said, changed):
    assert is_right(said("05-diagnose", diagnosis=RIGHT | changed))


LOWER, NEW = "a lower rate", "a lower rate and a new model"


@pytest.mark.parametrize(
    ("name", "place", "choice", "reason"),
    [
        ("A", 0, "rate too low", "short steps do not take a loss to 172"),
        ("A", 0, "overfitting", "the training loss would be low"),
        ("A", 1, "ten times the rate", "would throw the weights further"),
        ("A", 1, LOWER, "what are these weights worth"),
        ("A", 1, "more epochs", "it stands still"),
        ("B", 0, "rate too high", "the loss falls evenly"),
        ("B", 0, "overfitting", "the validation loss falls as well"),
        ("B", 1, LOWER, "slower still"),
        ("B", 1, NEW, "slower still"),
        ("B", 1, "more epochs", "it would take hundreds"),
        ("C", 0, "rate too high", "What does the validation loss do"),
        ("C", 0, "rate too low", "What does the validation loss do"),
        ("C", 1, "ten times the rate", "longer steps bring it sooner"),
        ("C", 1, "more epochs", "rises already"),
        ("C", 1, "dropout", "'dropout' is not in the list tries"),
        ("C", 0, "a bug", "'a bug' is not in the list causes"),
        ("B", 0, "____", "still to fill in"),
        ("B", 1, "", "still to fill in"),
    ],
)
def test_diagnosis_wrong(only, name, place, choice, reason):
    entry = list(RIGHT[name])
    entry[place] = choice
    line = only("05-diagnose", diagnosis=RIGHT | {name: tuple(entry)})
    assert line.startswith(f"✗ {name}, {['cause', 'first try'][place]}: ")
    assert reason in line
    right = RIGHT[name][place]
    assert right == LOWER or right not in line


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (RIGHT["B"][::-1], "the other way round"),
        ("rate too low", "should be two texts"),
        (("rate too low",), "should be two texts"),
        (("rate too low", 10), "should be two texts"),
        ((..., ...), "should be two texts"),
        (None, "should be two texts"),
    ],
)
def test_diagnosis_entry_that_is_none(only, entry, reason):
    line = only("05-diagnose", diagnosis=RIGHT | {"B": entry})
    assert line.startswith("✗ B: ")
    assert reason in line


def test_diagnosis_chooses_from_the_lists_of_the_notebook():
    path = next(p for p in NOTEBOOKS if p.name.startswith("05-"))
    cells = {cell.id: cell.source for cell in read(path).cells}
    data = {}
    exec(cells["exercise-diagnose-data"], data)
    assert data["causes"] == list(notebook_05.CAUSES)
    assert data["tries"] == list(notebook_05.TRIES)
    assert list(data["short_fits"]) == list(notebook_05.DIAGNOSES)
    for causes, other_causes, tries, other_tries in notebook_05.DIAGNOSES.values():
        assert causes | set(other_causes) == set(data["causes"])
        assert tries | set(other_tries) == set(data["tries"])
