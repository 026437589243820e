"""The cells of an exercise, `%%exercise NN-name` and `%%solution NN-name`.

The first line of an exercise's cell is taken away before the cell runs, so that
its code runs as any other does: names, last value, traceback, line numbers.
What it made is judged afterwards. While a blank, `____`, is left in it, nothing
runs. A solution runs unless what the learner made is right already.
"""

import io
import re
import tokenize

from lesson.checks.engine import answer, is_right

try:
    from IPython import get_ipython
    from IPython.core.error import UsageError
except ModuleNotFoundError:  # a script that uses the helper without Jupyter

    def get_ipython():
        return None


BLANK = re.compile(r"(?<!\w)_{3,}(?!\w)")
EXERCISE = re.compile(r"%%exercise(?:[ \t]+(.*))?$")


def register():
    """Teach the running kernel both kinds of cell, once."""
    shell = get_ipython()
    if shell is None or without_magic in shell.input_transformers_cleanup:
        return
    shell.input_transformers_cleanup.append(without_magic)
    shell.events.register("post_run_cell", judge_cell)
    shell.register_magic_function(solution, "cell")


def exercise_of(source):
    """The name in a cell's first line, `%%exercise NAME`; None in any other cell."""
    match = EXERCISE.match(source.lstrip("\n").split("\n", 1)[0].rstrip())
    return match and (match[1] or "").strip()


def blanks(source):
    """The numbers of the lines that have a blank outside of comments, from 1."""
    lines = source.splitlines()
    kept = dict(enumerate(lines, start=1))
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                kept[row] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):  # a bracket that is never closed: so far is enough
        pass
    return [number for number, line in kept.items() if BLANK.search(line)]


def without_magic(lines):
    """The lines of a cell as they are to run: a transformer of IPython's."""
    if exercise_of("".join(lines[:1])) is None:
        return lines
    first = f"# {lines[0]}"  # so that a traceback's line numbers stay
    return [first] if blanks("".join(lines[1:])) else [first, *lines[1:]]


def judge_cell(result):
    """Say what is right about what the cell that has just run made: a hook of IPython's."""
    source = result.info.raw_cell if result.info else None
    name = exercise_of(source or "")
    if name is None or not result.success:
        return
    source = source.lstrip("\n")
    numbers = [number + 1 for number in blanks(source.partition("\n")[2])]
    print(still_blank(numbers) if numbers else answer(name, get_ipython().user_ns))


def still_blank(numbers):
    """What is said while these lines have blanks."""
    *others, last = map(str, numbers)
    where = f"lines {', '.join(others)} and {last}" if others else f"line {last}"
    return f"Not attempted yet: fill in ____ in {where}, then run this cell again."


def solution(line, cell):
    """Run the solution of the exercise that is named, unless yours is right already."""
    shell = get_ipython()
    if is_right(answer(line.strip(), shell.user_ns)):
        print("Yours is right, and stays. To run this one all the same, delete its first line.")
    elif not shell.run_cell(cell).success:
        # Its own error is shown above; this one tells the notebook to run no further.
        raise UsageError("the solution stopped. Run the cells above it, then it again.")
