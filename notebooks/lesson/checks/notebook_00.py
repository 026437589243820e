"""Check of notebook 00, Check your setup."""

import numbers

from lesson.checks.engine import exercise, judged


@exercise("00-first", "set minutes to your number", minutes=numbers.Real)
def _first(found):
    minutes = found["minutes"]
    hints = {
        24: "that is the hours; each has 60 minutes.",
        60: "that is one hour; a day has 24.",
        84: "that is the sum; how often does a day hold an hour?",
        86_400: "those are the seconds.",
    }
    yield judged(
        minutes == 1440,
        "minutes: 24 times 60.",
        "minutes: " + hints.get(minutes, "24 hours, and 60 minutes in each."),
    )
