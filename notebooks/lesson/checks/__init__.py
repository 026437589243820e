"""Answers for the exercises: the engine, its cells, and one module of judges a notebook.

A module is found by its name, `notebook_NN.py`, and registers its exercises when
it is imported.
"""

import importlib
import pkgutil

from lesson.checks import cells
from lesson.checks.engine import check

__all__ = ["check"]

for _module in pkgutil.iter_modules(__path__):
    if _module.name.startswith("notebook_"):
        importlib.import_module(f"{__name__}.{_module.name}")

cells.register()
