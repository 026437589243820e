"""The task that notebook 11 sends to other processes, and what becomes of it there."""

import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import distributed
import keras
import nbformat
import numpy as np
import optuna
import psutil
import pytest

from lesson import load_boston
from lesson.folds import build, end_with_parent, fold_score

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
QUICK = {"epochs": 2}


def test_fold_score_is_the_mae_of_the_fold_that_was_left_out():
    (features, targets), _ = load_boston()
    val = np.arange(202, 303)
    train = np.r_[:202, 303:404]
    mean, std = features[train].mean(axis=0), features[train].std(axis=0)
    rng = np.random.default_rng(8)
    order = np.concatenate([rng.permutation(303) for _ in range(2)])
    model = keras.Sequential(
        [
            keras.Input((13,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.set_weights(build(seed=8).get_weights())
    model.compile("rmsprop", "mse", metrics=["mae"])
    x = (features - mean) / std
    model.fit(x[train][order], targets[train][order], shuffle=False, batch_size=16, verbose=0)
    mae = model.evaluate(x[val], targets[val], verbose=0)[1]
    assert fold_score(QUICK, 2) == pytest.approx(mae, rel=1e-4)


def test_same_arguments_give_the_same_number_in_another_process():
    pool = ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent
    )
    with pool:
        there = pool.submit(fold_score, {**QUICK, "dropout": 0.2}, 3, 5).result()
    here = [fold_score({**QUICK, "dropout": 0.2}, 3, seed) for seed in (5, 5, 6)]
    assert here[0] == here[1] != here[2]
    assert there == pytest.approx(here[0], rel=1e-5)


def test_knobs_turn():
    model = build(layers=3, units=10, dropout=0.1, learning_rate=0.02)
    assert model.count_params() == 14 * 10 + 2 * 11 * 10 + 11
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dropout"] * 3 + ["Dense"]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert build().count_params() == 5_121


def test_other_threads_do_not_change_the_starting_weights():
    """Workers of Dask draw from Python's generator while a task runs."""
    weights = []
    for other in (1, 2):
        random.seed(other)
        np.random.seed(other)
        weights.append(np.concatenate([w.ravel() for w in build(seed=8).get_weights()]))
    assert np.array_equal(*weights)
    assert not np.array_equal(weights[0][:800], weights[0][800:1600])


def test_settings_are_left_as_they_were():
    settings = dict(QUICK)
    fold_score(settings, 0)
    assert settings == QUICK


@pytest.mark.parametrize("fold", [-1, 4, 0.5, None, "0"])
def test_no_such_fold(fold):
    with pytest.raises(ValueError, match="fold must be 0 to 3; got"):
        fold_score(QUICK, fold)


def test_no_such_knob():
    with pytest.raises(TypeError, match="learning_rat"):
        fold_score({"learning_rat": 0.1}, 0)


PARENT = """
import lesson, multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from lesson.folds import end_with_parent
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_workers_end_when_their_kernel_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(NOTEBOOKS)}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment)
    worker = None
    try:
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        gone, _ = psutil.wait_procs([worker], timeout=20)
        assert gone
    finally:
        parent.kill()
        if worker and worker.is_running():
            worker.kill()
        parent.communicate()


# --- What Dask and Optuna promise, and the notebook tells ------------------------------


@pytest.fixture
def client(tmp_path):
    with (
        # Dask leaves one thread for arithmetic in here too, and later kernels would inherit it.
        mock.patch.dict(os.environ),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=60,
            local_directory=tmp_path,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_task_of_a_killed_worker_runs_again_elsewhere(client, tmp_path):
    begun = tmp_path / "begun"

    def task(number):
        with open(begun, "a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(2)
        return number

    future = client.get_executor().submit(task, 7)
    while not begun.exists() or not begun.read_text().endswith("\n"):
        time.sleep(0.05)
    psutil.Process(int(begun.read_text())).kill()
    assert future.result(timeout=60) == 7
    assert len(set(begun.read_text().split())) == 2


def test_task_that_kills_its_workers_is_a_failed_trial(client):
    executor = client.get_executor()

    def objective(trial):
        size = trial.suggest_int("size", 1, 9)
        return executor.submit(os._exit if trial.number == 0 else abs, size).result()

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study()
    study.optimize(objective, n_trials=2, catch=(distributed.KilledWorker,))
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]


def from_notebook(*cells, **names):
    """What these cells of the notebook define, run on `names`."""
    page = nbformat.read(NOTEBOOKS / "11-tuning.ipynb", as_version=4)
    sources = {cell.id: cell.source for cell in page.cells}
    defined = {"np": np, "optuna": optuna, **names}
    for cell in cells:
        exec(sources[cell], defined)
    return defined


def test_fold_that_fails_is_a_failed_trial_and_the_search_goes_on():
    def fold_score(settings, fold, seed):
        if settings["number"] == 2:
            raise ValueError("no such layer")
        if settings["number"] == 3:
            raise MemoryError("cannot allocate 80 GB")
        return np.nan if settings["number"] == 1 and fold == 1 else 3.0

    objective = from_notebook(
        "kfold-maes", "objective", fold_score=fold_score, suggest=lambda t: {"number": t.number}
    )["objective"]
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    # A pruner that judges from the second trial on: NaN is no reason to prune.
    study = optuna.create_study(pruner=optuna.pruners.PercentilePruner(25, n_startup_trials=1))
    study.optimize(objective, n_trials=5, catch=(Exception,))
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "FAIL", "FAIL", "FAIL", "COMPLETE"]


def test_task_that_breaks_its_pool_is_a_failed_trial_and_a_new_pool_goes_on():
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study()

    def objective(trial):
        size = trial.suggest_int("size", 1, 9)
        return pool.submit(os._exit if trial.number == 0 else abs, size).result()

    for _ in range(2):  # the first trial breaks the first pool for good
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            study.optimize(objective, n_trials=2, catch=(Exception,))
    assert [trial.state.name for trial in study.trials] == ["FAIL"] * 2 + ["COMPLETE"] * 2


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore:Heartbeat")
def test_locked_database_is_waited_for(tmp_path):
    """That the wait ends in an error the notebook shows, in a cell that is compared."""
    open_study = from_notebook("open-study")["open_study"]
    file = tmp_path / "study.db"
    study = open_study(f"sqlite:///{file.as_posix()}", optuna.samplers.RandomSampler(seed=1))
    blocker = sqlite3.connect(file, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.7, blocker.close)
    start = time.perf_counter()
    release.start()
    study.ask()
    assert time.perf_counter() - start > 0.6
    release.join()
    assert len(study.trials) == 1
