"""The cells `%%exercise` and `%%solution`, in a kernel as JupyterLab and VS Code start it."""

import queue

import pytest
from jupyter_client.manager import start_new_kernel

from lesson.checks import cells
from notebook_files import ROOT


class Kernel:
    def __init__(self):
        self.manager, self.client = start_new_kernel(cwd=str(ROOT / "notebooks"))

    def run(self, source, interrupt_at=None):
        """The status of a cell, and what it showed: texts of streams, values and errors."""
        asked = self.client.execute(source)
        shown, printing = [], False
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "stream":
                shown += [] if printing else [""]  # one print can come in pieces
                shown[-1] += content["text"]
                printing = True
            elif kind == "execute_result":
                shown.append(f"value: {content['data']['text/plain']}")
            elif kind == "error":
                shown.append(f"error: {content['ename']}: {content['evalue']}")
                self.traceback = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                break
            printing = printing and kind not in ("execute_result", "error")
            if interrupt_at and interrupt_at in [text.strip("\n") for text in shown]:
                self.manager.interrupt_kernel()
                interrupt_at = None
        reply = self.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != asked:
            reply = self.client.get_shell_msg(timeout=60)
        return reply["content"]["status"], [text.strip("\n") for text in shown]

    def value(self, expression):
        return self.run(expression)[1]

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def started():
    kernel = Kernel()
    try:
        assert kernel.run("import lesson") == ("ok", [])
        yield kernel
    finally:
        kernel.end()


@pytest.fixture
def kernel(started):
    """A kernel in which no exercise has been attempted."""
    started.run("minutes = None")
    return started


RIGHT = ["✓ minutes: 24 times 60.\nAll right."]


def test_filled_in_it_is_run_and_answered(kernel):
    assert kernel.run("%%exercise 00-first\nminutes = 24 * 60") == ("ok", RIGHT)
    assert kernel.value("minutes") == ["value: 1440"]
    status, (told,) = kernel.run("%%exercise 00-first\nminutes = 24")
    assert status == "ok"
    assert told.startswith("✗ minutes: that is the hours")


def test_blank_is_named_and_nothing_runs(kernel):
    status, told = kernel.run("%%exercise 00-first\nother = 1\nminutes = ____\n")
    assert (status, told) == ("ok", ["Not attempted yet: fill in ____ in line 3, then run this "
                                     "cell again."])  # fmt: skip
    assert kernel.value("'other' in dir()") == ["value: False"]


def test_last_value_is_shown_before_the_answer(kernel):
    assert kernel.run("%%exercise 00-first\nminutes = 1440\nminutes + 1") == (
        "ok",
        ["value: 1441", *RIGHT],
    )


def test_error_is_an_error_at_its_own_line_and_not_judged(kernel):
    status, shown = kernel.run("%%exercise 00-first\nminutes = 1440\nminuts / 2")
    assert status == "error"
    assert shown == ["error: NameError: name 'minuts' is not defined"]
    assert "----> 3 minuts / 2" in kernel.traceback or "3\x1b" in kernel.traceback
    status, shown = kernel.run("%%exercise 00-first\nminutes = (24 * 60")
    assert status == "error"
    assert shown[0].startswith("error: SyntaxError")


def test_interrupt_is_an_interrupt_and_not_judged(kernel):
    slow = "import time\nminutes = 1440\nprint('begun', flush=True)\ntime.sleep(60)"
    status, shown = kernel.run(f"%%exercise 00-first\n{slow}", interrupt_at="begun")
    assert status == "error"
    assert shown == ["begun", "error: KeyboardInterrupt: "]
    assert kernel.run("%%exercise 00-first\nminutes = 1440") == ("ok", RIGHT)


def test_magics_and_await_work_inside(kernel):
    source = "import asyncio\nawait asyncio.sleep(0)\n%matplotlib inline\nminutes = 1440"
    assert kernel.run(f"%%exercise 00-first\n{source}") == ("ok", RIGHT)


def test_it_can_be_asked_for_again(kernel):
    kernel.run("%%exercise 00-first\nminutes = 1440")
    assert kernel.run('from lesson import check\ncheck("00-first")') == ("ok", RIGHT)


def test_names_that_are_no_exercise(kernel):
    for line in ("%%exercise 00-frist", "%%exercise"):
        status, (told,) = kernel.run(f"{line}\nminutes = 1440")
        assert status == "ok"
        assert told.startswith("✗ No exercise is called ")


def test_other_cells_are_left_alone(kernel):
    assert kernel.run("# %%exercise 00-first\nminutes = 1440") == ("ok", [])
    assert kernel.run("%%capture\nprint('no exercise')") == ("ok", [])


def test_solution_runs_unless_yours_is_right(kernel):
    solution = "%%solution 00-first\nminutes = 1000 + 440\nprint('run')"
    assert kernel.run(solution) == ("ok", ["run"])
    kernel.run("minutes = 1440.0")
    status, (told,) = kernel.run(solution)
    assert (status, told.split(",")[0]) == ("ok", "Yours is right")
    assert kernel.value("minutes") == ["value: 1440.0"]
    kernel.run("minutes = 24")
    assert kernel.run(solution) == ("ok", ["run"])


def test_error_in_a_solution_is_shown_and_stops_run_all(kernel):
    status, shown = kernel.run("%%solution 00-first\n1 / 0")
    assert status == "error"
    assert shown[0] == "error: ZeroDivisionError: division by zero"
    assert shown[1].startswith("UsageError: the solution stopped."), shown


def test_nothing_is_shown_twice_or_late(kernel):
    kernel.run("%%exercise 00-first\nminutes = 1440")
    with pytest.raises(queue.Empty):
        kernel.client.get_iopub_msg(timeout=0.2)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = ____", [1]),
        ("x = 1\ny = f(____, ____)\nz = ____", [2, 3]),
        ("# ____\nx = 1  # ____", []),
        ("x = '____'", [1]),
        ("x = keras.optimizers.____()", [1]),
        ("x = [____", [1]),
        ("mask = rng.random(3) ____ rate", [1]),
        ("__name__ = _ = __ = a____b", []),
        ("", []),
    ],
)
def test_blanks(source, expected):
    assert cells.blanks(source) == expected
