"""Import Keras without its backend's start-up log.

TensorFlow writes notices about the processor to standard error while it is
imported. No documented setting keeps all of them back, and the switch they
name (`TF_ENABLE_ONEDNN_OPTS=0`) makes convolutions slower. So what is written
to the process's standard error during this one import is held, and everything
but those notices is passed on.
"""

import contextlib
import importlib
import logging
import os
import re
import sys
import tempfile

# The C++ log's own prefix for an information line, and the lines around it.
NOTICE = re.compile(
    rb"I\d{4} \d\d:\d\d|I0000 00:00|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: I "
    rb"|WARNING: All log messages before absl|To enable the following instructions"
)


def import_keras():
    """Import Keras, passing on to standard error all but start-up notices."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    try:
        saved = os.dup(2)
    except OSError:  # no standard error to keep quiet
        _import()
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            _import()
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held:
                if not NOTICE.match(line):
                    os.write(2, line)


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
