"""How the notebooks are tested: where their fits save, and what comes last.

nbval compares every output of a cell with the stored one, pictures apart
(their alternative text is compared), unless the cell's tag is
`nbval-ignore-output`, or `tensorflow-output` and Keras runs on another backend.
"""

import os
import shutil
from pathlib import Path

import pytest

OUTPUTS = Path(__file__).parent / "build" / "fit_outputs"
# The last of them asks for what all notebooks save.
OF_NOTEBOOK_12 = {"12-custom-training.ipynb", "test_claims_12.py", "test_claims_reference.py"}


def pytest_configure(config):
    # Kernels inherit this: a test never overwrites what a learner has saved.
    os.environ["FIT_OUTPUTS"] = str(OUTPUTS)


def pytest_collection_modifyitems(items):
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        for item in items:
            _allow_for_backend(item)
    # The claims judge what the notebooks save, so they come after them.
    items.sort(key=lambda item: item.path.name.startswith("test_claims_"))


def _allow_for_backend(item):
    """Notebook 12 needs TensorFlow; some cells print what the backend draws or says."""
    if item.path.name in OF_NOTEBOOK_12:
        item.add_marker(pytest.mark.skip(reason="12 is written for Keras on TensorFlow"))
    elif "tensorflow-output" in getattr(item, "cell", {}).get("metadata", {}).get("tags", []):
        item.options["check"] = False


def pytest_collection_finish(session):
    # Claims must judge this run's fits and not an earlier one's.
    runs_notebooks = any(item.path.suffix == ".ipynb" for item in session.items)
    if runs_notebooks and not session.config.option.collectonly:
        shutil.rmtree(OUTPUTS, ignore_errors=True)
