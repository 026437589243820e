"""Check of notebook 00, Check your setup."""

from numbers import Real

from lesson.checks.engine import exercise
from lesson.checks.judges import number


@exercise("00-first", "set minutes to your number")
def first(minutes: Real):
    yield number(
        "minutes",
        minutes,
        1440,
        "24 times 60.",
        {
            "that is the hours; each has 60 minutes.": 24,
            "that is one hour; a day has 24.": 60,
            "that is the sum; how often does a day hold an hour?": 84,
            "those are the seconds.": 86_400,
        },
        "24 hours, and 60 minutes in each.",
    )
