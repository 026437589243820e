"""Training histories: one kind of table for all of them, and times in words."""

import keras
import pandas as pd


def history_frame(history):
    """Return a history as a DataFrame: one row an epoch, index `epoch` from 1.

    Args:
        history: a `keras.callbacks.History`, a dict or a DataFrame.

    Raises:
        ValueError: as `plot_history` says.
    """
    if isinstance(history, keras.callbacks.History):
        history = getattr(history, "history", {})
    if isinstance(history, dict):
        try:
            history = pd.DataFrame(history)
        except ValueError as error:
            raise ValueError(
                "a history dict maps each metric to a list, all of one length, one number an "
                f"epoch; got {history!r:.200}"
            ) from error
    if not isinstance(history, pd.DataFrame):
        raise ValueError(
            "history must be what fit returned, its .history dict or a DataFrame; "
            f"got a {type(history).__name__}"
        )
    if history.index.name != "epoch":  # as a file read back without naming its index
        history = history.drop(columns="epoch", errors="ignore")
    if history.empty:
        raise ValueError("this history holds no epoch: fit the model first, then plot")
    try:
        frame = history.astype("float64")
    except (TypeError, ValueError):
        raise ValueError(
            f"every entry of a history must be one number; got {history.to_dict('list')!r:.200}"
        ) from None
    if frame.index.name != "epoch":
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="epoch")
    frame.columns = frame.columns.map(str)
    return frame


def duration(seconds):
    """A time in words, such as "2 min 5 s"."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
