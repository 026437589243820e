"""What the checks say, attempt by attempt: read from `transcripts/`, and written anew.

A transcript is a text for doctest's parser: code as a learner would put it into the
exercise's cell, then what the learner is told. `stub` and `solution` stand for those
cells of the notebook. Lines between attempts are remarks.

    python -m pytest tests/test_checks.py -k "transcript and 03-fit" --rewrite

writes one anew. Read the difference before you commit it: it is what learners will read.
"""

import contextlib
import doctest
import functools
import importlib
import io
from pathlib import Path

import keras

from lesson.checks import cells, engine
from notebook_files import NOTEBOOKS, code, read, without_magic

FOLDER = Path(__file__).parent / "transcripts"


@functools.cache
def notebook(exercise):
    """The code cells of the notebook that an exercise is in, by id."""
    path = next(path for path in NOTEBOOKS if path.name.startswith(exercise[:2]))
    return {cell.id: cell.source for cell in code(read(path))}


def source(exercise, kind):
    """The source of an exercise's cell, `"exercise"` or `"solution"`, without its first line."""
    (found,) = (
        text for text in notebook(exercise).values() if text.startswith(f"%%{kind} {exercise}\n")
    )
    return without_magic(found)


def prepared(exercise):
    """The kernel as a learner has it who has run the cells above, cut down to what is needed."""
    module = importlib.import_module(f"kernels.notebook_{exercise[:2]}")
    before = module.PREPARE[exercise]
    cells, made = ((), before()) if callable(before) else (tuple(before), {})
    helpers = {name: thing for name, thing in vars(module).items() if name[:2] != "__"}
    found = _after_cells(exercise, cells)
    if any(isinstance(thing, keras.Model) for thing in found.values()):  # attempts change them
        found = _after_cells.__wrapped__(exercise, cells)
    return helpers | found | made


@functools.cache
def _after_cells(exercise, ids):
    kernel = {"__name__": "__main__"}
    for name in ("imports", *ids):
        exec(without_magic(notebook(exercise)[name]), kernel)
    return kernel


def played(exercise, text, kernel=None):
    """What a learner is told who has this text in the exercise's cell."""
    text = {"stub": "exercise", "solution": "solution"}.get(text.strip(), text)
    text = source(exercise, text) if text in ("exercise", "solution") else text
    if numbers := cells.blanks(f"\n{text}"):
        return cells.still_blank(numbers)
    kernel = prepared(exercise) if kernel is None else kernel
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, "<cell>", "exec"), kernel)
    except Exception as error:
        return f"{type(error).__name__}: {engine.first_line(error)}"
    return engine.answer(exercise, kernel)


@functools.cache
def solved(exercise):
    """What the solution is told, and the kernel in which it has run: some take half a minute."""
    kernel = prepared(exercise)
    return played(exercise, "solution", kernel), kernel


def rewritten(exercise, text):
    """A transcript with what the check says today."""
    parts, attempt = [], []
    for part in doctest.DocTestParser().parse(text):
        if isinstance(part, str):
            parts.append(part)
            continue
        attempt.append(part.source)
        lines = part.source.splitlines()
        parts += [f"{'>>>' if i == 0 else '...'} {line}".rstrip() + "\n"
                  for i, line in enumerate(lines)]  # fmt: skip
        if part.want:
            text = "".join(attempt)
            told = solved(exercise)[0] if text.strip() == "solution" else played(exercise, text)
            parts.append(f"{told}\n")
            attempt = []
    return "".join(parts)
