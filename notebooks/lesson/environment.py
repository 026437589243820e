"""What notebook 00 asks of a machine: versions, settings, memory, data, speed."""

import csv
import importlib.metadata
import re
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from packaging.requirements import Requirement

from lesson import _settings, datasets, machine
from lesson.outputs import outputs_folder

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.txt"
TIMINGS = ROOT / "tools" / "timings.csv"
OLDEST, NEWEST = (3, 11), (3, 13)
BACKENDS = ("tensorflow", "jax", "torch")  # Keras has others, for predictions alone
GIB = 2**30


def check_python():
    """Print whether this Python is one that the series is tested on."""
    version = ".".join(map(str, sys.version_info[:3]))
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        _tick(f"Python {version}")
    else:
        _cross(
            f"Python {version}: the series is tested on 3.11 to 3.13",
            "Install one of those, delete the folder .venv, and run `make lab` again.",
        )


def check_packages():
    """Print whether the installed packages are those of requirements.txt."""
    locked = [Requirement(line) for line in _lock_lines()]
    wanted = [r for r in locked if r.marker is None or r.marker.evaluate()]
    differing = [
        f"{r.name} is {_installed(r.name)}, not {str(r.specifier).lstrip('=')}"
        for r in wanted
        if str(r.specifier) != f"=={_installed(r.name)}"
    ]
    if differing:
        _cross(
            f"{len(differing)} of {len(wanted)} packages differ from requirements.txt: "
            + "; ".join(differing[:5]) + (" …" if len(differing) > 5 else ""),
            "To get the tested versions: python -m pip install -r requirements.txt",
        )  # fmt: skip
    else:
        _tick(f"{len(wanted)} packages, each at the version in requirements.txt")


def check_keras():
    """Print Keras's version and backend, and settings with which it gives other results."""
    backend = keras.backend.backend()
    path, settings = _settings.read()
    if backend in BACKENDS:
        _tick(f"Keras {keras.__version__} on {backend}")
    else:
        _cross(
            f"Keras {keras.__version__} on {backend}, which cannot train",
            f"Name {' or '.join(BACKENDS)} in KERAS_BACKEND or as backend in {path}.",
        )
    for name, usual in _settings.USUAL.items():
        value = settings.get(name, usual)
        if name != "backend" and value != usual:
            _cross(
                f"Keras's {name} is {value!r}, by the file {path}; the series needs {usual!r}",
                "Change it there, or delete the file. Then restart the kernel.",
            )


def check_machine():
    """Print the processor cores and the memory that this process may use."""
    cores = machine.cores()
    _tick(f"{cores} processor core{'s' if cores > 1 else ''}")
    available, total = machine.memory_available(), machine.memory_total()
    text = f"{available / GIB:.1f} of {total / GIB:.1f} GiB of memory free"
    if available >= 4 * GIB:
        _tick(text)
    else:
        _cross(
            text,
            "A notebook takes up to 3 GiB; 11, with its worker processes, takes 5. Close other "
            "programs and kernels; in a container, raise its limit.",
        )


def check_outputs():
    """Print whether the notebooks can save what their fits learn."""
    folder = outputs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        _cross(
            f"nothing can be saved in {folder}: {error.strerror}",
            "Make it a folder that you may write to, or name another in the environment variable "
            "FIT_OUTPUTS before you start Jupyter.",
        )
    else:
        _tick("what a fit learns can be saved in fit_outputs/")


def check_data():
    """Print whether every data file is whole, by its checksum."""
    faults = datasets.find_faults()
    for fault in faults:
        print(f"✗ {fault}")
    if not faults:
        _tick(f"{len(datasets.checksums())} data files, each with the right checksum")


def time_small_fit():
    """Fit a small convolutional network and return the seconds it took.

    Random images of CIFAR-10's size: what is timed is arithmetic, not data.
    The first fit, which prepares the program, is not counted.
    """
    rng = np.random.default_rng(0)
    images = rng.random((4096, 32, 32, 3), "float32")
    labels = rng.integers(0, 10, 4096)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    model.fit(images, labels, verbose=0)
    start = time.perf_counter()
    model.fit(images, labels, epochs=3, verbose=0)
    return time.perf_counter() - start


def forecast():
    """Time a small fit here; print how long each notebook will take.

    Compares with the times in tools/timings.csv, which were measured
    together with the same small fit on a machine with two cores.
    """
    with open(TIMINGS, newline="", encoding="utf-8") as file:
        seconds = {row["name"]: float(row["seconds"]) for row in csv.DictReader(file)}
    here, there = time_small_fit(), seconds.pop("small fit")
    ratio = here / there
    print(f"A small fit took {here:.1f} s; where the times were measured, {there:.1f} s.")
    print("So the notebooks will take about:")
    for name, reference in seconds.items():
        print(f"  {name:<34}{reference * ratio:6.0f} s")
    print(f"  {'all':<34}{sum(seconds.values()) * ratio / 60:6.1f} min")


def _lock_lines():
    """Return the lock's requirements, one a line, without comments and hashes."""
    text = LOCK.read_text(encoding="utf-8").replace("\\\n", "")
    lines = (re.split("#|--hash=", line)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _tick(text):
    print(f"✓ {text}")


def _cross(text, mend):
    print(f"✗ {text}\n  → {mend}")
