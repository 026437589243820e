"""What a check prints, for the tests of all checks."""

from lesson import check


def answer(capsys, exercise, **objects):
    """Run a check on some objects and return what it prints."""
    capsys.readouterr()
    check(exercise, **objects)
    return capsys.readouterr().out


def is_right(told):
    return told.rstrip().endswith("All right.") and "✗" not in told


def assert_explained(told):
    """That a check has called something wrong in words of its own, and has not failed itself."""
    assert "✗" in told
    assert "could not be checked" not in told
    assert "Traceback" not in told
