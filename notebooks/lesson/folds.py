"""One fold of notebook 08's K-fold validation, as a task that any process can run.

A function that is sent to another process is found there by its name, so it
must lie in a file that the other process can import, and not in a notebook.
"""

import multiprocessing
import os
import threading

import keras
import numpy as np

from lesson.datasets import load_boston

FOLDS = 4


def fold_score(settings, fold, seed=8):
    """Train a new network on three folds of Boston and measure it on the fourth.

    The same arguments give the same number in any process on machines of one kind.

    Args:
        settings: a dict of knobs; those left out stay as in notebook 08 (`build`,
            `batch_size=16`, `epochs=30`).
        fold: 0 to 3, the fold that validates: 101 of the 404 training rows.
        seed: of the starting weights, of the order of the rows and of dropout.

    Returns:
        The validation MAE, in thousand dollars, as a float.

    Raises:
        ValueError: if there is no such fold.
        TypeError: if `settings` holds a knob that there is not.
    """
    if fold not in range(FOLDS):
        raise ValueError(f"fold must be 0 to {FOLDS - 1}; got {fold!r}")
    knobs = {"batch_size": 16, "epochs": 30, **settings}
    batch_size, epochs = knobs.pop("batch_size"), knobs.pop("epochs")

    (features, targets), _ = load_boston()
    val = np.arange(fold * 101, (fold + 1) * 101)
    train = np.setdiff1d(np.arange(404), val)
    mean, std = features[train].mean(axis=0), features[train].std(axis=0)
    scaled = (features - mean) / std  # the training rows' yardstick

    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(train) for _ in range(epochs)])
    steps = -(-len(order) // batch_size)  # rounded up
    model = at_the_start(**knobs, seed=seed, steps_per_execution=steps)
    model.fit(scaled[order], targets[order], shuffle=False, batch_size=batch_size, verbose=0)
    predicted = model.predict(scaled[val], batch_size=len(val), verbose=0)[:, 0]
    return float(np.abs(predicted - targets[val]).mean())


def build(layers=2, units=64, dropout=0.0, learning_rate=0.001, seed=None, steps_per_execution=1):
    """Build notebook 08's network, with knobs.

    With a seed each layer gets one of its own. `keras.utils.set_random_seed` would
    not do in a worker: it seeds Python's one generator, which the worker's other
    threads draw from at the same time.

    Args:
        layers: how many dense layers come before the last.
        units: of each of them.
        dropout: rate of the dropout after each of them.
        learning_rate: of RMSprop.
        seed: of the starting weights and of dropout. None draws them anew.
        steps_per_execution: as in `compile`.

    Returns:
        A compiled `keras.Model` for 13 features.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=(layers + 1, 2)).tolist()
    model = keras.Sequential([keras.Input(shape=(13,))])
    for weights, mask in seeds[:-1]:
        start = keras.initializers.GlorotUniform(seed=weights)
        model.add(keras.layers.Dense(units, activation="relu", kernel_initializer=start))
        if dropout:
            model.add(keras.layers.Dropout(dropout, seed=mask))
    start = keras.initializers.GlorotUniform(seed=seeds[-1][0])
    model.add(keras.layers.Dense(1, kernel_initializer=start))
    model.compile(
        optimizer=keras.optimizers.RMSprop(learning_rate),
        loss=keras.losses.MeanSquaredError(),
        steps_per_execution=steps_per_execution,
    )
    return model


class _Last(threading.local):
    """The network that this thread used last, and what it was made of."""

    make = model = start = None


_last = _Last()


def at_the_start(learning_rate=0.001, **make):
    """`build`, in a third of the time where only the rate is another than the last time.

    To compile a network takes longer than to train it on Boston. So the one that this
    thread used last is taken again, with its variables set back to where they began:
    weights, running averages of the optimizer, seeds of dropout.
    """
    if make != _last.make:
        # Forget the model before: a search makes hundreds. To free its memory at once takes
        # longer than the training.
        keras.utils.clear_session(free_memory=False)
        model = build(**make)
        model.optimizer.build(model.trainable_variables)
        _last.make, _last.model = make, model
        _last.start = [np.array(keras.ops.convert_to_numpy(v.value)) for v in _variables(model)]
    for variable, value in zip(_variables(_last.model), _last.start, strict=True):
        variable.assign(value)
    _last.model.optimizer.learning_rate = learning_rate
    return _last.model


def _variables(model):
    return [*model.variables, *model.optimizer.variables]


def end_with_parent():
    """Make this process end when the process that started it is gone, killed ones too.

    For `initializer=` of `ProcessPoolExecutor`, whose workers would otherwise
    wait for ever for a killed kernel.
    """

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
