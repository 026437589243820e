"""The task that notebook 11 sends to other processes, and what becomes of it there."""

import logging
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from unittest import mock

import dask
import distributed
import keras
import nbformat
import numpy as np
import optuna
import psutil
import pytest
from optuna.trial import TrialState
from sqlalchemy import URL

from lesson import folds, load_boston
from lesson.folds import build, fold_score

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


def test_same_arguments_give_the_same_number():
    """In another process too, says the test of a worker below."""
    scores = [fold_score({**QUICK, "dropout": 0.2}, 3, seed) for seed in (5, 5, 6)]
    assert scores[0] == scores[1] != scores[2]


def test_network_that_is_taken_again_is_as_good_as_new():
    """Only the rate differs from the fold before: weights, averages and masks begin anew."""
    other, settings = {**QUICK, "dropout": 0.2}, {**QUICK, "dropout": 0.2, "learning_rate": 0.01}
    fresh = fold_score(settings, 1)
    fold_score({**QUICK, "layers": 1}, 1)
    assert fold_score(other, 0) != fresh
    model = folds._last.model
    assert fold_score(settings, 1) == fresh
    assert folds._last.model is model
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_knobs_turn():
    model = build(layers=3, units=10, dropout=0.1, learning_rate=0.02)
    assert model.count_params() == 14 * 10 + 2 * 11 * 10 + 11
    assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dropout"] * 3 + ["Dense"]
    assert [layer.rate for layer in model.layers[1::2]] == [0.1] * 3
    assert float(model.optimizer.learning_rate) == pytest.approx(0.02)
    assert build().count_params() == 5_121


def test_layers_of_one_size_do_not_start_alike():
    second, third = build(layers=3, seed=8).get_weights()[2:6:2]
    assert second.shape == third.shape
    assert not np.array_equal(second, third)


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


KERNEL = """
import lesson, multiprocessing, os, signal, sys, time
from concurrent.futures import ProcessPoolExecutor
from lesson.folds import end_with_parent, fold_score
if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)  # an interrupt ends a cell, and no kernel
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent)
    task = pool.submit(os.getpid)
    print("handed in", flush=True)
    print(task.result(), flush=True)
    sys.stdin.readline()
    print(pool.submit(fold_score, {"epochs": 2, "dropout": 0.2}, 3, 5).result(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def kernel(tmp_path):
    """A process that stands for a kernel: one worker, and a process group for all of them."""
    script = tmp_path / "kernel.py"
    script.write_text(KERNEL)
    kernel = psutil.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(NOTEBOOKS)},
        text=True,
        start_new_session=True,
    )
    yield kernel
    for process in [*kernel.children(recursive=True), kernel] if kernel.is_running() else []:
        process.kill()
    kernel.communicate()


def interrupt(kernel, times=1):
    """Send what Stop sends, to all processes of the group; on Windows that is the kernel alone."""
    for _ in range(times if hasattr(os, "killpg") else 0):
        os.killpg(kernel.pid, signal.SIGINT)
        time.sleep(0.3)


def test_worker_leaves_interrupts_to_its_kernel_and_ends_when_that_is_killed(kernel):
    kernel.stdout.readline()
    # The worker imports Keras once it has started what holds back the start-up log.
    while kernel.poll() is None and not any(child.children() for child in kernel.children()):
        time.sleep(0.01)
    interrupt(kernel, times=3)
    worker = psutil.Process(int(kernel.stdout.readline()))

    interrupt(kernel)  # the worker waits for a task
    kernel.stdin.write("\n")
    kernel.stdin.flush()
    score = float(kernel.stdout.readline())
    assert score == pytest.approx(fold_score({**QUICK, "dropout": 0.2}, 3, 5), rel=1e-5)

    kernel.kill()
    gone, _ = psutil.wait_procs([worker], timeout=20)
    assert gone


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


def source(cell):
    page = nbformat.read(NOTEBOOKS / "11-tuning.ipynb", as_version=4)
    return next(c.source for c in page.cells if c.id == cell)


def from_notebook(*cells, **names):
    """What these cells of the notebook define, run on `names`."""
    defined = {"np": np, "optuna": optuna, "TrialState": TrialState, "URL": URL, **names}
    for cell in cells:
        exec(source(cell), defined)
    return defined


@pytest.fixture
def cluster_of_the_notebook(tmp_path):
    """What the notebook's cell makes, with a second's patience where it has 30."""
    names = {"dask": dask, "distributed": distributed, "logging": logging, "os": os}
    with (
        mock.patch.dict(os.environ),
        dask.config.set({"distributed.scheduler.no-workers-timeout": None}),
    ):
        names["folder"] = tmp_path
        exec(source("start-cluster").replace('"30s"', '"1s"'), names)
        yield names
        names["client"].close()
        names["cluster"].close()


def test_cluster_survives_interrupts_and_says_when_no_worker_is_left(cluster_of_the_notebook):
    client, executor = (cluster_of_the_notebook[name] for name in ("client", "dask_executor"))
    if os.name != "nt":  # there Jupyter interrupts the kernel alone
        workers = [psutil.Process(pid) for pid in cluster_of_the_notebook["workers"].values()]
        for worker in workers:
            worker.send_signal(signal.SIGINT)
        gone, _ = psutil.wait_procs(workers, timeout=1)
        assert not gone
    assert executor.submit(abs, -3).result(timeout=60) == 3

    cluster_of_the_notebook["cluster"].scale(0)
    while client.scheduler_info()["workers"]:
        time.sleep(0.05)
    task = executor.submit(abs, -4)
    with pytest.raises(distributed.scheduler.NoWorkerError, match="without any running workers"):
        task.result(timeout=60)


def test_fold_that_fails_is_a_failed_trial_and_the_search_goes_on():
    def fold_score(settings, fold, seed):
        if settings["number"] == 2:
            raise ValueError("no such layer")
        if settings["number"] == 3:
            raise MemoryError("cannot allocate 80 GB")
        return np.nan if settings["number"] == 1 and fold == 1 else 3.0

    objective = from_notebook(
        "objective", fold_score=fold_score, suggest=lambda t: {"number": t.number}
    )["objective"]
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    # A pruner that judges from the second trial on: NaN is no reason to prune.
    study = optuna.create_study(pruner=optuna.pruners.PercentilePruner(25, n_startup_trials=1))
    study.optimize(objective, n_trials=5, catch=(ValueError, MemoryError))
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "FAIL", "FAIL", "FAIL", "COMPLETE"]


def test_broken_pool_ends_the_search_with_its_reason_and_a_new_one_goes_on():
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial, pool):
        size = trial.suggest_int("size", 1, 9)
        return pool.submit(os._exit if trial.number == 2 else abs, size).result()

    names = {"study": study, "objective": objective}
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool, pytest.raises(BrokenProcessPool):
        from_notebook("resume", **names, pool=pool)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "FAIL"]
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        from_notebook("resume", **names, pool=pool)
    assert [trial.state.name for trial in study.trials[3:]] == ["COMPLETE"] * 10


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore:Heartbeat")
def test_database_is_made_afresh_in_the_folder_of_outputs_whatever_its_name(tmp_path):
    """Windows allows no ? in a name; elsewhere it began the options of the database's URL."""
    folder = tmp_path / f"what is deep learning{'' if os.name == 'nt' else '?'} 100%25 #1 [a] {{b}}"
    for _ in range(2):
        made = from_notebook("open-study", "new-database", outputs_folder=lambda: folder)
        made["study"].ask()
    assert len(made["study"].trials) == 1
    assert list(folder.iterdir()) == [folder / "tuning_boston.db"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning", "ignore:Heartbeat")
def test_locked_database_is_waited_for(tmp_path):
    """That the wait ends in an error the notebook shows, in a cell that is compared."""
    open_study = from_notebook("open-study")["open_study"]
    file = tmp_path / "study.db"
    url = URL.create("sqlite", database=file.as_posix()).render_as_string()
    study = open_study(url, optuna.samplers.RandomSampler(seed=1))
    blocker = sqlite3.connect(file, check_same_thread=False)
    blocker.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.7, blocker.close)
    start = time.perf_counter()
    release.start()
    study.ask()
    assert time.perf_counter() - start > 0.6
    release.join()
    assert len(study.trials) == 1


SEARCH = """
import optuna, sys, warnings
warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(
    storage=eval(sys.argv[1]), study_name="killed", load_if_exists=True,
    sampler=optuna.samplers.RandomSampler(),
)
while True:
    trial = study.ask()
    x = trial.suggest_float("x", 0, 1)
    study.tell(trial, x)
    print(trial.number, x, flush=True)
"""
STORAGES = {
    "SQLite": "optuna.storages.RDBStorage({url!r})",
    # Whoever is killed while writing leaves a lock behind, valid for `grace_period` seconds.
    "journal": "optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend({file!r},"
    "optuna.storages.journal.JournalFileSymlinkLock({file!r}, grace_period=1)))",
}


@pytest.mark.parametrize("kind", STORAGES)
@pytest.mark.filterwarnings("ignore")
def test_kill_at_any_moment_loses_nothing_that_was_told(kind, tmp_path):
    """A search that does nothing but write, killed three times, wherever it is just then.

    With SQLite the process that is killed is the database's own: there is no other.
    """
    file = tmp_path / "killed.db"
    url = URL.create("sqlite", database=file.as_posix()).render_as_string()
    storage, told = STORAGES[kind].format(url=url, file=str(file)), {}
    for seconds in (0.002, 0.006, 0.011):  # an ask and a tell take about ten milliseconds
        search = subprocess.Popen(
            [sys.executable, "-c", SEARCH, storage], stdout=subprocess.PIPE, text=True
        )
        told.update(search.stdout.readline().split() for _ in range(3))
        time.sleep(seconds)
        search.kill()
        lines = search.communicate()[0].splitlines(keepends=True)
        told.update(line.split() for line in lines if line.endswith("\n"))
    study = optuna.load_study(study_name="killed", storage=eval(storage))
    assert len(told) >= 9
    for number, value in told.items():
        trial = study.trials[int(number)]
        assert trial.state == TrialState.COMPLETE
        assert trial.value == float(value)
    assert sum(trial.state == TrialState.RUNNING for trial in study.trials) <= 3
