"""Answers for the exercises: what is right, what is not yet, and why.

A check judges the objects a learner made, never how they were written. It does
not raise, whatever is in the kernel, changes nothing of the learner's, and does
not give the answer away.
"""

import contextlib
import difflib
import inspect
import io
import random
import warnings
from typing import NamedTuple

import keras
import numpy as np

from lesson.checks.judges import NOTE, RIGHT, WRONG, first_line, taken_as, told

EXERCISES = {}  # by name


class Exercise(NamedTuple):
    """What is to be made, and the judge of it."""

    make: str
    judge: callable

    @property
    def needs(self):
        """What the judge takes, by name: the type that each object must have."""
        return {p.name: p.annotation for p in self._parameters() if p.default is p.empty}

    @property
    def takes_too(self):
        """What the judge looks at where it is there, by name: the type it must have."""
        return {p.name: p.annotation for p in self._parameters() if p.default is not p.empty}

    def _parameters(self):
        return inspect.signature(self.judge).parameters.values()


def exercise(name, make):
    """Register a judge: a generator of lines, made by `right`, `wrong` and `note`.

    The judge takes what the learner made as pytest takes fixtures: each of its
    parameters is the name of a variable, annotated with what that must be (see
    `judges.taken_as`). One with a default may be missing.

    Args:
        name: the exercise's name: notebook number, dash, word.
        make: what the learner is to make, to say while there is nothing yet.
    """

    def register(judge):
        EXERCISES[name] = Exercise(make, judge)
        return judge

    return register


def check(exercise, **objects):
    """Look at what you made for an exercise and print what is right about it.

    Args:
        exercise: the exercise's name, such as `"03-compile"`.
        **objects: what to look at, by name. Default: the variables of those
            names in the notebook.

    Prints one line for each thing looked at: ✓ right, ✗ not yet and why.
    Never raises.
    """
    print(answer(exercise, {**inspect.currentframe().f_back.f_globals, **objects}))


def answer(name, found):
    """What `check` prints of the objects in `found`, a dict by name."""
    try:
        with _nothing_changed():
            return "\n".join(_lines(name, found))
    except Exception as error:
        if _is_the_learners(error):
            return (
                f"{WRONG} One of your own objects, asked for its value, stops with {told(error)}."
            )
        return (
            f"{WRONG} This could not be checked: the check itself stumbled "
            f"({type(error).__name__}: {first_line(error)}).\n"
            "  That is its fault and not yours. Compare with the solution, and please tell us."
        )


def _is_the_learners(error):
    """Whether an error was raised by code of the notebook, not of a module."""
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    return place.tb_frame.f_globals.get("__name__") == "__main__"


def is_right(answer):
    """Whether an answer says that all is right."""
    return answer.endswith("All right.")


@contextlib.contextmanager
def _nothing_changed():
    """Keep the random states, and what a learner's function prints or warns of."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  (the learner's)
    hidden = io.StringIO()
    try:
        with (
            contextlib.redirect_stdout(hidden),
            contextlib.redirect_stderr(hidden),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


def _lines(name, found):
    exercise = EXERCISES.get(name) if isinstance(name, str) else None
    if exercise is None:
        return [f"{WRONG} No exercise is called {name!r}. There are: {', '.join(EXERCISES)}."]
    missing = [n for n in exercise.needs if _is_nothing(found.get(n))]
    above = [n for n in missing if n not in exercise.make]
    if above and len(missing) < len(exercise.needs):  # what cells of the notebook make
        return [f"{WRONG} There is no {' and no '.join(above)} yet: run the cells above first."]
    if missing:
        return [*_misspelt(missing, exercise, found), f"Not attempted yet: {exercise.make}."]
    objects, faults = {}, []
    for n, kind in exercise.needs.items():
        objects[n], fault = taken_as(kind, n, found[n])
        if fault:
            faults.append(f"{WRONG} {fault}")
    if faults:
        return faults
    for n, kind in exercise.takes_too.items():
        if not _is_nothing(found.get(n)):
            objects[n], _ = taken_as(kind, n, found[n])
    with _weights_kept(objects) as lost:
        if lost:
            return [
                f"{WRONG} {n} has lost its weights: on JAX an error in fit, evaluate or predict "
                "takes them. Build it again."
                for n in lost
            ]
        return _counted(list(exercise.judge(**objects)))


@contextlib.contextmanager
def _weights_kept(objects):
    """Yield the names of models without weights; give the others theirs back at the end.

    On JAX, Keras takes a model's weights while it fits, evaluates or predicts, and does not
    give them back after an error. A judge meets such errors: learners' data are of any form.
    """
    kept = []
    if keras.config.backend() == "jax":
        for name, model in objects.items():
            if isinstance(model, keras.Model):
                optimizer = getattr(model, "optimizer", None)
                for variable in (*model.variables, *getattr(optimizer, "variables", [])):
                    # A copy: evaluate frees the arrays.
                    kept.append((name, variable, _value(variable)))
    try:
        yield list(dict.fromkeys(name for name, _, value in kept if value is None))
    finally:
        for _, variable, value in kept:
            if value is not None and _value(variable) is None:
                variable.assign(value)


def _value(variable):
    try:
        return keras.ops.convert_to_numpy(variable)
    except TypeError:  # there is none, and no initializer any more
        return None


def _is_nothing(thing):
    return thing is None or thing is ...


def _misspelt(missing, exercise, found):
    """A line for each name that is not there while one like it is."""
    others = [n for n in found if isinstance(n, str) and n not in exercise.needs]
    for name in missing:
        if name not in found and (like := difflib.get_close_matches(name, others, 1, 0.85)):
            yield f"There is no {name}, but there is {like[0]}. Mind the spelling."


def _counted(lines):
    if all(mark == NOTE for mark, _ in lines):
        return [text for _, text in lines]
    done = sum(mark == RIGHT for mark, _ in lines)
    asked = sum(mark != NOTE for mark, _ in lines)
    end = "All right." if done == asked else f"{done} of {asked} right so far."
    return [f"{mark} {text}" for mark, text in lines] + [end]
