"""Whatever is given to a loader, a plot or a check: what the docstring says, or a result.

Hypothesis makes the objects, the same ones each time. To try others, and more:

    FUZZ=2000 .venv/bin/python -m pytest -n0 tests/test_fuzz.py
"""

import contextlib
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import lesson
from lesson.checks.engine import EXERCISES, answer
from lesson.histories import history_frame
from test_checks import HERE, judge

TRIES = int(os.environ.get("FUZZ", 40))
fuzz = settings(
    max_examples=TRIES,
    deadline=None,
    derandomize="FUZZ" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=8),
    st.binary(max_size=8), st.dates(), st.just(pd.NA), st.just(np.float16(3)), st.just(object()),
    st.just(int), st.just(len),
)  # fmt: skip
some_arrays = arrays.arrays(
    st.one_of(arrays.scalar_dtypes(), st.just(np.dtype(object))),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
words = st.sampled_from(["loss", "val_loss", "accuracy", "val_accuracy", "epoch", "", "x"])
anything = st.recursive(
    scalars | some_arrays,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(words | st.integers(), inner, max_size=4),
    ),
    max_leaves=8,
)
# Nearly right: what only a careful look tells from a history.
columns = st.lists(st.floats() | st.integers() | scalars, max_size=5)
histories = st.dictionaries(words, columns | some_arrays, min_size=1, max_size=4)
frames = histories.map(lambda columns: _frame(columns)).filter(lambda frame: frame is not None)


def _frame(columns):
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return pd.DataFrame(columns)


@contextlib.contextmanager
def only(*errors):
    """Of errors, these alone, and with a sentence. Figures are closed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about overflow
        try:
            yield
        except errors as error:
            if not str(error).strip():
                raise AssertionError("an error without a word") from error
        finally:
            plt.close("all")


@fuzz
@given(anything | histories | frames, words | anything)
@example({"loss": [10**400]}, None)
@example({"loss": [1e308, -1e308]}, None)
def test_history(history, metrics):
    with only(ValueError):
        frame = history_frame(history)
        assert len(frame)
        assert all(kind.kind == "f" for kind in frame.dtypes)
    with only(ValueError):
        lesson.plot_history(history, metrics).canvas.draw()


@fuzz
@given(anything | st.dictionaries(words, histories | frames, max_size=3), words | anything)
def test_histories(several, metric):
    with only(ValueError):
        lesson.plot_histories(several, metric).canvas.draw()


@fuzz
@given(some_arrays | anything, anything, anything, st.integers(-2, 30) | anything)
def test_images(images, labels, classes, count):
    with only(ValueError):
        lesson.show_images(images, labels, classes, count).canvas.draw()


@fuzz
@given(some_arrays | anything, st.lists(st.text(max_size=3), max_size=4) | anything)
def test_confusion(matrix, classes):
    with only(ValueError):
        lesson.plot_confusion(matrix, classes).canvas.draw()


@fuzz
@given(anything, anything)
def test_description(figure, text):
    with only(ValueError):
        lesson.describe(figure, text)


@fuzz
@given(anything)
def test_number_of_words(count):
    # A right number loads 50,000 reviews, which test_datasets.py does.
    assume(not (isinstance(count, int | np.integer) and 3 <= count <= 10_000))
    with only(TypeError, ValueError):
        lesson.load_imdb(count)
        raise AssertionError(f"{count!r} was taken for a number of words")


@fuzz
@given(st.lists(st.integers(-3, 12_000) | scalars, max_size=5) | some_arrays | anything)
def test_review(ids):
    with only(TypeError, ValueError):
        assert isinstance(lesson.decode_review(ids), str)


@fuzz
@given(st.text(max_size=12) | anything, histories | anything)
def test_saving_and_loading(tmp_path_factory, name, thing):
    folder = tmp_path_factory.mktemp("fit_outputs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIT_OUTPUTS", str(folder / "here"))
        for save in lesson.save_history, lesson.save_table, lesson.save_model:
            with only(ValueError, OSError):
                save(thing, name)
        for load in lesson.load_history, lesson.load_table, lesson.load_model:
            with only(ValueError, FileNotFoundError):
                load(name)
    assert [path.name for path in folder.iterdir()] in ([], ["here"]), "outside of the folder"


@pytest.mark.parametrize("exercise", HERE)
def test_check(exercise):
    """Fewer for each: there are many exercises."""
    needs = EXERCISES[exercise].needs

    @settings(fuzz, max_examples=max(3, TRIES // 20))
    @given(st.fixed_dictionaries(dict.fromkeys(needs, anything | histories)))
    def explained(objects):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            judge(answer(exercise, objects))

    explained()
