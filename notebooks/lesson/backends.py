"""Run a function on a backend that is not the one of this kernel.

This file is also what runs in the other process. It imports little, so that it starts soon.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import cloudpickle

LIMIT = 300  # seconds that a function may take


def run_on(backend, function, *arguments, limit=LIMIT):
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
        limit: seconds after which the process is ended.

    Returns:
        What the function returned there.

    Raises:
        RuntimeError: if the function fails there, or the process does, or what was
            returned cannot be sent. The message is that of the error, and says
            where it happened.
        TypeError: if the function or an argument cannot be sent. The message names it.
        TimeoutError: if the function is not done within the limit.
    """
    sent = {"the function": function}
    sent |= {f"argument {number}": one for number, one in enumerate(arguments, 1)}
    with tempfile.TemporaryDirectory() as folder:
        task, answer = Path(folder, "task"), Path(folder, "answer")
        # Not in PYTHONPATH, where a colon in a folder's name would part it.
        task.write_bytes(pickle.dumps((sys.path, _packed(sent))))
        try:
            done = subprocess.run(
                [sys.executable, "-P", __file__, task, answer],
                env={**os.environ, "KERAS_BACKEND": backend, "PYTHONIOENCODING": "utf-8"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            raise TimeoutError(
                f"the function was not done after {limit:g} seconds, and the process with Keras "
                f"on {backend} was ended"
            ) from None
        print(done.stdout, end="")
        if not answer.exists():
            raise RuntimeError(
                f"the process with Keras on {backend} ended, with code {done.returncode}, before "
                f"the function was done\n\n{done.stderr[-1500:]}"
            )
        returned, fault = pickle.loads(answer.read_bytes())
    if fault:
        raise RuntimeError(fault)
    return pickle.loads(returned)["what the function returned"]


def _packed(things):
    """A dict as bytes, to be sent to another process; its keys name what cannot be sent."""
    try:
        return cloudpickle.dumps(things)
    except Exception as error:
        name, thing = _unsendable("", things)
        raise TypeError(
            f"{name}, of type {type(thing).__name__}, cannot be sent from one process to another "
            f"({error}). Numbers, text and NumPy's arrays can, and lists, tuples and dicts of them."
        ) from error


def _unsendable(name, thing):
    """The innermost part of a thing that cannot be sent, and its name before it."""
    parts = {}
    if isinstance(thing, dict):
        parts = {f"{name}[{key!r}]" if name else key: part for key, part in thing.items()}
    elif isinstance(thing, list | tuple):
        parts = {f"{name}[{place}]": part for place, part in enumerate(thing)}
    for where, part in parts.items():
        try:
            cloudpickle.dumps(part)
        except Exception:
            return _unsendable(where, part)
    return name, thing


def _work(task, answer):
    """Do a task in the other process: from one file into another."""
    try:
        sys.path[:], sent = pickle.loads(Path(task).read_bytes())
        function, *arguments = pickle.loads(sent).values()
        told = _packed({"what the function returned": function(*arguments)}), None
    except Exception as error:
        told = None, f"{type(error).__name__}: {error}\n\n{traceback.format_exc()}"
    Path(answer).write_bytes(pickle.dumps(told))


if __name__ == "__main__":
    _work(*sys.argv[1:])
