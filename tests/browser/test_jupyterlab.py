"""Notebook 03 in a real JupyterLab, started as a learner starts it; and as a student has it.

One run of all cells serves several tests, in their order here. Nothing is saved to the
notebook.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import editions
from notebook_files import ROOT, code, read, tags

pytestmark = pytest.mark.fitted  # all cells of 03

NOTEBOOK = ROOT / "notebooks" / "03-compile-and-fit.ipynb"
SETTINGS = {  # draw every cell, save nothing by itself, ask nothing at the start
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
MINUTE = 60_000  # milliseconds
RIGHT = (
    "%%exercise 03-compile\n"
    "model_intro.compile(optimizer='adam', loss='categorical_crossentropy',\n"
    "metrics=[keras.metrics.CategoricalAccuracy()], steps_per_execution=125)"
)
WRONG = RIGHT.replace("'categorical_", "'sparse_categorical_")
RUNS = """() => [...document.querySelectorAll('.jp-InputArea-prompt')].some(
  prompt => prompt.innerText.includes('*'))"""
# The numbers before the cells, folded ones apart: so many, and none still to come.
ALL_HAVE_RUN = """cells => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')];
  const numbers = prompts.map(p => parseInt(p.innerText.slice(1)));
  return numbers.length >= cells && numbers.every(n => n > 0);
}"""


@pytest.fixture(scope="module")
def student():
    """The student edition, within reach of the server."""
    folder = ROOT / "build" / "browser" / "student"
    editions.make("student", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of JupyterLab as `make lab` starts it, with nobody's settings."""
    set_up = Path(sys.prefix) / ".installed-from-lock"
    if not shutil.which("make") or not set_up.exists():
        pytest.skip("this Python was not set up by `make`, which starts JupyterLab here")
    home = tmp_path_factory.mktemp("home")
    for name, settings in SETTINGS.items():
        file = home / ".jupyter/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    arguments = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token="
    environment = os.environ | {"HOME": str(home), "FIT_OUTPUTS": str(home / "fit_outputs")}
    # What is looked at here is how outputs are shown; that the numbers are right, nbval tests.
    # So a tenth of each epoch is enough, and Keras need not warn of it.
    environment["KERAS_MAX_STEPS_PER_EPOCH"] = "125"
    environment["PYTHONWARNINGS"] = "ignore:Limiting steps,ignore:Your input ran out of data"
    for name in ("MAKEFLAGS", "MFLAGS", "JUPYTER_CONFIG_DIR"):
        environment.pop(name, None)
    server = subprocess.Popen(
        ["make", "lab", f"VENV={sys.prefix}", f"LAB_ARGS={arguments}"],
        cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/api", server)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def wait_for(address, server):
    for _ in range(240):
        assert server.poll() is None, "`make lab` ended by itself"
        try:
            urllib.request.urlopen(address, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail("JupyterLab does not answer")


class Notebook:
    """An open notebook, and what a learner does with it."""

    def __init__(self, page, address):
        self.page = page
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=2 * MINUTE)
        # Asked before its kernel is there, JupyterLab would want to know which one.
        page.locator(".jp-StatusBar-TextItem", has_text="| Idle").wait_for(timeout=2 * MINUTE)

    def choose(self, menu, *entries):
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(rf"^{menu}\s*$")).click()
        for entry in entries:
            self.page.locator(".lm-Menu-item", has_text=re.compile(rf"^{entry}\s*$")).click()

    def cell(self, text):
        return self.page.locator(".jp-CodeCell", has_text=text)

    def answer(self, name, text):
        """Type an answer into an exercise's cell, run it, and read what it says."""
        cell = self.cell(f"%%exercise {name}")
        before = cell.locator(".jp-OutputArea").inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            "([cell, before]) => { const told = cell.querySelector('.jp-OutputArea').innerText;"
            " return told !== before && /All right|right so far/.test(told); }",
            arg=[cell.element_handle(), before],
            timeout=2 * MINUTE,
        )
        return cell.locator(".jp-OutputArea").inner_text()


@pytest.fixture(scope="module")
def notebook(visitor, lab):
    """03, after Run All from the menu."""
    stored = NOTEBOOK.read_bytes()
    notebook = Notebook(visitor.page, f"{lab}/lab/tree/notebooks/{NOTEBOOK.name}")
    notebook.choose("Run", "Run All Cells")
    visitor.page.wait_for_function(RUNS, timeout=MINUTE)
    cells = sum("solution" not in tags(cell) for cell in code(read(NOTEBOOK)))
    visitor.page.wait_for_function(ALL_HAVE_RUN, arg=cells, timeout=30 * MINUTE)
    yield notebook
    assert NOTEBOOK.read_bytes() == stored


def test_run_all_raises_no_error_but_that_on_purpose(notebook):
    on_purpose = ["raises-exception" in tags(cell) for cell in code(read(NOTEBOOK))]
    errors = notebook.page.locator("[data-mime-type$=stderr], [data-mime-type$=error]")
    assert errors.count() == sum(on_purpose)


def test_pictures_are_there_with_their_descriptions(notebook):
    pictures = notebook.page.locator(".jp-OutputArea-output img")
    stored = [
        output
        for cell in code(read(NOTEBOOK))
        for output in cell.outputs
        if "image/png" in output.get("data", {}) and "solution" not in tags(cell)  # folded
    ]
    assert pictures.count() >= len(stored)
    alts = [pictures.nth(i).get_attribute("alt") or "" for i in range(pictures.count())]
    assert [alt for alt in alts if len(alt) < 40] == []
    assert any("Training loss falls from" in alt for alt in alts)


def test_a_solution_is_folded_and_opens(notebook):
    cells = code(read(NOTEBOOK))
    folded = notebook.page.locator(".jp-InputPlaceholder")
    solution = notebook.page.locator(".cm-content", has_text="%%solution 03-compile")
    assert folded.count() == sum("solution" in tags(cell) for cell in cells)
    assert solution.count() == 0
    folded.first.click()
    solution.wait_for(timeout=MINUTE)


def test_the_check_answers_what_is_typed_into_the_cell(notebook):
    told = notebook.answer("03-compile", WRONG)
    assert "✗ loss" in told
    assert "2 of 3 right so far." in told
    assert "All right." in notebook.answer("03-compile", RIGHT)


def test_outputs_can_be_read_in_the_dark_theme_too(notebook, visitor):
    where = {"include": [[".jp-OutputArea"]]}
    light = visitor.violations(where, runOnly=["color-contrast", "image-alt"])
    notebook.choose("Settings", "Theme", "JupyterLab Dark")
    notebook.page.wait_for_selector(
        "body[data-jp-theme-light=false]", state="attached", timeout=MINUTE
    )
    dark = visitor.violations(where, runOnly=["color-contrast"])
    assert {"light": light, "dark": dark} == {"light": [], "dark": []}


def test_students_have_no_solution_and_a_check_that_answers(student, visitor, lab):
    """As far as the first exercise: what comes after needs the answers of a learner."""
    path = (student / "notebooks" / NOTEBOOK.name).relative_to(ROOT).as_posix()
    notebook = Notebook(visitor.page, f"{lab}/lab/tree/{path}?reset")
    assert notebook.page.locator(".jp-InputPlaceholder").count() == 0
    assert "%%solution" not in notebook.page.locator(".jp-Notebook").inner_text()
    notebook.cell("%%exercise 03-compile").locator(".cm-content").click()
    notebook.choose("Run", "Run All Above Selected Cell")
    assert "✗ loss" in notebook.answer("03-compile", WRONG)
    assert "All right." in notebook.answer("03-compile", RIGHT)
