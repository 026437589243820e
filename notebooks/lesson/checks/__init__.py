"""Answers for the exercises: the engine, and one module of judges a notebook."""

from lesson.checks import notebook_03  # noqa: F401  (each registers its exercises)
from lesson.checks.engine import check

__all__ = ["check"]
