"""Fixtures that several test files use."""

import functools

import pytest
from answers import answer


@pytest.fixture
def said(capsys):
    """A function that runs a check on some objects and returns what it prints."""

    @functools.wraps(answer)
    def run(exercise, **objects):
        return answer(capsys, exercise, **objects).strip()

    return run
