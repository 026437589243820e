"""Answers for the exercises: what is right, what is not yet, and why.

A check judges the object a learner made, never how it was written. It does
not raise, whatever is in the kernel, and does not give the answer away.
"""

import inspect
import math
import numbers
from typing import NamedTuple

import keras
import numpy as np

RIGHT, WRONG, NOTE = "✓", "✗", "·"
EXERCISES = {}  # by name


class Exercise(NamedTuple):
    """What is to be made, of which variables and types, and the judge of it."""

    make: str
    needs: dict
    judge: callable


def check(exercise, **objects):
    """Look at what you made for an exercise and print what is right about it.

    Args:
        exercise: the exercise's name, such as `"03-compile"`.
        **objects: what to look at, by name. Default: the variables of those
            names in the notebook.

    Prints one line for each thing looked at: ✓ right, ✗ not yet and why.
    Never raises.
    """
    found = {**inspect.currentframe().f_back.f_globals, **objects}
    try:
        lines = _answer(exercise, found)
    except Exception as error:  # whatever was left in the kernel, explain
        lines = [
            f"{WRONG} This could not be checked ({type(error).__name__}: {first_line(error)}).",
            "  Run the cells above once more, in order, then this one.",
        ]
    print("\n".join(lines))


def first_line(error):
    """The first line of an error: some of Keras's fill a screen."""
    return (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")


def told(error):
    """An error in one short line, to put into a sentence."""
    first = first_line(error)[:160].rstrip(".")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def exercise(name, make, **needs):
    """Register a judge: a generator of (mark, text) lines.

    Args:
        name: the exercise's name: notebook number, dash, word.
        make: what the learner is to make, to say while there is nothing yet.
        **needs: for each variable the judge takes, the type it must have, or
            a tuple of types.
    """

    def register(judge):
        EXERCISES[name] = Exercise(make, needs, judge)
        return judge

    return register


def _answer(name, found):
    if name not in EXERCISES:
        return [f"{WRONG} No exercise is called {name!r}. There are: {', '.join(EXERCISES)}."]
    make, needs, judge = EXERCISES[name]
    missing = [n for n in needs if found.get(n) is None or found[n] is ...]
    if missing:
        return [f"Nothing to check yet: {make}, then run this cell again."]
    for n, kind in needs.items():
        if not isinstance(found[n], kind) or isinstance(found[n], bool):
            return [
                f"{WRONG} {n} is of type {type(found[n]).__name__}; it should be {_kind(kind)}.",
                f"  To begin again: {make}, then run this cell again.",
            ]
    lines = list(judge(found))
    if all(mark == NOTE for mark, _ in lines):
        return [text for _, text in lines]
    done = sum(mark == RIGHT for mark, _ in lines)
    asked = sum(mark != NOTE for mark, _ in lines)
    end = "All right." if done == asked else f"{done} of {asked} right so far."
    return [f"{mark} {text}" for mark, text in lines] + [end]


def _kind(kind):
    names = {
        keras.Model: "a Keras model",
        keras.callbacks.History: "the History that fit returns",
        numbers.Real: "a number",
    }
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def right(text):
    """A line that says what is right."""
    return RIGHT, text


def wrong(text):
    """A line that says what is not right yet, and why."""
    return WRONG, text


def note(text):
    """A line that judges nothing."""
    return NOTE, text


def judged(is_right, text, otherwise):
    """One of two lines, by what was found."""
    return right(text) if is_right else wrong(otherwise)


def close(value, other, tolerance=1e-3):
    """Whether two numbers agree, in share of their size; at 0, to a billionth."""
    return math.isclose(value, other, rel_tol=tolerance, abs_tol=1e-9)


def judge_number(name, given, value, why, hints, otherwise):
    """A line on a number: why it is right, or the hint for the mistake that gives it."""
    text = next((hint for other, hint in hints.items() if close(given, other)), otherwise)
    return judged(close(given, value), f"{name}: {why}", f"{name}: {text}")


def numbers_in(value, dtype=float):
    """An array of finite numbers made from what a learner left, or None."""
    if isinstance(value, dict | set | str | bytes | bool):
        return None
    try:
        array = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.size and np.isfinite(array).all() else None
