"""Fixtures that several test files use."""

import functools

import pytest

pytest.register_assert_rewrite("answers")  # its assertions tell what they found
from answers import answer  # noqa: E402


@pytest.fixture
def said(capsys):
    """A function that runs a check on some objects and returns what it prints."""

    @functools.wraps(answer)
    def run(exercise, **objects):
        return answer(capsys, exercise, **objects).strip()

    return run
