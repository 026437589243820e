"""Cases that take minutes and a network: commands, each in a new clone with an empty home."""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cases import ROOT, Case

PIP = "python3 -m venv .venv && .venv/bin/python -m pip install --quiet -r requirements.txt"
UV = "make --silent set-up"
CONDA = "conda env create --quiet --file environment.yml --prefix ./conda"
FIRST_CURVE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read("01-keras-building-blocks.ipynb", 4)
shown = next(i for i, c in enumerate(notebook.cells) if any("data" in o and "image/png" in o.data
             for o in c.get("outputs", [])))
del notebook.cells[shown + 1:]
NotebookClient(notebook).execute()
"""
CURVE = f"cd notebooks && ../.venv/bin/python -c '{FIRST_CURVE}'"
ONE_BY_ONE = f"{sys.executable} tools/run_notebooks.py"
SIDE_BY_SIDE = f"{sys.executable} -m pytest -q notebooks"

CASES = {
    "set-up": Case(
        "set-up on an empty machine",
        "A new clone, an empty home, so that nothing is cached",
        {"venv and pip": PIP, "ours: make set-up": UV}
        | ({"conda": CONDA} if shutil.which("conda") else {}),
        rounds=3,
    ),
    "first-curve": Case(
        "the first drawn figure after `git clone`",
        "Clone, set up, and run notebook 01 to its first figure",
        {"venv and pip": f"{PIP} && {CURVE}", "ours": f"{UV} && {CURVE}"},
        rounds=3,
    ),
    "series": Case(
        "the whole series",
        "All notebooks. One step a call: with each `steps_per_execution` taken out",
        {
            "one step a call, one after another": f"textbook && {ONE_BY_ONE}",
            "ours, one after another": ONE_BY_ONE,
            "ours, side by side": SIDE_BY_SIDE,
        },
        rounds=1,
    ),
}


def measure(case):
    """For each way a list of runs, the ways taking turns."""
    runs = {name: [] for name in case.ways}
    for _ in range(case.rounds):
        for name, command in case.ways.items():
            runs[name].append(_run(command))
            print(f"  {name}: {runs[name][-1]['seconds']:.0f} s", flush=True)
    return runs


def _run(command):
    """A command in a new clone; cloning is timed too. Memory: of the largest process."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder, "clone"), Path(folder, "home")
        home.mkdir()
        start = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        if command.startswith("textbook && "):
            command = command.removeprefix("textbook && ")
            _one_step_a_call(clone)
        done = subprocess.run(
            command, shell=True, cwd=clone, env=os.environ | {"HOME": str(home)},
            capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "seconds": seconds,
        "megabytes": peak / (1e6 if sys.platform == "darwin" else 1e3),
        "result": None,
    }


def _one_step_a_call(clone):
    for path in (clone / "notebooks").glob("*.ipynb"):
        text = path.read_text("utf-8")
        path.write_text(
            re.sub(r"steps_per_execution=[\w.]+", "steps_per_execution=1", text), "utf-8"
        )
