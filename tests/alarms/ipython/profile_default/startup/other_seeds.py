"""A kernel that reads this when it starts gives other random numbers: OTHER_SEEDS is a number.

`run.py` beside `ipython/` starts such kernels. The notebooks stay as they are.
"""


def _with_other_seeds(shift):
    import keras
    import numpy as np

    seed_keras, seed_numpy = keras.utils.set_random_seed, np.random.default_rng

    def set_random_seed(seed):
        seed_keras(seed + 1000 * shift)

    def default_rng(seed=None):
        return seed_numpy([seed, shift] if isinstance(seed, int) else seed)

    keras.utils.set_random_seed, np.random.default_rng = set_random_seed, default_rng


import os  # noqa: E402

if os.environ.get("OTHER_SEEDS"):
    _with_other_seeds(int(os.environ["OTHER_SEEDS"]))
del os, _with_other_seeds
