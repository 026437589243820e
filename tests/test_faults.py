"""Faults at random: damaged data, kills, a full disk, two writers. Seeded: each time the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lesson import datasets
from lesson.datasets import DataError, find_faults, read_verified
from notebook_files import ROOT

NAMES = [line.split()[1] for line in (ROOT / "data/checksums.sha256").read_text().splitlines()]
NOTEBOOKS = ROOT / "notebooks"


# --- Data -----------------------------------------------------------------------------


def flip(content, rng):
    """One to eight bits turned over."""
    changed = np.frombuffer(content, np.uint8).copy()
    for place in rng.integers(0, len(changed), rng.integers(1, 9)):
        changed[place] ^= 1 << rng.integers(8)
    return changed.tobytes()


def cut(content, rng):
    return content[: rng.integers(1, len(content))]


def double(content, rng):
    return content + content


def empty(content, rng):
    return b""


def swap(content, rng):
    """Another data file in its place."""
    others = [name for name in NAMES if (ROOT / "data" / name).read_bytes() != content]
    return (ROOT / "data" / str(rng.choice(others))).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_corruption_of_a_data_file_is_read(name, tmp_path, monkeypatch):
    """Twenty each. `test_datasets.py` shows that a file reaches no parser but through here."""
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    for other in (*NAMES, "checksums.sha256"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).symlink_to(ROOT / "data" / other)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    rng = np.random.default_rng(NAMES.index(name))
    for fault in [flip] * 9 + [cut] * 6 + [swap] * 3 + [double, empty]:
        (tmp_path / name).write_bytes(fault(content, rng))
        with pytest.raises(DataError, match=f"^data/{name} "):
            read_verified(name)
    assert [str(fault).split()[0] for fault in find_faults()] == [f"data/{name}"]


# --- What is saved ----------------------------------------------------------------------

# On Keras's NumPy backend, which has no threads: it can be forked, and a fork starts at once.
# A fork saves versions 0, 1, 2 … in turn, of each kind, until it is killed.
WRITER = """
import os, resource, signal, sys, time
sys.path.insert(0, "tools")
import lesson, keras, numpy as np, pandas as pd
from pathlib import Path
from lesson.outputs import outputs_folder, save_history, save_model, save_table
import editions
from train_best import Checkpoints

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(50)])
model.compile("adam", "mse")
model.optimizer.build(model.trainable_variables)
folder = outputs_folder()
checkpoints = Checkpoints(folder / "run")
pages = folder / "edition"
pages.mkdir(parents=True, exist_ok=True)

def save(version):
    for weight in model.weights:
        weight.assign(np.full(weight.shape, version))
    rows = [{"loss": float(version)}] * 3
    save_model(model, "model")
    save_history({"loss": [float(version)] * 3}, "history")
    save_table(rows, "table")
    checkpoints.save(model, rows[:1 + version % 3])
    (pages / "page.txt").write_text(str(version) * 10_000)
    editions.pack(pages, folder / "edition.zip")

def forked(work):
    '''Its process id, once it is at work.'''
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        return child
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.write(writing, b".")
    try:
        work()
    finally:
        os._exit(1)

def for_ever(first=0):
    while True:
        save(first % 10)
        first += 1
"""

CHECK = """
import zipfile
def versions():
    '''The version that each file holds: each is read whole, or this raises.'''
    def of(values):
        (version,) = set(np.ravel(values))
        return float(version)
    found = [of(lesson.load_history("history")["loss"]), of(lesson.load_table("table")["loss"])]
    again = lesson.load_model("model")
    found.append(of(np.concatenate([np.ravel(w) for w in again.get_weights()])))
    assert "Going on after epoch" in restored(), "no checkpoint could be used"
    with zipfile.ZipFile(folder / "edition.zip") as archive:
        (name,) = archive.namelist()
        found.append(of([float(c) for c in archive.read(name).decode()]))
    return found

def restored():
    import contextlib, io
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        checkpoints.restore(model)
    assert "cannot be used" not in told.getvalue(), told.getvalue()
    return told.getvalue()
"""


def play(script, folder, timeout=200):
    """What a process with the writer and the checker prints last, as JSON."""
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "FIT_OUTPUTS": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", WRITER + CHECK + script],
        cwd=NOTEBOOKS,
        env=environment | {"PYTHONPATH": str(ROOT / "tools")},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_hundred_kills_leave_whole_files(tmp_path):
    """At any moment while it saves: each file is whole, old or new, and nothing else counts."""
    found = play(
        """
import json
save(0)
start = time.monotonic()
save(0)
once = time.monotonic() - start
rng = np.random.default_rng(0)
seen, halves = [], 0
for kill in range(100):
    child = forked(lambda: for_ever(kill))
    time.sleep(once * rng.uniform(0, 4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    seen.append(versions())
    halves += len(list(folder.rglob(".saving-*")))
print(json.dumps([seen, halves]))
""",
        tmp_path,
    )
    seen, halves = found
    assert len(seen) == 100
    assert halves, "no kill came while a file was being written: they come too early or too late"
    assert len({version for versions in seen for version in versions}) > 5
    assert any(len(set(versions)) > 1 for versions in seen), "no kill came between two files"


def test_two_kernels_write_one_name(tmp_path):
    seen = play(
        """
import json
save(0)
children = [forked(lambda first=first: for_ever(first)) for first in (0, 5)]
seen = []
for look in range(20):
    time.sleep(0.05)
    seen.append([float(lesson.load_table("table")["loss"].nunique()),
                 float(len(set(np.ravel(lesson.load_model("model").get_weights()[0]))))])
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print(json.dumps(seen))
""",
        tmp_path,
    )
    assert seen == [[1.0, 1.0]] * 20


def test_a_full_disk_keeps_what_was_saved(tmp_path):
    """Stood in for by a limit on the size of a file: beyond it the system refuses to write."""
    told, after = play(
        """
import json
save(1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
big = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
rows = [{"loss": 2.0}] * 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
told = []
for write in (lambda: save_model(big, "model"),
              lambda: save_history(pd.DataFrame(rows), "history"),
              lambda: save_table(rows, "table"),
              lambda: checkpoints.save(big, rows)):
    try:
        write()
        told.append("saved")
    except OSError as error:
        told.append(str(error))
left = [path.name for path in folder.rglob(".saving-*")]
assert not left, left
print(json.dumps([told, versions()]))
""",
        tmp_path,
    )
    assert len(told) == 4
    for message in told:
        assert "Any earlier file is intact" in message
        assert "the disk is not full" in message
    assert after == [1.0] * 4


# --- The network ------------------------------------------------------------------------


def test_no_notebook_reaches_the_network():
    """`conftest.py` gives every kernel this guard: a cell that asks for another host fails."""
    ask = "import socket; socket.create_connection((%r, 80), timeout=1)"
    for host in "192.0.2.1", "example.org":
        done = subprocess.run([sys.executable, "-c", ask % host], capture_output=True, text=True)
        assert "the series needs no network" in done.stderr
    local = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    local += "socket.create_connection(s.getsockname())"
    assert subprocess.run([sys.executable, "-c", local]).returncode == 0
    assert Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) == ROOT / "tests" / "no_network"
