"""How the tests are run: where notebooks save, what is compared, what runs beside what.

nbval compares every output of a cell with the stored one, pictures apart
(their alternative text is compared), unless the cell's tag is
`nbval-ignore-output`, or `tensorflow-output` and Keras runs on another backend.
"""

import os
import runpy
import shutil
from pathlib import Path

import pytest

from notebook_files import NOTEBOOKS, read
from side_by_side import ByNeed, order

ROOT = Path(__file__).parent
OUTPUTS = ROOT / "build" / "fit_outputs"
QUICK_OUTPUTS = ROOT / "build" / "quick" / "fit_outputs"  # empty: so the reference is loaded
ONE_PROCESS = 3 * 2**30  # bytes: a process of tests and the kernel of its notebook
TOO_LITTLE = 8 * 2**30  # for two of them
# The last of them asks for what all notebooks save.
OF_NOTEBOOK_12 = {"12-custom-training.ipynb", "test_claims_12.py", "test_claims_reference.py"}


def pytest_addoption(parser):
    parser.addoption(
        "--quick",
        action="store_true",
        help="run no notebook; judge the claims on fit_outputs/reference",
    )
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write down anew, in tests/transcripts/, what the checks say",
    )


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(ROOT / "tests" / "nbval.cfg")
    # Kernels inherit all this. A test never overwrites what a learner has saved.
    os.environ["FIT_OUTPUTS"] = str(QUICK_OUTPUTS if config.option.quick else OUTPUTS)
    if config.option.quick:
        os.environ["CLAIMS_ON_REFERENCE"] = "1"
        if not hasattr(config, "workerinput"):
            shutil.rmtree(QUICK_OUTPUTS, ignore_errors=True)
    path = [str(ROOT / "tests" / "no_network"), os.environ.get("PYTHONPATH")]
    if path[0] not in (path[1] or ""):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    if (config.option.numprocesses or 0) > 1:
        # Processes side by side need one thread each: more would wait for one another.
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ.setdefault(name, "1")


def pytest_xdist_auto_num_workers(config):
    """One process more than there are cores, if memory allows.

    Each waits now and then, for a kernel to start, for a disk, for a browser. With two on
    two cores these were idle for a fifth of the time, with three for a twentieth.
    """
    # By its path: to import lesson would import Keras, in a process that has no use for it.
    machine = runpy.run_path(str(ROOT / "notebooks" / "lesson" / "machine.py"))
    memory = machine["memory_available"]()
    if memory < TOO_LITTLE:
        return 1
    return max(1, min(machine["cores"]() + 1, memory // ONE_PROCESS))


def pytest_xdist_make_scheduler(config, log):
    return ByNeed(config, log)


def pytest_collection_modifyitems(config, items):
    if config.option.quick:
        items[:] = [
            item
            for item in items
            if item.path.suffix != ".ipynb" and not item.get_closest_marker("fitted")
        ]
    items[:] = [item for item in items if item.path.suffix != ".ipynb" or _is_ours(item)]
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        for item in items:
            _allow_for_backend(item)
    items.sort(key=lambda item: order(item.nodeid))


def _is_ours(item):
    """Whether a cell belongs to the lesson; a learner's answer in it is put back."""
    if item.path not in NOTEBOOKS:
        return False
    ours = {cell.id: cell for cell in read(item.path).cells}
    item.cell = ours.get(item.cell.id)
    return item.cell is not None


def _allow_for_backend(item):
    """Notebook 12 needs TensorFlow; some cells print what the backend draws or says."""
    if item.path.name in OF_NOTEBOOK_12:
        item.add_marker(pytest.mark.skip(reason="12 is written for Keras on TensorFlow"))
    elif "tensorflow-output" in getattr(item, "cell", {}).get("metadata", {}).get("tags", []):
        item.options["check"] = False


# Claims must judge this run's fits and not an earlier one's. Once, before any test: in the
# one process there is, or in the one that deals out the tests to the others.
def pytest_collection_finish(session):
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        _forget_earlier_fits(item.nodeid for item in session.items)


def pytest_xdist_node_collection_finished(node, ids):
    if node.gateway.id == "gw0":
        _forget_earlier_fits(ids)


def _forget_earlier_fits(ids):
    if any(".ipynb::" in name for name in ids):
        shutil.rmtree(OUTPUTS, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failure names the notebook's cell, or quotes the sentence that it refutes."""
    report = yield
    if report.failed:
        cell = getattr(item, "cell", None)
        if cell is not None:
            report.sections.append(("cell", f"{item.path.name}, cell {cell.id!r}"))
        for mark in item.iter_markers("claim"):
            report.sections.append(("the notebook says", mark.args[0]))
    return report
