"""Models and histories in fit_outputs/: saved whole or not at all, found again.

What a learner's own fits save comes first; where there is none, the series'
own full run in fit_outputs/reference/ stands in, and the loader says so.
"""

import difflib
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import keras
import pandas as pd
from packaging.version import Version

from lesson.histories import history_frame
from lesson.model_files import leave_out_defaults, why_unread

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "fit_outputs" / "reference"
# Before 3.1 pandas lost the last digit of a float unless told not to; since then it warns.
EXACT = {"float_precision": "round_trip"} if Version(pd.__version__) < Version("3.1") else {}


def outputs_folder():
    """The folder that fits save to: fit_outputs/, or what FIT_OUTPUTS names.

    The tests set FIT_OUTPUTS, so that they never touch a learner's models.
    """
    named = os.path.expanduser(os.environ.get("FIT_OUTPUTS", ""))
    return Path(named or ROOT / "fit_outputs").resolve()


def writable(path):
    """Return `path` once it is certain that other code can write that file.

    For what does not save through this module, such as a `ModelCheckpoint`: it
    would find out only after its first epoch.

    Args:
        path: a path whose folder is made if there is none.

    Raises:
        OSError: if the file cannot be written; says which folder, and the way out.
    """
    path = Path(path)
    with _explaining(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
        if path.exists():
            path.open("r+b").close()
    return path


def save_model(model, name):
    """Save a whole model, `model.save`, as `fit_outputs/<name>.keras`.

    The file appears complete or not at all: a kernel that dies while saving
    leaves the old one as it was. An older Keras can read it, from 3.8 on.

    Args:
        model: a `keras.Model`.
        name: a bare name, such as `"model_intro"`.

    Raises:
        ValueError: if the name is not bare or the model is not one.
        OSError: if the folder cannot be written to; the old file is intact.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"model must be a keras.Model; got a {type(model).__name__}")
    path = _path(name, ".keras")
    with replacing(path) as temporary:
        model.save(temporary)
        leave_out_defaults(temporary)
    print(f"Saved {_shown(path)}.")


def save_history(history, name):
    """Save a training history as `fit_outputs/<name>.csv`, one row an epoch.

    A metric that is an array gets a column for each of its numbers, such as
    `f1_score[0]`. What is not numbers is left out; a sentence says so.

    Args:
        history: a `keras.callbacks.History`, its dict, or a DataFrame.
        name: a bare name, such as `"history_intro"`.

    Raises:
        ValueError: if the name is not bare or the history holds no number.
        OSError: if the folder cannot be written to; the old file is intact.
    """
    frame = history_frame(history)
    path = _path(name, ".csv")
    with replacing(path) as temporary:
        frame.to_csv(temporary, lineterminator="\n")
    print(f"Saved {_shown(path)}.")


def save_table(table, name):
    """Save a table of results as `fit_outputs/<name>.csv`, without its index.

    Args:
        table: a `pandas.DataFrame`, or what makes one, such as a list of dicts.
        name: a bare name, such as `"dropout_few"`.

    Raises:
        ValueError: if the name is not bare, or the table is none or has no row.
        OSError: if the folder cannot be written to; the old file is intact.
    """
    try:
        frame = pd.DataFrame(table)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(
            "the table must be a DataFrame or what makes one, such as a list of dicts; "
            f"pandas says of this {type(table).__name__}: {error}"
        ) from None
    if frame.empty:
        raise ValueError("the table has no row: nothing was measured yet")
    path = _path(name, ".csv")
    with replacing(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")
    print(f"Saved {_shown(path)}.")


def load_model(name, custom_objects=None):
    """Load a model that a notebook saved: the learner's own, or the reference.

    Prints which of the two it was.

    Args:
        name: a bare name, such as `"model_intro"`.
        custom_objects: dict from the name of each layer, loss or other object that
            is your own code to that class or function.

    Returns:
        A compiled `keras.Model`.

    Raises:
        FileNotFoundError: if there is none of that name; lists those there are.
        ValueError: if the name is not bare or the file cannot be read; says why:
            it is damaged, from a newer Keras, or needs code that is not in it.
        PermissionError: if the file may not be read.
    """

    def read(path):
        return keras.saving.load_model(path, custom_objects=custom_objects)

    def explain(path, error):
        return why_unread(path, error, custom_objects or {})

    return _load(name, ".keras", read, explain)


def load_history(name):
    """Load a history that a notebook saved: the learner's own, or the reference.

    Prints which of the two it was.

    Args:
        name: a bare name, such as `"history_intro"`.

    Returns:
        A `pandas.DataFrame`, float64, one row an epoch, index `epoch` from 1.

    Raises:
        FileNotFoundError: if there is none of that name; lists those there are.
        ValueError: if the name is not bare, or the file is damaged or a table.
        PermissionError: if the file may not be read.
    """
    return _load(name, ".csv", _read_history, _why_no_history)


def load_table(name):
    """Load a table that a notebook saved: the learner's own, or the reference.

    Prints which of the two it was.

    Args:
        name: a bare name, such as `"dropout_few"`.

    Returns:
        A `pandas.DataFrame`.

    Raises:
        FileNotFoundError: if there is none of that name; lists those there are.
        ValueError: if the file is damaged or the name is not bare.
        PermissionError: if the file may not be read.
    """
    return _load(name, ".csv", _read_table)


def _read_table(path, **options):
    if not path.read_bytes().endswith(b"\n"):
        raise ValueError("cut short")  # the rest would read as numbers all the same
    return pd.read_csv(path, **EXACT, **options)


def _read_history(path):
    return history_frame(_read_table(path, index_col="epoch").astype("float64"))


def _load(name, suffix, read, explain=lambda path, error: None):
    own = _path(name, suffix)
    try:
        path = own if own.is_file() else REFERENCE / own.name
        if not path.is_file():
            raise FileNotFoundError(_not_found(name, suffix))
        loaded = read(path)
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise PermissionError(
            error.errno,
            "this file belongs to another user, and you may not read it. Ask for that right, or "
            "let FIT_OUTPUTS name another folder: in a notebook, %env FIT_OUTPUTS=~/fit_outputs",
            error.filename or str(own),
        ) from error
    except Exception as error:  # a cut or foreign file fails in many ways
        reason = explain(path, error) or _damaged(path, error)
        raise ValueError(f"{_shown(path)} {reason}") from error
    whose = "your own run" if path == own else "the reference run: you have saved none yet"
    print(f"Loaded {_shown(path)} ({whose}).")
    return loaded


def _damaged(path, error):
    """What to do about a damaged file; git has the reference."""
    way_back = (
        f"Bring it back: git checkout -- {_shown(path)}"
        if path.parent == REFERENCE
        else "Delete it, then run the notebook that saves it again."
    )
    return f"is damaged and cannot be read ({type(error).__name__}). {way_back}"


def _why_no_history(path, error):
    """Say so if the file is a whole table; None if it is damaged."""
    try:
        table = _read_table(path)
    except Exception:
        return None
    # Of a damaged file, or another one, header and rows are not of one length.
    if "epoch" in table or not isinstance(table.index, pd.RangeIndex):
        return None
    return f"is a table and no history: use load_table({path.stem!r})."


def _not_found(name, suffix):
    kind = "model" if suffix == ".keras" else "history or table"
    names = sorted(
        {p.stem for d in (outputs_folder(), REFERENCE) for p in d.glob(f"[!.]*{suffix}")}
    )
    if not names:
        return f"no {kind} {name!r}: fit_outputs/ holds none yet. Run the notebook that saves it."
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no {kind} {name!r} in fit_outputs/.{hint} There are: {', '.join(names)}."


def _path(name, suffix):
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError(
            "name must be a bare name of letters, digits, - and _, without folder or ending, "
            f"such as 'model_intro'; got {name!r}"
        )
    return outputs_folder() / f"{name}{suffix}"


def extend_table(path, key, make):
    """Add rows to a table file, unless it has rows with that key: a long run can be stopped.

    Args:
        path: a CSV file; begun if there is none.
        key: a dict, the columns by which the rows are known, and their values.
        make: a function that returns the rows, as dicts or a DataFrame without those columns.
    """
    path = Path(path)
    rows = pd.read_csv(path) if path.exists() else pd.DataFrame()
    if len(rows) and (rows[list(key)] == list(key.values())).all(axis=1).any():
        return
    new = pd.DataFrame(make()).round(4)
    for place, (name, value) in enumerate(key.items()):
        new.insert(place, name, value)
    with replacing(path) as temporary:
        pd.concat([rows, new]).to_csv(temporary, index=False, lineterminator="\n")
    print(new.to_string(index=False), flush=True)


@contextmanager
def replacing(path):
    """Yield a temporary path beside `path`; on success it takes its place.

    `os.replace` is atomic within one folder, so no reader sees half a file.
    """
    temporary = None
    try:
        with _explaining(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Keras wants the file's ending; the dot hides it from `glob("*…")`.
            handle, temporary = tempfile.mkstemp(
                prefix=".saving-", suffix="".join(path.suffixes), dir=path.parent
            )
            os.close(handle)
            yield temporary
            os.chmod(temporary, 0o644)  # mkstemp makes it the owner's alone
            os.replace(temporary, path)
            temporary = None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


@contextmanager
def _explaining(path):
    """Name the folder and the way out in the error of a file that cannot be written."""
    try:
        yield
    except OSError as error:
        folder = path.parent
        a_file = folder.exists() and not folder.is_dir()
        reason = "this folder is a file" if a_file else error.strerror or error
        raise type(error)(
            error.errno,
            f"cannot save {path.name}: {reason}. Any earlier file is intact. To save elsewhere, "
            "let FIT_OUTPUTS name another folder: in a notebook, %env FIT_OUTPUTS=~/fit_outputs. "
            "Else make sure that you may write to this folder and that the disk is not full",
            str(folder),
        ) from error


def _shown(path):
    """A path as a learner knows it, wherever FIT_OUTPUTS points."""
    folder = "fit_outputs/reference" if path.parent == REFERENCE else "fit_outputs"
    return f"{folder}/{path.name}"
