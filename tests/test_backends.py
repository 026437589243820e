"""A function is run by another process, on another backend, as if it were here."""

import os
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import notebook_files
from lesson.backends import run_on

HERE = keras.config.backend()


def in_a_notebook(source, name):
    """A function that no file holds, as a notebook's are."""
    kernel = {"__name__": "__main__", "keras": keras, "np": np}
    exec(source, kernel)
    return kernel[name]


TRAIN = """
def build():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

def train(weights, x, y, scale=1):
    model = build()
    model.set_weights(weights)
    model.compile("sgd", "mse")
    model.fit(x, scale * y, verbose=0)
    return keras.config.backend(), model.get_weights()
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_notebook_function_runs_on_that_backend(backend):
    pytest.importorskip(backend)
    train = in_a_notebook(TRAIN, "train")
    rng = np.random.default_rng(0)
    start, x, y = [np.ones((2, 1)), np.zeros(1)], rng.normal(size=(8, 2)), np.ones(8)
    told, weights = run_on(backend, train, start, x, y, 2)
    assert told == backend
    for there, here in zip(weights, train(start, x, y, 2)[1], strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-4)
    assert HERE == keras.config.backend() == os.environ.get("KERAS_BACKEND", HERE)


def test_it_is_another_process():
    assert run_on(HERE, os.getpid) != os.getpid()


def test_function_of_a_file_is_found_there():
    cell = SimpleNamespace(metadata={"tags": ["solution"]})
    assert run_on(HERE, notebook_files.tags, cell) == {"solution"}


def test_colon_in_the_name_of_a_folder_does_not_part_it(monkeypatch, tmp_path):
    folder = tmp_path / f"deep learning{'' if os.name == 'nt' else ':'} 2026"
    folder.mkdir()
    (folder / "a_file_there.py").write_text("def three():\n    return 3\n")
    monkeypatch.syspath_prepend(folder)
    import a_file_there

    assert run_on(HERE, a_file_there.three) == 3


def test_closure_and_lambda_can_be_sent():
    factor = 3
    assert run_on(HERE, lambda values: [factor * v for v in values], [1, 2]) == [3, 6]


def test_what_it_prints_is_shown_and_its_warnings_are_not(capfd):
    def talk():
        print("half-way, ½")
        print("I am a notice", file=sys.stderr)

    assert run_on(HERE, talk) is None
    assert capfd.readouterr() == ("half-way, ½\n", "")


def test_error_says_what_and_where():
    def divide(a, b):
        return a / b

    with pytest.raises(RuntimeError, match="^ZeroDivisionError: division by zero\n") as caught:
        run_on(HERE, divide, 1, 0)
    assert "in divide" in str(caught.value)


def test_backend_that_is_not_there_is_named():
    def ask():
        import keras

        return keras.config.backend()

    with pytest.raises(RuntimeError, match="no_such_backend"):
        run_on("no_such_backend", ask)


def test_process_that_dies_is_told():
    def die():
        sys.stderr.write("out of memory")
        sys.stderr.flush()
        os._exit(3)

    with pytest.raises(RuntimeError, match=r"code 3(?s:.)+out of memory"):
        run_on(HERE, die)


def test_argument_that_cannot_be_sent_is_named():
    with pytest.raises(TypeError, match="^argument 2, of type generator, cannot be sent"):
        run_on(HERE, max, 1, (number for number in range(3)))


def test_part_of_an_argument_is_named():
    given = {"rows": [1, 2], "left": (3, sys._getframe())}
    with pytest.raises(TypeError, match=r"^argument 1\['left'\]\[1\], of type frame"):
        run_on(HERE, len, given)


def test_result_that_cannot_be_sent_is_named():
    def make():
        return {"losses": [3.0, 2.0], "more": (n for n in range(3))}

    expected = r"TypeError: what the function returned\['more'\], of type generator, cannot be sent"
    with pytest.raises(RuntimeError, match=f"^{expected}"):
        run_on(HERE, make)


def test_object_of_a_notebooks_class_comes_back():
    source = """
class Point:
    def __init__(self, x):
        self.x = x

def make(x):
    return [Point(x)]
"""
    (point,) = run_on(HERE, in_a_notebook(source, "make"), 3)
    assert point.x == 3


def test_what_two_arguments_share_is_one_thing_there():
    shared = [1]
    assert run_on(HERE, lambda a, b: a is b, shared, shared)


def test_function_that_never_ends_is_ended():
    def forever():
        while True:
            pass

    with pytest.raises(TimeoutError, match="not done after 1.5 seconds"):
        run_on(HERE, forever, limit=1.5)
