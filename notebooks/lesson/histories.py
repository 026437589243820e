"""Training histories: one kind of table for all of them, and times in words."""

import keras
import numpy as np
import pandas as pd

MOST = 1000  # numbers of one metric in one epoch; what has more is no training curve


def history_frame(history):
    """Return a history as a DataFrame: one row an epoch, index `epoch` from 1.

    A metric that is an array gets a column for each of its numbers, such as
    `f1_score[0]`. What is not numbers, or was not measured at every epoch, is left
    out, and a sentence says so.

    Args:
        history: a `keras.callbacks.History`, a dict or a DataFrame.

    Raises:
        ValueError: as `plot_history` says.
    """
    rows, index, left_out = _rows(history)
    if not any(rows):
        raise ValueError("this history holds no epoch: fit the model first, then plot")
    frame, not_numbers = frame_of(rows, index)
    if frame.empty:
        raise ValueError(f"every entry of a history must be one number; got {rows!r:.200}")
    if left_out := left_out | not_numbers:
        print(left_out_sentence(left_out))
    return frame


def frame_of(rows, index):
    """What was measured, as numbers: a row for each epoch, and what had to be left out.

    Args:
        rows: a dict for each epoch, from the metric to its value: a number, an array
            or a nested list of numbers. Where there is none the frame holds NaN.
        index: the numbers of the epochs.

    Returns:
        A float64 DataFrame, and a dict from the name of what it lacks to the reason.
    """
    columns, left_out = {}, {}
    for name in dict.fromkeys(name for row in rows for name in row):
        try:
            cells = [dict(_numbers(str(name), row.get(name))) for row in rows]
        except ValueError as error:
            left_out[str(name)] = str(error)
            continue
        for column in dict.fromkeys(c for cell in cells for c in cell) or [str(name)]:
            columns[column] = [cell.get(column, np.nan) for cell in cells]
    index = pd.Index(index, name="epoch")
    return pd.DataFrame(columns, index=index, dtype="float64"), left_out


def left_out_sentence(left_out):
    """Name what a table or a drawing lacks, each with its reason."""
    return f"Left out: {', '.join(f'{name} ({why})' for name, why in left_out.items())}."


def duration(seconds):
    """A time in words, such as "2 min 5 s"."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _rows(history):
    """A dict for each epoch, the epochs' numbers, and what is left out and why."""
    epochs = None
    if isinstance(history, keras.callbacks.History):
        epochs = len(getattr(history, "epoch", []))
        history = getattr(history, "history", {})
    if isinstance(history, dict):
        return _rows_of_lists(history, epochs)
    if not isinstance(history, pd.DataFrame):
        raise ValueError(
            "history must be what fit returned, its .history dict or a DataFrame; "
            f"got a {type(history).__name__}"
        )
    if history.index.name == "epoch":
        index = history.index
    else:  # as a file read back without naming its index
        history = history.drop(columns="epoch", errors="ignore")
        index = pd.RangeIndex(1, len(history) + 1)
    return history.to_dict("records"), index, {}


def _rows_of_lists(history, epochs):
    try:
        lists = {name: list(values) for name, values in history.items()}
    except TypeError as error:
        raise ValueError(
            f"a history dict maps each metric to a list, one number an epoch; got {history!r:.200}"
        ) from error
    counts = {name: len(values) for name, values in lists.items()}
    if epochs not in counts.values():
        epochs = counts.get("loss") or max(counts.values(), default=0)
    # With `fit(validation_freq=2)`: which epochs they were, a history does not say.
    left_out = {
        name: f"{count} values for {epochs} epochs"
        for name, count in counts.items()
        if count != epochs
    }
    kept = [name for name in lists if name not in left_out]
    rows = [{name: lists[name][i] for name in kept} for i in range(epochs)]
    return rows, pd.RangeIndex(1, epochs + 1), left_out


def _numbers(name, value):
    """Yield the numbers of a value, each with its name; nothing where it is missing."""
    if keras.ops.is_tensor(value):
        value = keras.ops.convert_to_numpy(value)
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.size > MOST:
            raise ValueError(f"{array.size} numbers an epoch")
        value = array.item() if array.size == 1 else array.tolist()
    if isinstance(value, list | tuple | dict):
        if len(value) > MOST:
            raise ValueError(f"{len(value)} numbers an epoch")
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(f"{name}[{key}]", part)
    elif not pd.isna(value):
        try:
            yield name, float(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError("not a number at every epoch") from None
