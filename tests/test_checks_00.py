"""The check of notebook 00."""

import pytest

from lesson import check


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (1440, "All right."),
        (1440.0, "All right."),
        (84, "that is the sum"),
        (86_400, "those are the seconds"),
        (12, "24 hours, and 60 minutes in each"),
        ("1440", "it should be a number"),
    ],
)
def test_first(minutes, reason, capsys):
    check("00-first", minutes=minutes)
    assert reason in capsys.readouterr().out


# What the solutions need; see test_checks.py.
PREPARE = {"00-first": dict}
