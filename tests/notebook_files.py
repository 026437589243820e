"""The notebooks as the tests see them: paths, cells, prose."""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def tags(cell):
    return set(cell.metadata.get("tags", []))


def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code"]


def markdown(notebook):
    return [c for c in notebook.cells if c.cell_type == "markdown"]


def claimed(notebook):
    """Sentences that follow "**Seen here:**": what the prose says it measured."""
    found = []
    for cell in markdown(notebook):
        for paragraph in re.findall(r"^\*\*Seen here:\*\*(.*)$", cell.source, re.MULTILINE):
            found += re.split(r"(?<=[.!?])\s+(?=[A-Z0-9`])", paragraph.strip())
    return found
