"""What `import lesson` costs and says, and what its names say of themselves."""

import ast
import inspect
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jupyter_client
import keras
import psutil
import pytest

import lesson
from lesson import _quiet, _settings, _torch_steps

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
        timeout=300,
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
import importlib.util, os, subprocess, sys, types
sys.dont_write_bytecode = True
class Keras:  # stands in for Keras: what its import writes and does is ours to choose
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == "keras" else None
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        module.config = types.SimpleNamespace(backend=lambda: "tensorflow")
        for line in os.environ["LINES"].split("|"):
            os.write(2, line.encode() + b"\\n")
        if "LEAVE" in os.environ:
            wait = [sys.executable, "-c", "import time; time.sleep(60)"]
            print(subprocess.Popen(wait, stdout=subprocess.DEVNULL).pid)
        if "ABORT" in os.environ:
            os.abort()
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


def test_import_that_fails_tells_why(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)  # else that is named as the reason
    done = run(NOISY, LINES=f"{NOTICES[0]}|{REAL[4]}", FAIL="1")
    assert done.returncode == 1
    assert done.stderr.startswith(REAL[4])
    assert "ImportError: no backend" in done.stderr


def test_import_that_ends_the_process_tells_why():
    """As TensorFlow's does on a processor that lacks what it was compiled for."""
    done = run(NOISY, LINES=f"{NOTICES[0]}|{REAL[1]}", ABORT="1")
    assert done.returncode != 0
    assert done.stderr.startswith(REAL[1])
    assert NOTICES[0] not in done.stderr


def test_import_that_ends_a_kernel_tells_why_in_the_terminal(tmp_path):
    """The terminal where Jupyter was started; the notebook shows nothing more of this kernel."""
    terminal = tmp_path / "terminal"
    environment = {**os.environ, "LINES": f"{NOTICES[0]}|{REAL[1]}", "ABORT": "1"}
    del environment["PYTEST_CURRENT_TEST"]  # with it a kernel leaves its standard error as it is
    with open(terminal, "wb") as file:
        kernel, client = jupyter_client.manager.start_new_kernel(
            cwd=NOTEBOOKS, env=environment, stderr=file
        )
    try:
        client.execute(NOISY)
        end = time.monotonic() + 60
        while REAL[1].encode() not in terminal.read_bytes():
            assert time.monotonic() < end, "nothing came"
            time.sleep(0.05)
        assert NOTICES[0].encode() not in terminal.read_bytes()
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def test_import_does_not_wait_for_a_process_that_it_started():
    """Such a process has what the import has as its standard error, and keeps it open."""
    done = run(NOISY, LINES=REAL[0], LEAVE="1")
    left = psutil.Process(int(done.stdout))
    assert left.status() != psutil.STATUS_ZOMBIE  # it runs still
    left.kill()
    assert done.stderr.splitlines() == [REAL[0], "after"]


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


BARRED = f"""
import json, os, sys, time
start = time.perf_counter()
# On other backends Keras itself imports TensorFlow, to seed it.
import keras, tensorflow, pandas, matplotlib.pyplot, seaborn, IPython
others = time.perf_counter() - start
for name in {sorted(BACKENDS)}:
    sys.modules[name] = None  # importing it now raises
start = time.perf_counter()
import lesson
ours = time.perf_counter() - start
lesson.plot_histories({{"a": {{"loss": [2.0, 1.0]}}}}, metric="loss")
lesson.check("01-steps")

os.close(2)
sys.stderr = None
for name in [name for name in sys.modules if name.startswith("lesson")]:
    del sys.modules[name]
import lesson
print(json.dumps([ours, others]))
"""


@pytest.fixture(scope="module")
def barred():
    """A process that imports `lesson` after all that it needs, and with all backends barred.

    In the end it does so once more, without a standard error.
    """
    return run(BARRED, MPLBACKEND="agg")


def test_no_backend_beyond_the_one_of_keras(barred):
    assert "Not attempted yet" in barred.stdout, barred.stderr


def test_import_without_standard_error(barred):
    assert barred.returncode == 0
    assert barred.stdout.endswith("]\n")


def test_import_costs_little_more_than_what_it_imports(barred):
    """One process after the other: whatever else the machine does slows both."""
    ours, others = json.loads(barred.stdout.splitlines()[-1])
    assert ours <= 0.25 * others, f"import lesson takes {ours:.2f} s, the rest {others:.2f} s"


# --- Settings that stop Keras ------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "setting"),
    [
        ({"backend": "theano"}, ValueError("Unable to import"), "its backend to 'theano'"),
        ({"backend": "torch"}, ModuleNotFoundError("No module"), "its backend to 'torch'"),
        ({"floatx": "half"}, ValueError("Invalid `floatx` conf"), "its floatx to 'half'"),
        ({"floatx": "half", "backend": "jax"}, ValueError("Invalid `floatx`"), "floatx to 'half'"),
    ],
)
def test_setting_that_stops_keras_is_named_with_its_file(
    monkeypatch, tmp_path, settings, error, setting
):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    told = _settings.explain(error)
    assert told.startswith(f"Keras cannot start: the file {tmp_path / 'keras.json'} sets")
    assert f"{setting} ({error})" in told
    assert "delete the file" in told


def test_variable_takes_precedence_over_the_file(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"backend": "theano"}')
    told = _settings.explain(ValueError("Unable to import"))
    assert "the environment variable KERAS_BACKEND sets its backend to 'no_such_backend'" in told
    assert "unset it" in told


@pytest.mark.parametrize("text", [None, "{}", "[]", "{cut", '{"backend": "tensorflow"}'])
def test_fault_that_is_no_setting_is_left_as_it_is(monkeypatch, tmp_path, text):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if text is not None:
        (tmp_path / "keras.json").write_text(text)
    assert _settings.explain(ImportError("no libc")) is None


def test_settings_lie_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # on Windows
    assert _settings.read() == (tmp_path / ".keras" / "keras.json", {})


def test_import_says_which_setting_stops_keras():
    """A stand-in for Keras refuses, in a process in which the variable names a backend."""
    done = run(NOISY, LINES=REAL[4], FAIL="1", KERAS_BACKEND="theano")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: Keras cannot start: the environment variable KERAS_B")
    assert "'theano' (no backend)" in last


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
