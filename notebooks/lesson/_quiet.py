"""Import Keras without its backend's start-up log.

TensorFlow writes notices about the processor to standard error while it is
imported. No documented setting keeps all of them back, and the switch they
name (`TF_ENABLE_ONEDNN_OPTS=0`) makes convolutions slower. So another process,
the keeper, holds what is written to standard error during this one import, and
then passes on everything but those notices. It does so, too, where the import
ends this process, as TensorFlow's does on a processor that it cannot use: the
last that it wrote is the reason.
"""

import contextlib
import importlib
import logging
import os
import re
import subprocess
import sys

from lesson import _settings

# The C++ log's own prefix for an information line, and the lines around it.
NOTICE = re.compile(
    rb"I\d{4} \d\d:\d\d|I0000 00:00|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: I "
    rb"|WARNING: All log messages before absl|To enable the following instructions"
)
END = b"\0"  # of what there is to hold
KEEPER = """
import re, sys
notice, end, held = sys.argv[1].encode(), b"\\0", b""
while not held.endswith(end) and (more := sys.stdin.buffer.read1()):
    held += more
# No end: who wrote is dead, and what shows its standard error may be dead as well.
stream = sys.stdout if held.endswith(end) else sys.stderr
lines = held.removesuffix(end).splitlines(keepends=True)
stream.buffer.write(b"".join(line for line in lines if not re.match(notice, line)))
"""


def import_keras():
    """Import Keras, passing on to standard error all but start-up notices.

    Raises:
        ImportError: if a setting of Keras's keeps it from starting; says which,
            and where it is set.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        with _without_notices():
            _import()
    except Exception as error:
        explanation = _settings.explain(error)
        if explanation is None:
            raise
        raise ImportError(explanation) from None


@contextlib.contextmanager
def _without_notices():
    try:
        shown = os.dup(2)
        keeper = _start_keeper(shown)
    except OSError:  # no standard error to keep quiet, or no process to be had
        yield
        return
    _flush()
    os.dup2(keeper.stdin.fileno(), 2)
    try:
        yield
    finally:
        _flush()
        os.dup2(shown, 2)
        os.close(shown)
        with contextlib.suppress(OSError):  # the keeper was killed
            os.write(keeper.stdin.fileno(), END)
        keeper.communicate()


def _start_keeper(shown):
    try:
        # In a notebook this is the terminal; `shown` leads through the kernel, and ends with it.
        last = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        last = shown
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", KEEPER, NOTICE.pattern.decode()],
        stdin=subprocess.PIPE,
        stdout=shown,
        stderr=last,
        start_new_session=True,  # interrupts are not for it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _flush():
    if sys.stderr is not None:
        sys.stderr.flush()


def _import():
    import keras

    if keras.config.backend() != "tensorflow":
        # `keras.utils.set_random_seed` would import it later, and not in quiet.
        with contextlib.suppress(ImportError):
            importlib.import_module("tensorflow")


import_keras()
# TensorFlow's Python log warns that a second model needs a second compiled
# program. Set after the import, which sets the level in a notebook.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
