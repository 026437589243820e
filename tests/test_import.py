"""What `import lesson` costs and says, and what its names say of themselves."""

import ast
import inspect
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

import lesson
from lesson import _quiet, _torch_steps

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
SOURCES = sorted((NOTEBOOKS / "lesson").rglob("*.py"))
BACKENDS = {"tensorflow", "jax", "torch"}


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=NOTEBOOKS,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_import_and_first_fit_say_nothing():
    """The backend starts its devices and its compiler only now, and has more to say."""
    code = """
import lesson, keras, numpy as np
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", jit_compile=True)
model.fit(np.ones((2, 1)), np.ones(2), verbose=0)
"""
    done = run(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_first_fit_with_another_backend_says_nothing():
    """Keras imports TensorFlow, too, for the seed."""
    code = """
import lesson, keras, numpy as np
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((2, 1)), np.ones(2), verbose=0)
"""
    assert run(code, KERAS_BACKEND="jax").stderr == ""


def test_several_steps_per_execution_are_no_fault_on_pytorch():
    """Keras refuses them there, when such a model is fitted."""

    class Model(keras.Model):
        compile = _torch_steps.without_steps_per_execution(keras.Model.compile)

    inputs = keras.Input((1,))
    model = Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", loss="mse", steps_per_execution=2)
    assert model.steps_per_execution == 1
    assert model.loss == "mse"


# --- The start-up log -----------------------------------------------------------------

NOISY = """
import os, sys
sys.dont_write_bytecode = True
class Keras:  # stands in for Keras: what its import writes is ours to choose
    def find_spec(self, name, path=None, target=None):
        if name == "keras":
            for line in os.environ["LINES"].split("|"):
                os.write(2, line.encode() + b"\\n")
            if "FAIL" in os.environ:
                raise ImportError("no backend")
sys.meta_path.insert(0, Keras())
sys.modules["lesson"] = type(sys)("lesson")
sys.modules["lesson"].__path__ = ["lesson"]
import lesson._quiet
os.write(2, b"after\\n")
"""
NOTICES = [
    "2026-01-31 12:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations",
    "I0000 00:00:1795151730.540769   13250 port.cc:153] oneDNN custom operations are on.",
    "I0131 12:00:00.123456   13250 cuda_executor.cc:1015] found",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
]
REAL = [
    "2026-01-31 12:00:00.123456: E tensorflow/core/lib.cc:1] Unable to register",
    "2026-01-31 12:00:00.123456: F tensorflow/core/platform/cpu.cc:1] compiled to use AVX",
    "E0000 00:00:1795151730.540769   13250 cuda_dnn.cc:1] Unable to register cuDNN factory",
    "W0000 00:00:1795151730.540769   13250 cpu.cc:1] running low",
    "ImportError: libcudart.so: cannot open shared object file",
    "In all: it does not begin like a notice, though I0000 00:00 is in it",
]


def test_notices_are_held_back_and_the_rest_comes_through():
    lines = [line for pair in zip(NOTICES, REAL, strict=False) for line in pair] + REAL[5:]
    done = run(NOISY, LINES="|".join(lines))
    assert done.stderr.splitlines() == [*REAL, "after"]


def test_import_that_fails_tells_why():
    done = run(NOISY, LINES=f"{NOTICES[0]}|{REAL[4]}", FAIL="1")
    assert done.returncode == 1
    assert done.stderr.startswith(REAL[4])
    assert "ImportError: no backend" in done.stderr


def test_import_without_standard_error():
    code = "import os; os.close(2); import sys; sys.stderr = None; import lesson; print('done')"
    assert run(code).stdout == "done\n"


@pytest.mark.parametrize("line", NOTICES)
def test_notice_is_known(line):
    assert _quiet.NOTICE.match(line.encode())


@pytest.mark.parametrize("line", REAL)
def test_other_line_is_no_notice(line):
    assert not _quiet.NOTICE.match(line.encode())


# --- Backends and time ------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_source_names_no_backend(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add((node.module or "").split(".")[0])
    assert not named & BACKENDS


def test_no_backend_beyond_the_one_of_keras():
    """With the backends barred once Keras has its own, `lesson` works as ever."""
    code = f"""
import sys, keras
for name in {sorted(BACKENDS)}:
    sys.modules[name] = None  # importing it now raises
import lesson
lesson.plot_history({{"loss": [2.0, 1.0]}})
lesson.check("03-steps")
"""
    done = run(code, MPLBACKEND="agg")
    assert done.returncode == 0, done.stderr


def seconds(code):
    start = time.perf_counter()
    assert run(code).returncode == 0
    return time.perf_counter() - start


def test_import_costs_little_more_than_what_it_imports():
    # On other backends Keras itself imports TensorFlow, to seed it.
    imported = "import keras, tensorflow, pandas, matplotlib.pyplot, seaborn, IPython"
    both = [(seconds("import lesson"), seconds(imported)) for _ in range(2)]
    ours, theirs = map(min, zip(*both, strict=True))
    assert ours <= 1.25 * theirs + 0.3, f"import lesson takes {ours:.2f} s, the rest {theirs:.2f} s"


# --- Docstrings ----------------------------------------------------------------------------


def public():
    return [(name, getattr(lesson, name)) for name in lesson.__all__]


def test_all_names_are_there_and_sorted():
    assert lesson.__all__ == sorted(lesson.__all__)
    assert all(hasattr(lesson, name) for name in lesson.__all__)


@pytest.mark.parametrize(("name", "thing"), public())
def test_public_name_is_documented(name, thing):
    if not callable(thing):
        return  # a constant: its name and value say it
    text = inspect.getdoc(thing)
    assert text
    assert text.splitlines()[0].endswith(".")
    if isinstance(thing, type) and issubclass(thing, Exception):
        return
    arguments = inspect.signature(thing).parameters
    if arguments:
        assert "\nArgs:\n" in text
        section = text.split("Args:\n")[1]
        missing = [a for a in arguments if f"    {a}:" not in section and f"*{a}:" not in section]
        assert not missing, f"{name} says nothing of {missing}"
    if inspect.isfunction(thing):
        assert ("\nReturns:\n" in text) == returns_something(thing)


def returns_something(function):
    tree = ast.parse(inspect.getsource(function))
    return any(isinstance(node, ast.Return) and node.value for node in ast.walk(tree))
