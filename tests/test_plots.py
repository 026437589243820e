"""What plots show, what they say of it in words, and what notebooks keep."""

import copy
import html
from pathlib import Path

import keras
import matplotlib as mpl
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from lesson import plots
from lesson.plots import (
    LiveCurves,
    describe,
    plot_confusion,
    plot_histories,
    plot_history,
    show_images,
)

mpl.use("Agg")
NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
NAN = float("nan")

# Ten epochs as in notebook 03: validation loss is lowest inside, at epoch 8.
CURVES = {
    "loss": [1.6, 1.4, 1.3, 1.2, 1.15, 1.1, 1.05, 1.0, 0.97, 0.94],
    "val_loss": [1.5, 1.35, 1.25, 1.2, 1.15, 1.1, 1.06, 1.04, 1.05, 1.07],
    "categorical_accuracy": [0.42, 0.5, 0.54, 0.57, 0.59, 0.61, 0.63, 0.65, 0.66, 0.67],
    "val_categorical_accuracy": [0.46, 0.52, 0.55, 0.57, 0.6, 0.61, 0.62, 0.66, 0.65, 0.64],
}


@pytest.fixture(autouse=True)
def _nothing_leaves_the_figure(monkeypatch):
    """A plot may neither show nor save itself."""
    for owner, name in ((plt, "show"), (plt, "savefig"), (Figure, "savefig"), (Figure, "show")):
        monkeypatch.setattr(owner, name, lambda *a, **k: pytest.fail("a plot showed or saved"))
    yield
    plt.close("all")


def as_history(curves):
    history = keras.callbacks.History()
    history.history = curves
    return history


def line(axes, label):
    return next(one for one in axes.lines if one.get_label() == label)


# --- plot_history ----------------------------------------------------------------


@pytest.mark.parametrize("make", [dict, as_history, pd.DataFrame], ids=lambda m: m.__name__)
def test_history_is_drawn_whatever_holds_it(make):
    given = make(copy.deepcopy(CURVES))
    before = copy.deepcopy(getattr(given, "history", given))
    figure = plot_history(given, title="model_intro")

    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "model_intro"
    assert [a.get_ylabel() for a in figure.axes] == ["loss", "categorical accuracy"]
    for axes, name in zip(figure.axes, ("loss", "categorical_accuracy"), strict=True):
        training, validation = line(axes, "training"), line(axes, "validation")
        assert training.get_linestyle() == "-"
        assert validation.get_linestyle() == "--"
        assert training.get_color() == validation.get_color()
        for drawn, values in ((training, CURVES[name]), (validation, CURVES[f"val_{name}"])):
            assert list(drawn.get_xdata()) == list(range(1, 11))
            assert list(drawn.get_ydata()) == values
        assert axes.get_xlabel() == "epoch"
        assert axes.get_legend() is not None
    after = getattr(given, "history", given)
    pd.testing.assert_frame_equal(pd.DataFrame(after), pd.DataFrame(before))
    assert type(after) is type(before)


def test_alternative_text_tells_the_numbers():
    assert plot_history(CURVES, title="model_intro").alt_text == (
        "model_intro. Training loss falls from 1.6 to 0.94 over epochs 1 to 10. Validation loss "
        "falls from 1.5 to 1.07 over epochs 1 to 10, with its best, 1.04, at epoch 8. Training "
        "categorical accuracy rises from 0.42 to 0.67 over epochs 1 to 10. Validation categorical "
        "accuracy rises from 0.46 to 0.64 over epochs 1 to 10, with its best, 0.66, at epoch 8."
    )


def test_index_named_epoch_is_kept():
    frame = pd.DataFrame({"loss": [3, 2]}, index=pd.Index([11, 12], name="epoch"))
    figure = plot_history(frame)
    assert list(figure.axes[0].lines[0].get_xdata()) == [11, 12]
    assert "from 3 to 2 over epochs 11 to 12" in figure.alt_text
    assert frame.index.name == "epoch"
    assert frame.dtypes["loss"] == "int64"


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [
        (range(1, 2), [1]),
        (range(1, 4), [1, 2, 3]),
        (range(1, 14), [1, 2, 4, 6, 8, 10, 12]),
        (range(1, 41), [1, *range(5, 41, 5)]),
        (range(11, 41), [11, *range(16, 41, 4)]),
    ],
)
def test_ticks_begin_at_the_first_epoch(epochs, ticks):
    """There is no epoch 0; the axis is a little wider than the curves."""
    frame = pd.DataFrame({"loss": 1.0}, index=pd.Index(epochs, name="epoch"))
    figure = plot_history(frame)
    figure.canvas.draw()
    assert [int(label.get_text()) for label in figure.axes[0].get_xticklabels()] == ticks


def test_other_index_is_not_taken_for_epochs():
    frame = pd.DataFrame({"epoch": [0, 1], "loss": [3.0, 2.0]}, index=[5, 6])
    figure = plot_history(frame)
    assert [list(one.get_xdata()) for one in figure.axes[0].lines] == [[1, 2]]
    assert len(figure.axes) == 1, "a column of epoch numbers is no metric"
    assert list(frame.index) == [5, 6]


def test_columns_may_have_any_name():
    assert len(plot_history(pd.DataFrame([[1.0], [2.0]])).axes[0].lines) == 1


def test_learning_rate_is_drawn_only_when_asked_for():
    curves = {"learning_rate": [0.1, 0.01], "loss": [2.0, 1.0]}
    assert [a.get_ylabel() for a in plot_history(curves).axes] == ["loss"]
    figure = plot_history(curves, metrics="learning_rate")
    assert [a.get_ylabel() for a in figure.axes] == ["learning rate"]


def test_metrics_select_and_order_the_panels():
    figure = plot_history(CURVES, metrics=["categorical_accuracy", "loss"])
    assert [a.get_ylabel() for a in figure.axes] == ["categorical accuracy", "loss"]
    assert "accuracy" not in plot_history(CURVES, metrics="loss").alt_text


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ("accuracy", "no metric 'accuracy' in .* it has loss, categorical_accuracy"),
        (["loss", "mae"], "no metric 'mae'"),
        ([], "no metric was named"),
    ],
)
def test_metric_that_is_not_there(metrics, words):
    with pytest.raises(ValueError, match=words):
        plot_history(CURVES, metrics=metrics)


def test_without_validation():
    figure = plot_history({"loss": [2.0, 1.0]})
    assert [one.get_label() for one in figure.axes[0].lines] == ["training"]
    assert "alidation" not in figure.alt_text


def marks(drawn):
    """The epochs at which a line has a visible mark."""
    if drawn.get_marker() in ("None", None, ""):
        return []
    return list(np.asarray(drawn.get_xdata())[drawn.get_markevery()])


@pytest.mark.parametrize(
    ("loss", "marked", "words"),
    [
        ([1.5], [1], "Training loss is 1.5 at epoch 1."),
        (
            [3, NAN, 1],
            [1, 3],
            "falls from 3 to 1 over epochs 1 to 3; it is not a number at 1 epoch",
        ),
        ([3, 2, NAN, 1.5, 1], [], "falls from 3 to 1 over epochs 1 to 5; it is not a number at 1"),
        ([NAN, 2, NAN], [2], "is 2 at epoch 2; it is not a number at 2 epochs."),
        ([NAN, NAN], [], "Training loss is not a number at any epoch."),
        ([2, 1, 2], [], "goes from 2 to 2 over epochs 1 to 3, with its best, 1, at epoch 2."),
        ([1, 2, 3], [], "Training loss rises from 1 to 3 over epochs 1 to 3."),
    ],
)
def test_gaps_and_lone_epochs(loss, marked, words):
    figure = plot_history({"loss": loss})
    assert marks(figure.axes[0].lines[0]) == marked
    assert words in figure.alt_text
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ({}, "holds no epoch: fit the model first"),
        ({"loss": []}, "holds no epoch"),
        (pd.DataFrame(), "holds no epoch"),
        (pd.DataFrame({"epoch": [1, 2]}), "holds no epoch"),
        (keras.callbacks.History(), "holds no epoch"),
        ({"loss": 1.0}, "maps each metric to a list"),
        ({"loss": [1.0, "low"]}, "must be one number; got .*'low'"),
        ([1.0, 2.0], "must be what fit returned.*got a list"),
        (None, "got a NoneType"),
        ("history_intro", "got a str"),
    ],
)
def test_history_that_cannot_be_drawn(history, words):
    with pytest.raises(ValueError, match=words):
        plot_history(history)
    assert not plt.get_fignums(), "an empty figure was left open"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"val_loss": [1.0]}, "Left out: val_loss (1 values for 2 epochs).\n"),
        ({"name": ["a", "b"]}, "Left out: name (not a number at every epoch).\n"),
        ({"big": [np.zeros(2000)] * 2}, "Left out: big (2000 numbers an epoch).\n"),
        ({"many": [np.zeros(11)] * 2}, "Left out: many (11 curves).\n"),
    ],
)
def test_what_cannot_be_drawn_is_left_out_and_named(extra, said, capsys):
    figure = plot_history({"loss": [2.0, 1.0], **extra})
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss"]
    assert capsys.readouterr().out == said


def test_metric_that_is_an_array_has_a_curve_for_each_number():
    scores = [np.array([0.1, 0.2, 0.3]), np.array([0.4, 0.5, 0.6])]
    figure = plot_history({"loss": [2.0, 1.0], "f1_score": scores, "val_f1_score": scores})
    curves = figure.axes[1].get_lines()
    assert [list(curve.get_ydata()) for curve in curves] == 2 * [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]]
    assert len({curve.get_color() for curve in curves}) == 3
    assert [curve.get_marker() for curve in curves] == 2 * ["o", "s", "D"]
    assert "Training f1 score[2] rises from 0.3 to 0.6" in figure.alt_text


# --- plot_histories ---------------------------------------------------------------


def test_several_models_differ_in_more_than_colour():
    models = {f"model {i}": {"loss": [2.0, 1.0 + i]} for i in range(12)}
    axes = plot_histories(models, metric="loss").axes[0]
    assert [one.get_label() for one in axes.lines] == list(models)
    assert len({(tuple(one.get_color()), one.get_marker()) for one in axes.lines}) == 12
    assert len({one.get_marker() for one in axes.lines[:10]}) == 10
    assert {one.get_linestyle() for one in axes.lines} == {"-"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    shown = {(one.get_color(), one.get_marker()) for one in axes.get_legend().get_lines()}
    assert shown == {(one.get_color(), one.get_marker()) for one in axes.lines}


def test_marks_are_few_and_those_of_two_models_lie_apart():
    models = {name: {"loss": np.linspace(2, 1, 40)} for name in "abc"}
    found = [set(marks(one)) for one in plot_histories(models, "loss").axes[0].lines]
    assert all(6 <= len(epochs) <= 10 for epochs in found)
    assert not found[0] & found[1]
    assert not found[1] & found[2]


def test_one_colour_a_model():
    models = {"small": as_history(CURVES), "large": pd.DataFrame(CURVES)}
    figure = plot_histories(models, metric=["loss", "val_loss"], title="Two sizes")
    drawn = {one.get_label(): one for one in figure.axes[0].lines}
    assert list(drawn) == [f"{m}, {d}" for m in models for d in ("training", "validation")]
    assert [one.get_linestyle() for one in drawn.values()] == ["-", "--"] * 2
    small, _, large, _ = (one.get_color() for one in drawn.values())
    assert [one.get_color() for one in drawn.values()] == [small, small, large, large]
    assert small != large
    assert figure.alt_text.startswith("Two sizes. Small: training loss falls from 1.6 to 0.94")
    assert "Large: validation loss falls from 1.5 to 1.07" in figure.alt_text


def test_default_metric_is_validation_loss():
    figure = plot_histories({"intro": CURVES})
    assert figure.axes[0].get_ylabel() == "validation loss"
    assert figure.axes[0].lines[0].get_linestyle() == "--"


def test_histories_name_an_axis_once_for_training_and_validation():
    figure = plot_histories({"intro": CURVES}, metric=["loss", "val_loss"])
    assert figure.axes[0].get_ylabel() == "loss"


def test_long_legend_names_the_lines_from_top_to_bottom_where_they_end():
    ends = [0.3, 0.9, 0.5, 0.1, 0.7]
    models = {str(end): {"val_loss": [1.0, end, NAN]} for end in ends}
    legend = plot_histories(models).axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["0.9", "0.7", "0.5", "0.3", "0.1"]


@pytest.mark.parametrize(
    ("histories", "metric", "words"),
    [
        ({}, "loss", "at least one"),
        ([CURVES], "loss", "must be a dict.*got a list"),
        (as_history(CURVES), "loss", "must be a dict.*got a History"),
        ({"a": CURVES, "b": {"loss": [1.0]}}, "val_loss", "of 'b' has no 'val_loss'; it has loss"),
        ({"a": {}}, "loss", "holds no epoch"),
        ({"a": CURVES}, [], "metric must name what to draw"),
    ],
)
def test_histories_that_cannot_be_drawn(histories, metric, words):
    with pytest.raises(ValueError, match=words):
        plot_histories(histories, metric=metric)
    assert not plt.get_fignums(), "an empty figure was left open"


# --- show_images ------------------------------------------------------------------

COLOURED = np.arange(3 * 4 * 4 * 3, dtype="uint8").reshape(3, 4, 4, 3)
CLASSES = ["cat", "dog", "ship"]


def titles(figure):
    return [a.get_title() for a in figure.axes if a.images]


@pytest.mark.parametrize(
    "labels",
    [[2, 0, 1], [[2], [0], [1]], np.eye(3)[[2, 0, 1]], ["ship", "cat", "dog"]],
    ids=["integers", "column", "one-hot", "text"],
)
def test_images_are_labelled(labels):
    figure = show_images(COLOURED, labels, CLASSES, columns=2)
    assert titles(figure) == ["ship", "cat", "dog"]
    assert figure.alt_text == "3 images, drawn in a grid of 2 × 2: ship, cat, dog."
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), COLOURED[1])


def test_images_without_names():
    assert titles(show_images(COLOURED, [[2], [0], [1]])) == ["2", "0", "1"]
    assert show_images(COLOURED, count=1).alt_text == "1 image, drawn in a grid of 1 × 1."
    assert len(show_images(COLOURED, count=np.int64(2)).axes) == 2


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 4, 4, 1)])
@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("float32", 1)])
def test_grey_images_keep_their_greys(shape, dtype, white):
    for share in (1, 0.4, 0):  # the brightest pixel may be grey, or black
        shown = show_images((np.full(shape, white) * share).astype(dtype)).axes[0].images[0]
        colour = shown.to_rgba(shown.get_array())[0, 0]
        np.testing.assert_allclose(colour, [share, share, share, 1], atol=1e-6)


@pytest.mark.parametrize("count", [-1, 0, True, 2.0, "2", None])
@pytest.mark.parametrize("name", ["count", "columns"])
def test_count_out_of_range(name, count):
    with pytest.raises(ValueError, match=f"{name} must be an integer from 1 to 3; got {count!r}"):
        show_images(COLOURED, **{name: count})


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (COLOURED[0, 0], None, r"images must have shape .*got \(4, 3\)"),
        (COLOURED[..., :2], None, r"got \(3, 4, 4, 2\)"),
        (np.zeros((0, 4, 4)), None, "holds no image"),
        (COLOURED, [0, 1], "3 images need 3 labels; got 2"),
        (COLOURED, 0, "3 images need 3 labels; got 1"),
        (COLOURED, [0, 1, 3], "labels must be from 0 to 2.*got 0 to 3"),
        (COLOURED, [0, 1, -1], "got -1 to 1"),
        (COLOURED, np.eye(10)[[0, 1, 9]], "got 0 to 9"),
    ],
)
def test_images_that_cannot_be_shown(images, labels, words):
    with pytest.raises(ValueError, match=words):
        show_images(images, labels, CLASSES)
    assert not plt.get_fignums()


# --- plot_confusion ---------------------------------------------------------------

CONFUSION = np.array([[8, 2, 0], [1, 9, 0], [3, 0, 2]])


def test_confusion_is_drawn_with_counts_and_shares():
    figure = plot_confusion(CONFUSION, ["cat", "dog", "ship"], title="Ten of each")
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.texts] == [str(n) for n in CONFUSION.ravel()]
    # A row is a true class, and its colours are shares of the row.
    shares = axes.collections[0].get_array().reshape(3, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert shares[2, 0] == pytest.approx(0.6)
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert names == [t.get_text() for t in axes.get_xticklabels()] == ["cat", "dog", "ship"]
    assert figure.alt_text == (
        "Ten of each. Confusion matrix of 3 classes; 19 of 25 are right. The commonest errors: "
        "3 × ship taken for cat, 2 × cat taken for dog, 1 × dog taken for cat."
    )


def test_confusion_without_errors_and_without_samples():
    figure = plot_confusion(np.diag([4, 0]), "ab")  # no sample of class b
    assert figure.alt_text == "Confusion matrix of 2 classes; 4 of 4 are right."
    assert np.isfinite(figure.axes[0].collections[0].get_array()).all()


@pytest.mark.parametrize(
    ("matrix", "classes", "reason"),
    [
        (np.ones((2, 3), int), "ab", r"its shape is \(2, 3\)"),
        (np.ones(4, int), "abcd", r"its shape is \(4,\)"),
        (np.empty((0, 0), int), "", r"its shape is \(0, 0\)"),
        (np.eye(2), "ab", "integers from 0 up, not shares"),
        (-np.eye(2, dtype=int), "ab", "integers from 0 up"),
        (np.eye(2, dtype=int), "abc", "2 rows need 2 classes; got 3"),
    ],
)
def test_confusion_refuses(matrix, classes, reason):
    with pytest.raises(ValueError, match=reason):
        plot_confusion(matrix, classes)


# --- describe ---------------------------------------------------------------------


def test_describe_takes_a_figure_or_its_axes():
    figure, axes = plt.subplots()
    assert describe(axes, "One\n  line.") is figure
    assert figure.alt_text == "One line."
    assert describe(figure, "Another.").alt_text == "Another."


@pytest.mark.parametrize("text", ["", " \n", None, 3])
def test_describe_needs_words(text):
    with pytest.raises(ValueError, match="text must say what the figure shows"):
        describe(plt.figure(), text)


@pytest.mark.parametrize("thing", [None, "figure", [1]])
def test_describe_needs_a_figure(thing):
    with pytest.raises(ValueError, match="must be a matplotlib figure or axes; got a"):
        describe(thing, "text")


# --- LiveCurves outside a notebook --------------------------------------------------


def fit_with(callback, **compiled):
    x = np.random.default_rng(0).random((12, 4)).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", **compiled)
    y = keras.utils.to_categorical(np.arange(12) % 3, 3)
    return model.fit(x, y, epochs=2, verbose=0, callbacks=[callback])


def test_live_curves_of_a_metric_that_is_an_array(capsys):
    history = fit_with(LiveCurves(every=0), metrics=[keras.metrics.F1Score()])
    assert len(history.history["f1_score"]) == 2
    assert "f1_score[2]" in capsys.readouterr().out


def test_drawing_that_fails_never_costs_a_fit(capsys, monkeypatch):
    def failing(*args):
        raise RuntimeError("no ink")

    monkeypatch.setattr(LiveCurves, "_draw", failing)
    assert len(fit_with(LiveCurves(every=0)).history["loss"]) == 2
    assert capsys.readouterr().out == (
        "The curves could not be drawn (RuntimeError: no ink). The fit goes on without them.\n"
    )


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    monkeypatch.setattr(plots, "time", Clock())
    return plots.time


def run(callback, clock, epochs, seconds, first=0):
    callback.set_params({"epochs": epochs})
    callback.on_train_begin()
    for epoch in range(first, epochs):
        clock.now += seconds
        callback.on_epoch_end(epoch, {"loss": 1 / (epoch + 1)})
    callback.on_train_end()


def test_live_curves_print_a_line_an_epoch(clock, capsys):
    run(LiveCurves(), clock, epochs=4, seconds=50)
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1 of 4, about 2 min 30 s left: loss 1",
        "epoch 2 of 4, about 1 min 40 s left: loss 0.5",
        "epoch 3 of 4, about 50 s left: loss 0.3333",
        "epoch 4 of 4, about 0 s left: loss 0.25",
        "4 epochs in 3 min 20 s: loss 0.25",
    ]


def test_live_curves_respect_the_initial_epoch(clock, capsys):
    run(LiveCurves(), clock, epochs=20, seconds=2, first=18)
    first, _, end = capsys.readouterr().out.splitlines()
    assert first.startswith("epoch 19 of 20, about 2 s left")
    assert end.startswith("2 epochs in 4 s")


def test_live_curves_are_throttled(clock, capsys):
    run(LiveCurves(every=1), clock, epochs=10, seconds=0.25)
    drawn = [text.split(",")[0] for text in capsys.readouterr().out.splitlines()]
    assert drawn[:-1] == ["epoch 1 of 10", "epoch 5 of 10", "epoch 9 of 10"]
    assert drawn[-1].startswith("10 epochs in 2 s")


@pytest.mark.parametrize("every", [-1, -0.001, NAN])
def test_live_curves_refuse_a_negative_time(every):
    with pytest.raises(ValueError, match="every must be 0 or more seconds"):
        LiveCurves(every=every)


def small_fit(*callbacks):
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).random((64, 4), "float32")
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(1)(keras.layers.Dropout(0.5)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    return model.fit(
        x, x[:, :1], epochs=3, validation_split=0.5, verbose=0, callbacks=list(callbacks)
    ).history


def test_live_curves_do_not_change_a_fit():
    assert small_fit() == small_fit(LiveCurves(every=0))


# --- In a notebook ------------------------------------------------------------------

CELLS = {
    "setup": """
        import lesson
        import keras, numpy as np, matplotlib.pyplot as plt
        from IPython.display import display
        curves = {"loss": [3.0, 2.0], "val_loss": [4.0, 3.5]}
        def fit(callbacks):
            model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            model.compile("sgd", "mse")
            x, y = np.ones((8, 2)), np.ones(8)
            return model.fit(x, y, epochs=5, verbose=0, callbacks=callbacks)
        def stop(epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt
        def hooks():
            return list(get_ipython().events.callbacks["post_run_cell"])
        before = hooks()
        """,
    "value": "lesson.plot_history(curves)",
    "named-value": "figure = lesson.plot_history(curves)\nfigure",
    "midway": "figure = lesson.plot_history(curves)\nprint('and on')",
    "displayed": "display(lesson.plot_history(curves))\nprint('and on')",
    "two": "figure = lesson.plot_histories({'a': curves})\nlesson.plot_history(curves)",
    "described": "axes = plt.figure().add_subplot()\nlesson.describe(axes, 'Empty axes.')",
    "plain": """
        axes = plt.figure().add_subplot()
        axes.set(xlabel="epoch", ylabel="loss")
        print("and on")
        """,
    "empty": "plt.figure()",
    "wordless": "plt.plot([1, 2])\nprint('and on')",
    "live": "history = fit([lesson.LiveCurves(every=0)])",
    "throttled": "history = fit([lesson.LiveCurves(every=1000)])",
    "interrupted": """
        interrupt = keras.callbacks.LambdaCallback(on_epoch_begin=stop)
        fit([lesson.LiveCurves(every=1000), interrupt])
        """,
    "failed": """
        failing = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: 1 / 0)
        fit([lesson.LiveCurves(), failing])
        """,
    "hooks": "print(hooks() == before)",
}


@pytest.fixture(scope="module")
def shown():
    """What a kernel makes of CELLS: outputs by cell."""
    cells = [nbformat.v4.new_code_cell(s.replace("\n        ", "\n")) for s in CELLS.values()]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    ).execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def pictures(outputs):
    return [o for o in outputs if "image/png" in o.get("data", {})]


def words(output):
    """A picture's alternative text, as a page and as a screen reader find it."""
    assert output.output_type == "display_data"
    alt = output.metadata["image/png"]["alt"]
    assert output.data["text/plain"] == alt
    assert output.data["text/html"].startswith(f'<img alt="{html.escape(alt)}" ')
    assert 0 < output.metadata["image/png"]["width"] < 1000
    return alt


def test_setup_is_silent(shown):
    assert shown["setup"] == []


@pytest.mark.parametrize(
    ("cell", "alts"),
    [
        ("value", ["Training loss falls from 3 to 2 over epochs 1 to 2."]),
        ("named-value", ["Training loss falls"]),
        ("midway", ["Training loss falls"]),
        ("displayed", ["Training loss falls"]),
        ("two", ["Training loss falls", "A: validation loss falls from 4 to 3.5"]),
        ("described", ["Empty axes."]),
        ("plain", ["Figure: loss against epoch"]),
        ("wordless", ["Figure: without words"]),
    ],
)
def test_figure_is_shown_once_with_its_words(shown, cell, alts):
    found = [words(o) for o in pictures(shown[cell])]
    assert len(found) == len(alts), found
    assert all(alt.startswith(start) for alt, start in zip(found, alts, strict=True)), found
    others = [o for o in shown[cell] if o not in pictures(shown[cell])]
    printed = [o.get("text", "a repr") for o in others]  # a stream may come in pieces
    assert "".join(printed) in ("", "and on\n"), "a repr came with the figure"


def test_empty_figure_is_named(shown):
    (output,) = shown["empty"]
    assert output.data == {"text/plain": "Figure(640x480)"}


@pytest.mark.parametrize("cell", ["value", "displayed", "live", "throttled", "interrupted"])
def test_curves_that_stay_have_their_numbers(shown, cell):
    assert '<th scope="col">training loss</th>' in shown[cell][0].data["text/html"]


@pytest.mark.parametrize("cell", ["live", "throttled"])
def test_live_curves_leave_one_figure(shown, cell):
    (output,) = shown[cell]
    alt = words(output)
    assert alt.startswith("5 epochs in ")
    assert "over epochs 1 to 5" in alt


def test_interrupted_fit_leaves_the_finished_epochs(shown):
    live, error = shown["interrupted"]
    alt = words(live)
    assert alt.startswith("stopped after 2 of 5 epochs. Training loss falls")
    assert "over epochs 1 to 2" in alt
    assert error.ename == "KeyboardInterrupt"


def test_fit_that_fails_at_once_says_so(shown):
    live, error = shown["failed"]
    assert live.data == {"text/plain": "No epoch was finished."}
    assert error.ename == "ZeroDivisionError"


def test_live_curves_unhook_themselves(shown):
    assert shown["hooks"][0].text == "True\n"
