"""What the tests of claims share: which sentence a test is for, what was saved.

A sentence after "**Seen here:**" in a notebook is a claim. Each is quoted by
one test in test_claims_NN.py, which judges what notebook NN saved while nbval
ran it; in a quick run, which executes no notebook, the reference. The spread in
each docstring was seen over five seeds, on two cores, with TensorFlow.
"""

import os

import keras
import pandas as pd
import pytest

from lesson.outputs import REFERENCE, outputs_folder

CLAIMS = {}
REASONS = {}
STATED = {}
QUICK = bool(os.environ.get("CLAIMS_ON_REFERENCE"))  # set by pytest --quick

of_this_run = pytest.mark.skipif(QUICK, reason="judges what notebooks leave that just ran")


def claim(sentence):
    """Mark a test, in test_claims_NN.py, as that of a sentence in notebook NN."""

    def register(test):
        number = test.__module__.removeprefix("test_claims_")
        assert (number, sentence) not in CLAIMS, f"quoted twice: {sentence}"
        CLAIMS[number, sentence] = test.__name__
        return pytest.mark.claim(sentence)(test)  # a failure quotes it

    return register


def reason(sentence):
    """Mark a test as that of a *why*: a sentence of notebook NN that gives a reason.

    The paragraph that holds the sentence is then *shown*. See CONTRIBUTING.md.
    """

    return _quoted_in(REASONS, sentence)


def stated(sentence):
    """Mark a test as that of what notebook NN says besides: a sum, a rule, a row of a table.

    The test computes it. A rule in test_notebooks.py finds the quoted words in the notebook, so
    that neither can change alone.
    """

    return _quoted_in(STATED, sentence)


def _quoted_in(register, sentence):
    def mark(test):
        number = test.__module__.removeprefix("test_claims_")
        register.setdefault((number, sentence), test.__name__)
        return pytest.mark.claim(sentence)(test)

    return mark


def seen_on_tensorflow(reason):
    """Mark a claim that may fail on other backends: they draw or compute something else."""
    return pytest.mark.xfail(keras.config.backend() != "tensorflow", reason=reason, strict=False)


def value(tensor):
    """A tensor's one number, on any backend."""
    return float(keras.ops.convert_to_numpy(tensor))


def saved(name):
    """Path of a file that a notebook of this run saved; fails when there is none."""
    path = (REFERENCE if QUICK else outputs_folder()) / name
    if not path.is_file():
        pytest.fail(f"{name} is missing: the notebook that saves it did not get that far")
    return path


def history(name):
    return pd.read_csv(saved(f"{name}.csv"), index_col="epoch")


def table(name):
    return pd.read_csv(saved(f"{name}.csv"))


def model(name):
    return keras.saving.load_model(saved(f"{name}.keras"))
