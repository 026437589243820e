"""What the exercises of notebook 11 find in the kernel, and what attempts are made of."""

import time

import distributed
import keras
import numpy as np
import optuna
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.CRITICAL)

RIGHT_KNOBS = {"A": "regularise", "B": "rate down", "C": "rate up", "D": "more capacity"}

RIGHT_COUNTS = {"grid_trials": 81, "grid_fits": 324, "grid_rates": 3, "random_rates": 81}


def resumed_study(complete=15, failed=2, later=(), running=0):
    """A study as section 9 leaves it, made of trials with one knob; `later` states follow."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    knob = {"x": optuna.distributions.FloatDistribution(0, 1)}
    states = [TrialState.FAIL] * failed + [TrialState.COMPLETE] * complete
    states += [TrialState.RUNNING] * running
    for state in [*states, *later]:
        value = 1.0 if state == TrialState.COMPLETE else None
        study.add_trial(
            optuna.create_trial(state=state, params={"x": 0.5}, distributions=knob, value=value)
        )
    return study


class Cluster:
    """Stands for the client of a cluster, by what its scheduler has seen."""

    status = "running"

    def __init__(self):
        self.tasks = []

    def get_task_stream(self, start):
        return [task for task in self.tasks if task >= start]


def dask_kernel():
    client = Cluster()

    def objective(trial, executor=None):
        if executor is client:
            client.tasks += [time.time()] * 4
        return trial.suggest_float("x", 0, 1)

    return {
        "study": resumed_study(),
        "objective": objective,
        "dask_executor": client,
        "client": client,
        "distributed": distributed,
        "optuna": optuna,
        "TrialState": TrialState,
    }


def fold_score(settings, fold, seed=8):
    """An MAE as a fit would reach it, without the fit."""
    knobs = {"learning_rate": 0.001, "epochs": 30, "batch_size": 16, "dropout": 0.0, **settings}
    away = abs(np.log10(knobs["learning_rate"] / 0.001))
    steps = np.log2(knobs["epochs"] * 16 / knobs["batch_size"] / 30)
    easy = (-0.4, 0.1, 0.0, 0.3)[fold] + 0.02 * (seed % 3)
    return float(2.55 + easy + 10 * away**2 - 0.15 * steps + knobs["dropout"])


PREPARE = {
    "11-knob": dict,
    "11-grid": dict,
    "11-space": dict,
    "11-beat": lambda: {"fold_score": fold_score, "np": np, "optuna": optuna},
    "11-dask": dask_kernel,
}


def space(**changed):
    """A `suggest` whose knobs can be exchanged, left out (None) or added."""
    knobs = {
        "learning_rate": lambda t: t.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "units": lambda t: t.suggest_int("units", 8, 128, log=True),
        "layers": lambda t: t.suggest_int("layers", 1, 3),
        "dropout": lambda t: t.suggest_float("dropout", 0.0, 0.5),
        **changed,
    }
    return lambda trial: {name: knob(trial) for name, knob in knobs.items() if knob}
