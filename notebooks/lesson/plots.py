"""Training curves, images, and the words that describe them.

Every figure the notebooks show carries alternative text, and curves carry their
numbers: `pictures` writes both beside the picture in the notebook.
"""

import contextlib
import functools
import re
import time

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lesson.histories import duration, frame_of, history_frame, left_out_sentence
from lesson.pictures import bundle, describe

# Each stands out from white by 3 to 1, and any two are told apart without red, green or
# blue cones; the first four in grey too. Where there are several curves, marks tell them
# apart as well, so that colour is never the only sign. tests/test_colours.py computes it.
PALETTE = sns.color_palette(
    ["#0173b2", "#d55e00", "#1a1a1a", "#8c0800", "#8c8c8c", "#332288", "#a23582", "#937860"]
)
MARKERS = "osD^vPX*<>"
MOST_CURVES = len(MARKERS)  # of one metric in one panel
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=PALETTE)  # what a learner draws, too


def plot_history(history, metrics=None, title=None):
    """Draw one model's training curves: the loss, then each metric.

    Training is solid and validation dashed, in one colour. Epochs count
    from 1. A metric that is an array, such as `F1Score`, has a curve for each of
    its numbers, in one panel. What cannot be drawn is left out; a sentence says so.

    Args:
        history: what `model.fit` returned (`keras.callbacks.History`), its
            `history` dict, or a `pandas.DataFrame` with one row an epoch, such
            as `load_history` returns. A DataFrame whose index is named
            `"epoch"` is drawn at those epochs. NaN leaves a gap.
        metrics: names of what to draw, such as `["loss"]` or `["f1_score[0]"]`.
            Default: the loss and every metric in the history that has at most 10
            curves.
        title: text above the panels.

    Returns:
        The `matplotlib.figure.Figure`, with alternative text.

    Raises:
        ValueError: if the history holds no epoch or no numbers, or lacks a metric
            that was asked for.
    """
    frame = history_frame(history)
    names, left_out = _metric_names(frame, metrics)
    if left_out:
        print(left_out_sentence(left_out))
    figure = plt.figure(figsize=(4.6 * len(names), 3.4), layout="constrained")
    return _draw_history(figure, frame, names, title)


def plot_histories(histories, metric="val_loss", title=None):
    """Draw one metric of several models on one pair of axes.

    A training metric is solid, a validation metric dashed; a colour and a mark for each model.

    Args:
        histories: dict from the model's name to its history, each as
            `plot_history` takes it.
        metric: what to draw, such as `"val_loss"` or `"loss"`; or a list of
            such names.
        title: text above the axes.

    Returns:
        The `matplotlib.figure.Figure`, with alternative text.

    Raises:
        ValueError: if there is no history, or one lacks the metric.
    """
    if not isinstance(histories, dict) or not histories:
        raise ValueError(
            'histories must be a dict with at least one {"model name": history}; '
            f"got a {type(histories).__name__}"
        )
    names = _names(metric)
    if not names:
        raise ValueError('metric must name what to draw, such as "val_loss"')
    frames = {model: history_frame(history) for model, history in histories.items()}
    for model, frame in frames.items():
        _require(frame, names, model)
    beside = len(frames) * len(names) > 4  # a long legend would lie on the curves
    figure, axes = plt.subplots(figsize=(8.4 if beside else 6.4, 3.8), layout="constrained")
    sentences, numbers = [], []
    for number, (model, frame) in enumerate(frames.items()):
        for name in names:
            axes.plot(
                frame.index, frame[name], label=_legend(model, name, names),
                **_style(frame[name], name, number, len(frames)),
            )  # fmt: skip
            sentences.append(f"{model}: {_sentence(frame[name], name)}")
            numbers.append(frame[name].rename(f"{model}, {_curve(name)}"))
    # The legend tells training from validation where both are drawn.
    labels = [_label(n.removeprefix("val_") if len(names) > 1 else n) for n in names]
    _finish(axes, " and ".join(dict.fromkeys(labels)))
    place, lines = {}, axes.get_lines()
    if beside:  # named from top to bottom, as the lines end
        place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
        lines = sorted(lines, key=_last_height, reverse=True)
    axes.legend(handles=lines, frameon=False, **place)
    if title:
        axes.set_title(title)
    figure.numbers = _side_by_side(numbers)
    return describe(figure, _join(title, sentences))


def show_images(images, labels=None, classes=None, count=10, columns=5):
    """Draw the first images of an array in a grid, each with its label.

    Args:
        images: array of shape `(n, height, width)` or `(n, height, width, 3)`,
            uint8 in [0, 255] or float in [0, 1].
        labels: one per image: integers, one-hot rows, or text. Optional.
        classes: class names, indexed by the integer labels. Optional.
        count: how many images to draw, from 1 to `len(images)`. More than
            there are draws them all.
        columns: images in a row, at least 1.

    Returns:
        The `matplotlib.figure.Figure`, with alternative text.

    Raises:
        ValueError: if `count`, `columns` or a shape is out of range.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[-1] not in (1, 3)):
        raise ValueError(
            "images must have shape (n, height, width) or (n, height, width, 3); got "
            f"{images.shape}. One image alone is images[i:i + 1]."
        )
    for name, value in (("count", count), ("columns", columns)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"{name} must be an integer from 1 to {len(images)}; got {value!r}")
    count = min(count, len(images))
    if count == 0:
        raise ValueError("images holds no image")
    texts = _label_texts(labels, classes, len(images))[:count]
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(1.5 * columns, 1.75 * rows), layout="constrained", squeeze=False
    )
    for axis in axes.flat:
        axis.axis("off")
    white = 255 if images.dtype.kind in "iu" else 1  # else a grey image is stretched
    for axis, image, text in zip(axes.flat, images, texts, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=white, interpolation="nearest")
        axis.set_title(text, fontsize=10)
    named = f": {', '.join(t for t in texts if t)}" if any(texts) else ""
    noun = "image" if count == 1 else "images"
    return describe(figure, f"{count} {noun}, drawn in a grid of {rows} × {columns}{named}.")


def plot_confusion(matrix, classes, title=None):
    """Draw a confusion matrix: a row for each true class, a column for each predicted one.

    A field shows its count; its colour is the count's share of the row, so that
    classes of different sizes can be compared.

    Args:
        matrix: array of counts, integers of shape `(n, n)`: `matrix[i, j]`
            samples of class `i` were taken for class `j`.
        classes: the `n` class names, in the order of rows and columns.
        title: text above the matrix.

    Returns:
        The `matplotlib.figure.Figure`, with alternative text.

    Raises:
        ValueError: if the matrix is not square, holds something else than
            counts, or does not fit the classes.
    """
    if not np.iterable(classes):
        raise ValueError(f"classes must be a list of names; got a {type(classes).__name__}")
    matrix, classes = np.asarray(matrix), [str(c) for c in classes]
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(
            f"matrix must have a row and a column for each class; its shape is {matrix.shape}"
        )
    if matrix.dtype.kind not in "iu" or matrix.min() < 0:
        raise ValueError("matrix must hold counts, integers from 0 up, not shares")
    if len(classes) != len(matrix):
        raise ValueError(f"{len(matrix)} rows need {len(matrix)} classes; got {len(classes)}")
    size = 2 + 0.55 * len(matrix)
    figure, axes = plt.subplots(figsize=(size + 1, size), layout="constrained")
    sns.heatmap(
        matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1), annot=matrix, fmt="d",
        cmap="Blues", vmin=0, vmax=1, linewidths=0.5, xticklabels=classes, yticklabels=classes,
        cbar_kws={"label": "share of the true class"}, ax=axes,
    )  # fmt: skip
    for count, colour in zip(axes.texts, axes.collections[0].get_facecolors(), strict=True):
        dark = (
            sns.utils.relative_luminance(colour) < 0.18
        )  # white and black stand out alike at 0.18
        count.set_color("white" if dark else "black")
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    if title:
        axes.set_title(title)
    return describe(figure, _join(title, _confusion_sentences(matrix, classes)))


def _spares_the_fit(method):
    """Whatever fails in a method that draws, the fit goes on; a sentence says so, once."""

    @functools.wraps(method)
    def spared(self, *args, **kwargs):
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            self._say_once(
                "failed", f"The curves could not be drawn ({reason}). The fit goes on without them."
            )

    return spared


class LiveCurves(keras.callbacks.Callback):
    """Draw the training curves while `fit` runs, with the time that is left.

    In a notebook one figure is redrawn after each epoch, at most every
    `every` seconds and for a twentieth of the time; elsewhere a line is printed.
    After an interrupted fit the figure shows every epoch that was finished. What
    cannot be drawn is left out, as `plot_history` does; a drawing that fails never
    ends the fit. Use it with `verbose=0`:

        model.fit(..., verbose=0, callbacks=[LiveCurves()])

    Args:
        every: least number of seconds between two drawings, so that drawing
            does not slow a fit whose epochs are short. 0: draw every epoch.
    """

    def __init__(self, every=1.0):
        super().__init__()
        if not every >= 0:
            raise ValueError(f"every must be 0 or more seconds; got {every!r}")
        self.every = every

    @_spares_the_fit
    def on_train_begin(self, logs=None):
        self._rows, self._epochs, self._said = [], [], set()
        self._started, self._next = time.monotonic(), -float("inf")
        self._handle = None
        if get_ipython() is not None:
            message = {"text/plain": "The first epoch is running …"}
            self._handle = display(message, raw=True, display_id=True)
            # Keras tells callbacks nothing of an interrupted fit; the cell's end does.
            get_ipython().events.register("post_run_cell", self._on_cell_end)

    @_spares_the_fit
    def on_epoch_end(self, epoch, logs=None):
        self._rows.append(dict(logs or {}))
        # Keras counts epochs from 0; `fit(initial_epoch=…)` may start later.
        self._epochs.append(epoch + 1)
        if (start := time.monotonic()) >= self._next:
            try:
                self._draw(self._time_left())
            finally:
                done = time.monotonic()
                self._next = done + (max(self.every, 20 * (done - start)) if self.every else 0)

    @_spares_the_fit
    def on_train_end(self, logs=None):
        self._forget_cell()
        if self._rows:
            count = len(self._rows)
            self._draw(f"{_plural(count, 'epoch')} in {duration(self._elapsed())}", lasting=True)

    @_spares_the_fit
    def _on_cell_end(self, result=None):
        self._forget_cell()
        if self._rows:
            done = f"{len(self._rows)} of {_plural(self.params['epochs'], 'epoch')}"
            self._draw(f"stopped after {done}", lasting=True)
        else:
            self._handle.update({"text/plain": "No epoch was finished."}, raw=True)

    def _forget_cell(self):
        if self._handle is not None:
            with contextlib.suppress(ValueError):  # forgotten already
                get_ipython().events.unregister("post_run_cell", self._on_cell_end)

    def _elapsed(self):
        return time.monotonic() - self._started

    def _time_left(self):
        done, epochs = self._epochs[-1], self.params["epochs"]
        left = (epochs - done) * self._elapsed() / len(self._rows)
        return f"epoch {done} of {epochs}, about {duration(left)} left"

    def _draw(self, title, lasting=False):
        frame, left_out = frame_of(self._rows, self._epochs)
        names, too_many = _metric_names(frame)
        if self._handle is None:
            last, _ = frame_of(self._rows[-1:], self._epochs[-1:])
            shown = [c for c in last.columns if _metric(c) not in too_many]
            print(f"{title}: {', '.join(f'{c} {last[c].iloc[0]:.4g}' for c in shown)}")
        else:
            figure = Figure(figsize=(4.6 * len(names), 3.4), layout="constrained")
            _draw_history(figure, frame, names, title)
            data, metadata = bundle(figure, lasting)
            self._handle.update(data, metadata=metadata, raw=True)
        if left_out := left_out | too_many:
            self._say_once("left out", left_out_sentence(left_out))

    def _say_once(self, about, sentence):
        if about not in self._said:
            self._said.add(about)
            with contextlib.suppress(Exception):  # standard output may be what failed
                print(sentence)


def _metric(column):
    """The metric that a column belongs to: `f1_score` for `val_f1_score[0]`."""
    return re.sub(r"(?<=.)(\[[^]]*\])+$", "", column.removeprefix("val_"))


def _metric_names(frame, wanted=None):
    """Names to draw, without `val_`: `loss` first; the learning rate left out.

    Returns:
        The names, and a dict from the metrics with too many curves to the reason.
    """
    columns = list(dict.fromkeys(c.removeprefix("val_") for c in frame.columns))
    names = list(dict.fromkeys(map(_metric, columns)))
    if wanted is None:
        shown = [n for n in names if n not in ("learning_rate", "lr")]
        curves = {n: sum(_metric(c) == n for c in columns) for n in shown}
        too_many = {n: f"{count} curves" for n, count in curves.items() if count > MOST_CURVES}
        shown = [n for n in shown if n not in too_many]
        return sorted(shown or names, key=lambda n: n != "loss"), too_many if shown else {}
    wanted = _names(wanted)
    missing = [n for n in wanted if n not in names + columns]
    if missing or not wanted:
        missing = ", ".join(map(repr, missing)) or "was named"
        raise ValueError(f"no metric {missing} in this history; it has {', '.join(names)}")
    return wanted, {}


def _names(metrics):
    """One name or several as a list."""
    if isinstance(metrics, str):
        return [metrics]
    if not np.iterable(metrics) or not all(isinstance(name, str) for name in metrics):
        raise ValueError(
            'metrics are named by their columns, such as "val_loss" or a list of such names; '
            f"got {metrics!r:.100}"
        )
    return list(metrics)


def _require(frame, names, model):
    missing = [n for n in names if n not in frame]
    if missing:
        raise ValueError(
            f"the history of {model!r} has no {', '.join(map(repr, missing))}; "
            f"it has {', '.join(frame.columns)}"
        )


def _draw_history(figure, frame, names, title):
    sentences, numbers = [], {}
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        drawn = [c for c in frame.columns if name in (c.removeprefix("val_"), _metric(c))]
        drawn.sort(key=lambda c: c.startswith("val_"))
        parts = list(dict.fromkeys(c.removeprefix("val_") for c in drawn))
        for column in drawn:
            part = column.removeprefix("val_")
            label = "training" if column == part else "validation"
            if len(parts) > 1:  # colour and mark tell the number, the dashes tell validation
                label += part.removeprefix(name)
            axes.plot(
                frame.index, frame[column], label=label,
                **_style(frame[column], column, parts.index(part), len(parts)),
            )  # fmt: skip
            sentences.append(_sentence(frame[column], column))
            numbers[_curve(column)] = frame[column]
        _finish(axes, _label(name))
        axes.legend(frameon=False, **({"ncols": 2, "fontsize": "small"} if len(parts) > 1 else {}))
    if title:
        figure.suptitle(title)
    figure.numbers = pd.DataFrame(numbers, index=frame.index)
    return describe(figure, _join(title, sentences))


def _style(values, name, number=0, count=1):
    """The look of a curve, `number` of `count`: dashes for validation, its colour and marks."""
    known = values.notna().to_numpy()
    # A line needs two points; one that stands alone shows as a mark.
    beside = np.append(known[1:], False) | np.insert(known[:-1], 0, False)
    marked = known & ~beside
    if count > 1:  # about eight marks, not where those of the next curve are
        apart = max(1, len(known) // 8)
        marked |= known & (np.arange(len(known)) % apart == number % apart)
    marks = {"marker": MARKERS[number % len(MARKERS)], "markevery": marked, "markersize": 5}
    return {
        "linestyle": "--" if name.startswith("val_") else "-",
        "color": PALETTE[number % len(PALETTE)],
        **(marks if marked.any() else {}),
    }


def _finish(axes, label):
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(_EpochLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


class _EpochLocator(MaxNLocator):
    """Ticks at the first epoch drawn and at round ones after it: none at 0, where no epoch is."""

    def tick_values(self, vmin, vmax):
        first, last = self.axis.axes.dataLim.intervalx
        ticks = super().tick_values(vmin, vmax)
        if not np.isfinite(first):  # nothing was drawn
            return ticks
        apart = np.ptp(ticks[:2]) / 3  # nearer, two numbers would touch
        return np.append(first, ticks[(ticks > first + apart) & (ticks <= last)])


def _label(name):
    words = name.removeprefix("val_").replace("_", " ")
    return f"validation {words}" if name.startswith("val_") else words


def _legend(model, name, names):
    if len(names) == 1:
        return model
    return f"{model}, {'validation' if name.startswith('val_') else 'training'}"


def _last_height(line):
    heights = np.asarray(line.get_ydata(), "float64")
    known = heights[np.isfinite(heights)]
    return known[-1] if known.size else -np.inf


def _side_by_side(columns):
    """Series as one DataFrame, with a row for each epoch that one of them has."""
    once = [values[~values.index.duplicated(keep="last")] for values in columns]
    return pd.concat(once, axis=1).sort_index()


def _curve(name):
    return _label(name) if name.startswith("val_") else f"training {_label(name)}"


def _sentence(values, name):
    """One curve in words: where it starts and ends, and its best epoch."""
    label = _curve(name)
    known = values.dropna()
    if known.empty:
        return f"{label} is not a number at any epoch."
    if len(known) == 1:
        text = f"{label} is {known.iloc[0]:.3g} at epoch {known.index[0]}"
    else:
        first, last = known.iloc[0], known.iloc[-1]
        verb = "falls" if last < first else "rises" if last > first else "goes"
        text = (
            f"{label} {verb} from {first:.3g} to {last:.3g} "
            f"over epochs {known.index[0]} to {known.index[-1]}"
        )
        # Only where a turn is hidden between the ends is the best epoch news.
        best, epoch = (
            (known.max(), known.idxmax()) if _higher_is_better(name)
            else (known.min(), known.idxmin())
        )  # fmt: skip
        if epoch not in (known.index[0], known.index[-1]):
            text += f", with its best, {best:.3g}, at epoch {epoch}"
    if len(known) < len(values):
        text += f"; it is not a number at {_plural(len(values) - len(known), 'epoch')}"
    return text + "."


def _higher_is_better(name):
    return any(word in name for word in ("acc", "auc", "precision", "recall", "f1", "r2"))


def _join(title, sentences):
    text = " ".join(s[0].upper() + s[1:] for s in sentences)
    return f"{title}. {text}" if title else text


def _label_texts(labels, classes, n):
    if labels is None:
        return [""] * n
    labels = np.atleast_1d(labels)
    if len(labels) != n:
        raise ValueError(f"{n} images need {n} labels; got {len(labels)}")
    if labels.ndim == 2:  # one-hot rows, or Keras's column of integers
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    if classes is not None and np.issubdtype(labels.dtype, np.number):
        if labels.min() < 0 or labels.max() >= len(classes):
            raise ValueError(
                f"labels must be from 0 to {len(classes) - 1}, one for each of the classes; "
                f"got {labels.min()} to {labels.max()}"
            )
        return [classes[int(i)] for i in labels]
    return [str(i) for i in labels]


def _confusion_sentences(matrix, classes):
    """A confusion matrix in words: how many are right, and the commonest errors."""
    right = f"{matrix.trace()} of {matrix.sum()} are right"
    yield f"confusion matrix of {len(classes)} classes; {right}."
    errors = matrix - np.diag(matrix.diagonal())
    commonest = [divmod(int(i), len(matrix)) for i in np.argsort(-errors, axis=None, kind="stable")]
    named = [
        f"{errors[true, predicted]} × {classes[true]} taken for {classes[predicted]}"
        for true, predicted in commonest[:3]
        if errors[true, predicted]
    ]
    if named:
        yield f"the commonest errors: {', '.join(named)}."


def _plural(count, noun):
    return f"{count} {noun}" + ("" if count == 1 else "s")
