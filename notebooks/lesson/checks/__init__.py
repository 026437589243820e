"""Answers for the exercises: the engine, and one module of judges a notebook."""

from lesson.checks import (  # noqa: F401  (each registers its exercises)
    notebook_00,
    notebook_01,
    notebook_02,
    notebook_03,
    notebook_04,
    notebook_05,
    notebook_06,
    notebook_07,
    notebook_08,
    notebook_09,
    notebook_10,
    notebook_11,
    notebook_12,
)
from lesson.checks.engine import check

__all__ = ["check"]
