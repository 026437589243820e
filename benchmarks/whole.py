"""Cases that take minutes and a network: commands, each in a new clone with an empty home."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cases import ROOT, Case, megabytes

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
ONE_STEP = r"perl -pi -e 's/steps_per_execution=[\w.]+/steps_per_execution=1/g' notebooks/*.ipynb"
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
            "one step a call, one after another": f"{ONE_STEP} && {ONE_BY_ONE}",
            "ours, one after another": ONE_BY_ONE,
            "ours, side by side": SIDE_BY_SIDE,
        },
        rounds=1,
    ),
}


def run(command):
    """A command in a new clone; cloning is timed too. Memory: of its largest process."""
    with tempfile.TemporaryDirectory() as folder:
        clone, home, log = (Path(folder, name) for name in ("clone", "home", "log"))
        home.mkdir()
        start = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        with open(log, "w") as file:
            process = subprocess.Popen(
                command, shell=True, cwd=clone, env=os.environ | {"HOME": str(home)},
                stdout=file, stderr=file,
            )  # fmt: skip
            # What `resource` says of all children would be the peak of the ways before, too.
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        if status:
            sys.exit(f"{command}\n{log.read_text(errors='replace')[-3000:]}")
    return {"seconds": seconds, "megabytes": megabytes(usage), "result": None}
