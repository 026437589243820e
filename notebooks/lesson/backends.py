"""Run a function on a backend that is not the one of this kernel."""

import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import cloudpickle

CHILD = """
import pickle, sys, traceback
try:
    with open(sys.argv[1], "rb") as file:
        sys.path[:], task = pickle.load(file)
    function, arguments = pickle.loads(task)
    returned, fault = function(*arguments), None
except Exception as error:
    returned, fault = None, f"{type(error).__name__}: {error}\\n\\n{traceback.format_exc()}"
with open(sys.argv[2], "wb") as file:
    pickle.dump((returned, fault), file)
"""


def run_on(backend, function, *arguments):
    """Call a function in a new Python process, in which Keras has that backend.

    Keras takes its backend when it is imported and keeps it, so another backend
    needs another process. The function is sent there, with the functions and
    modules that it uses. It may be one made in a notebook.

    Args:
        backend: `"tensorflow"`, `"jax"` or `"torch"`.
        function: what to call there. What it prints comes when it is done.
        *arguments: what to call it with, such as numbers, lists, NumPy's arrays
            and functions. A Keras model belongs to the backend it was made on
            and cannot be sent; its weights, from `get_weights`, can.

    Returns:
        What the function returned there.

    Raises:
        RuntimeError: if the function fails there, or the process does. The
            message is that of the error, and says where it happened.
    """
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder, "task"), Path(folder, "answer")
        # Not in PYTHONPATH, where a colon in a folder's name would part it.
        task.write_bytes(pickle.dumps((sys.path, cloudpickle.dumps((function, arguments)))))
        done = subprocess.run(
            [sys.executable, "-c", CHILD, task, answer],
            env={
                **os.environ,
                "KERAS_BACKEND": backend,
                "PYTHONIOENCODING": "utf-8",
            },
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        print(done.stdout, end="")
        if not answer.exists():
            raise RuntimeError(
                f"the process with Keras on {backend} ended, with code {done.returncode}, before "
                f"the function was done\n\n{done.stderr[-1500:]}"
            )
        returned, fault = pickle.loads(answer.read_bytes())
    if fault:
        raise RuntimeError(fault)
    return returned
