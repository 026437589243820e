"""The alarms: kernels with other seeds draw other numbers, and the table counts what failed."""

import runpy

import numpy as np
import pandas as pd

from notebook_files import ROOT

FOLDER = ROOT / "tests" / "alarms"
STARTUP = FOLDER / "ipython" / "profile_default" / "startup" / "other_seeds.py"


def drawn(monkeypatch, seed, shift):
    """The first numbers of Keras and NumPy after a seed, in a kernel of another seed."""
    import keras

    with monkeypatch.context() as patch:
        patch.setattr(keras.utils, "set_random_seed", keras.utils.set_random_seed)
        patch.setattr(np.random, "default_rng", np.random.default_rng)
        patch.setenv("OTHER_SEEDS", shift)
        runpy.run_path(str(STARTUP))
        keras.utils.set_random_seed(seed)
        weights = keras.layers.Dense(2)
        weights.build((3,))
        return float(weights.kernel[0, 0]), float(np.random.default_rng(seed).random())


def test_other_seeds_give_other_numbers_and_the_same_twice(monkeypatch):
    usual, one, again, two = (drawn(monkeypatch, 3, shift) for shift in ("", "1", "1", "2"))
    assert one == again
    assert len({usual[0], one[0], two[0]}) == len({usual[1], one[1], two[1]}) == 3


def test_table_counts_the_claims_that_failed(monkeypatch, tmp_path):
    run = runpy.run_path(str(FOLDER / "run.py"))
    keys = {"backend": "jax", "notebook": "03", "claim": "test_low"}
    outcomes = pd.DataFrame([{**keys, "seed": seed, "failed": seed == 2} for seed in (1, 2, 3, 4)])
    monkeypatch.setitem(run["write"].__globals__, "RESULTS", tmp_path / "RESULTS.md")
    run["write"](outcomes)
    told = (tmp_path / "RESULTS.md").read_text("utf-8")
    assert "| jax | 1 | 4 | 4 | 1 (25.00%) |" in told
    assert "| jax | 03 | `test_low` | 1 | 4 |" in told
