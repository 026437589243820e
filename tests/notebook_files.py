"""The notebooks as the tests see them: paths, cells, prose.

Ours are those that git holds. A learner who has answered exercises in one and saved
it has not changed the lesson: the tests then judge the notebook as git holds it.
"""

import functools
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]


def git(*arguments):
    """What git answers, or None where it does not hold this folder."""
    try:
        run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8")
    except OSError:  # no git
        return None
    return None if run.returncode else run.stdout


def tracked(ending):
    """Files with this ending that git holds; without git, those that are named as ours are."""
    held = git("ls-files", "-z", f"*{ending}")
    if held is None:
        skipped = {".venv", "build", "node_modules", ".ipynb_checkpoints"}
        found = [path.relative_to(ROOT) for path in ROOT.rglob(f"*{ending}")]
        held = "\0".join(
            path.as_posix()
            for path in found
            if not skipped & set(path.parts)
            and (ending != ".ipynb" or re.fullmatch(r"\d\d(-[a-z0-9]+)+\.ipynb", path.name))
        )
    return sorted(ROOT / name for name in held.split("\0") if name and (ROOT / name).exists())


NOTEBOOKS = [path for path in tracked(".ipynb") if path.parent.name == "notebooks"]


def every_notebook(rule):
    ids = [p.stem for p in NOTEBOOKS]
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=ids)(rule)


@functools.cache
def read(path):
    """The notebook; as git holds it, where all that was changed since is a learner's work."""
    ours = nbformat.read(path, as_version=4)
    held = git("show", f"HEAD:{path.relative_to(ROOT).as_posix()}")
    committed = ours if held is None else nbformat.reads(held, as_version=4)
    return committed if is_learners(ours, committed) else ours


def is_learners(notebook, committed):
    """Whether a notebook differs from another by answers, or by having been run in part."""
    sources = {cell.id: cell.source for cell in notebook.cells}
    lesson = [cell for cell in committed.cells if "exercise" not in tags(cell)]
    if any(sources.get(cell.id) != cell.source for cell in lesson):
        return False
    counts = [cell.execution_count for cell in code(notebook)]
    return counts != list(range(1, len(counts) + 1)) or any(
        _is_filled_in(sources[cell.id], cell.source)
        for cell in code(committed)
        if "exercise" in tags(cell)
    )


def _is_filled_in(source, stub):
    """Whether a cell is an exercise's with something in place of blanks, all or some."""
    filled = re.escape(stub).replace("____", ".+")
    return source != stub and ("____" not in source or re.fullmatch(filled, source, re.DOTALL))


def without_magic(source):
    """A cell's source without `%%exercise NN-name` or `%%solution NN-name` before it."""
    first, _, rest = source.partition("\n")
    return rest if first.startswith("%%") else source


def tags(cell):
    return set(cell.metadata.get("tags", []))


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def markdown(notebook):
    return [c for c in notebook.cells if c.cell_type == "markdown"]


def claimed(notebook):
    """Sentences that follow "**Seen here:**", or the items of a list that does.

    What the prose says it measured.
    """
    found = []
    for cell in markdown(notebook):
        for line, items in re.findall(
            r"^\*\*Seen here:\*\*([^\n]*)((?:\n\n?- [^\n]*)*)", cell.source, re.MULTILINE
        ):
            found += re.split(r"(?<=[.!?])\s+(?=[A-Z0-9`])", line.strip()) if line.strip() else []
            found += re.findall(r"^- (.*)$", items, re.MULTILINE)
    return found
