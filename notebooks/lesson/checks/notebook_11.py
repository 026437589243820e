"""Checks of notebook 11, Tuning.

Optuna is imported where it is needed: the other notebooks do without it.
"""

from collections.abc import Callable
from numbers import Real

from lesson.checks.engine import exercise
from lesson.checks.judges import as_number, called, judged, note, number, right, wrong

# --- 1. Which knob first? -------------------------------------------------------------

KNOBS = {"A": "regularise", "B": "rate down", "C": "rate up", "D": "more capacity"}
HINTS = {
    "A": "how far apart are its two lines at the end, as a ratio?",
    "B": "do its lines run smoothly?",
    "C": "has its training arrived anywhere, or is it on its way?",
    "D": "where do its lines level off, compared with those of the others?",
}


@exercise("11-knob", "make first_knob, a dict with a choice for A, B, C and D")
def knob(first_knob: dict):
    answers = {
        str(name).strip().upper(): " ".join(choice.lower().split())
        for name, choice in first_knob.items()
        if isinstance(choice, str)
    }
    allowed = ", ".join(map(repr, sorted(KNOBS.values())))
    for name, expected in KNOBS.items():
        choice = answers.get(name)
        if choice is None:
            yield wrong(f'{name}: no choice yet; write one as text, such as {name!r}: "rate up".')
        elif choice not in KNOBS.values():
            yield wrong(f"{name}: {choice[:40]!r} is none of {allowed}.")
        else:
            yield judged(
                choice == expected,
                f"{name}: {choice}.",
                f"{name}: {choice!r} would not be the first thing to turn; {HINTS[name]}",
            )


# --- 2. What a grid costs -------------------------------------------------------------


@exercise("11-grid", "make grid_trials, grid_fits, grid_rates and random_rates")
def grid(grid_trials: Real, grid_fits: Real, grid_rates: Real, random_rates: Real):
    yield number(
        "grid_trials",
        grid_trials,
        81,
        "every value of a knob with every combination of the others.",
        {
            "that adds the knobs up. How many combinations are there?": 12,
            "that is the number of values to the wrong power: three values, four knobs.": 64,
            "that is a grid of two knobs.": 9,
        },
        "each further knob multiplies the number of trials by its number of values.",
    )
    yield number(
        "grid_fits",
        grid_fits,
        324,
        "each trial fits a network for each fold.",
        {"that is the number of trials; each of them trains on four folds.": grid_trials},
        "a trial trains one network for each fold.",
        follows=(4 * grid_trials, "grid_trials"),
    )
    yield number(
        "grid_rates",
        grid_rates,
        3,
        "the grid repeats them over and over.",
        {
            "the grid has as many trials, but how many *different* learning rates are in it?": (
                grid_trials
            ),
            "that is how often each learning rate is tried.": (27, grid_trials / 3),
        },
        "how many *different* learning rates are in the grid?",
    )
    yield number(
        "random_rates",
        random_rates,
        81,
        "drawn at random, no value comes twice.",
        {
            "that is the grid's. A learning rate drawn at random is a new one every time.": 3,
            "that counts the fits. The four folds of a trial share its settings.": (
                324,
                4 * grid_trials,
            ),
        },
        "equally many trials, and each draws a learning rate of its own.",
        follows=(grid_trials, "grid_trials"),
    )


# --- 3. The search space --------------------------------------------------------------

SPACE = {
    "learning_rate": ("Float", 0.0001, 0.1, True),
    "units": ("Int", 8, 128, True),
    "layers": ("Int", 1, 3, False),
    "dropout": ("Float", 0, 0.5, False),
}


@exercise("11-space", "write suggest(trial), a function that returns a dict")
def search_space(suggest: Callable):
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trial = study.ask()
    settings, fault = called("suggest", suggest, trial)
    if fault:
        yield fault
        return
    if not isinstance(settings, dict):
        yield wrong(
            f"suggest: it returns a {type(settings).__name__}; it should return a dict of settings."
        )
        return
    for name in SPACE:
        yield _judge_knob(name, settings, trial)
    if other := [str(name)[:30] for name in settings if name not in SPACE]:
        yield wrong(f"suggest: the task has no {', '.join(map(repr, other))}.")


def _judge_knob(name, settings, trial):
    kind, low, high, log = SPACE[name]
    method = f"trial.suggest_{kind.lower()}"
    if name not in settings:
        return wrong(f"{name}: it is not in the dict that suggest returns.")
    if name not in trial.distributions:
        return wrong(
            f"{name}: the trial was not asked for it under that name, so nothing can be learned "
            f"about it; use {method}({name!r}, …)."
        )
    if settings[name] != trial.params[name]:
        return wrong(f"{name}: the dict holds another value than the trial suggested.")
    found = trial.distributions[name]
    if type(found).__name__ == "CategoricalDistribution":
        if name == "layers" and sorted(map(str, found.choices)) == ["1", "2", "3"]:
            return right(f"{name}: one of {low} to {high}.")
        return wrong(f"{name}: a list of choices has no order and no values between; "
                     f"use {method}.")  # fmt: skip
    if type(found).__name__ != f"{kind}Distribution":
        return wrong(f"{name}: this should come from {method}.")
    if (found.low, found.high) != (low, high):
        return wrong(
            f"{name}: it goes from {found.low:g} to {found.high:g}; the task says {low:g} to "
            f"{high:g}."
        )
    if found.log != log:
        return wrong(
            f"{name}: here a factor counts, so draw it on a log scale."
            if log
            else f"{name}: the task asks for an even scale here, without log."
        )
    if found.step not in (None, 1):
        return wrong(f"{name}: leave step out, so that every value between the bounds can come.")
    return right(f"{name}: {found.low:g} to {found.high:g}, {'log' if log else 'even'} scale.")


# --- 4. Do better ---------------------------------------------------------------------

GOAL, EPOCHS, NEW_SEEDS = 2.50, 60, (4, 5)
DEFAULTS = 2.61  # of notebook 08's settings, on seeds that nothing was chosen by
KNOWN = ("learning_rate", "units", "layers", "dropout", "batch_size", "epochs")


@exercise("11-beat", "make my_settings, a dict of settings for fold_score")
def beat(my_settings: dict, fold_score: Callable):
    if strange := [str(name)[:30] for name in my_settings if name not in KNOWN]:
        yield wrong(
            f"my_settings: fold_score has no knob {', '.join(map(repr, strange))}; it has "
            f"{', '.join(KNOWN)}."
        )
        return
    epochs = as_number(my_settings.get("epochs", 30))
    if epochs is None or epochs > EPOCHS:
        yield wrong(f"epochs: {my_settings['epochs']!r:.40}; a number up to {EPOCHS} is asked for.")
        return
    yield right(f"epochs: {epochs:g}, at most {EPOCHS}.")
    maes = []
    for seed in NEW_SEEDS:
        for fold in range(4):
            mae, fault = called(
                "fold_score", fold_score, dict(my_settings), fold, seed, patience=20
            )
            if fault:
                yield fault
                return
            maes.append(float(mae))
    yield _judge_new_mae(sum(maes) / len(maes))


def _judge_new_mae(mae):
    reached = f"goal: on two new seeds an MAE of {mae:.2f}"
    if mae < 2:
        return wrong(
            f"{reached} is better than these folds allow. Is fold_score still the one that was "
            "imported from lesson.folds?"
        )
    if mae < GOAL:
        return right(f"{reached}, below {GOAL:.2f}.")
    if not mae < 3.5:
        why = "It has learned little: is the learning rate the one that you chose?"
    elif mae > DEFAULTS + 0.02:
        why = (
            f"The settings of 08 have about {DEFAULTS}. What was your own score, by how many folds "
            "and seeds?"
        )
    elif mae > GOAL + 0.06:
        why = f"About what the settings of 08 have, {DEFAULTS}. Which knobs are left?"
    else:
        why = "Close. Luck of a seed moves it by about 0.05."
    return wrong(f"{reached}; it should be below {GOAL:.2f}. {why}")


# --- 5. The search on the cluster -----------------------------------------------------

BEFORE, TOTAL = 15, 17


@exercise("11-dask", "go on with the study on the cluster")
def dask(study: object, client: object = None):
    import optuna
    from optuna.trial import TrialState

    if not isinstance(study, optuna.Study):
        yield wrong(f"study: this should be the Optuna study; it is a {type(study).__name__}.")
        return
    trials = study.get_trials(deepcopy=False)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    new = trials[trials.index(complete[BEFORE - 1]) + 1 :] if len(complete) >= BEFORE else []
    if not new:
        yield note(
            f"Not attempted yet: {len(complete)} trials are complete. "
            + (
                "Go on with the study on the cluster."
                if len(complete) == BEFORE
                else f"Run sections 8 and 9 to their {BEFORE} first."
            )
        )
        return
    yield _judge_complete(len(complete))
    failed = sum(trial.state == TrialState.FAIL for trial in new)
    yield judged(
        not failed,
        "none of the new trials failed.",
        f"{failed} of the new trials failed. Leave catch out to see the error; which executor is "
        "still open?",
    )
    running = sum(trial.state == TrialState.RUNNING for trial in trials)
    yield judged(
        not running,
        "no trial is left running.",
        f"{running} trials still read RUNNING: is another process at work, or was a run "
        "interrupted? fail_stale_trials(study) sets dead ones to failed.",
    )
    if len(complete) > BEFORE:
        yield _judge_cluster(client, complete[BEFORE:])


def _judge_complete(count):
    if count < TOTAL:
        return wrong(
            f"{count} trials are complete; the task asks for {TOTAL} in all. Failed trials do not "
            "count."
        )
    if count == TOTAL:
        return right(f"{count} trials are complete.")
    return wrong(
        f"{count} trials are complete, {count - TOTAL} more than asked for. n_trials is how many "
        "*more* are run. (Nothing is broken: go on with what you have.)"
    )


def _judge_cluster(client, trials):
    """Whether the scheduler has handed out tasks since the new trials began."""
    if getattr(client, "status", None) != "running":
        return note("The cluster is closed, so where the new trials ran cannot be told any more.")
    start = min((t.datetime_start.timestamp() for t in trials if t.datetime_start), default=0)
    tasks, fault = called("client.get_task_stream", client.get_task_stream, start=start)
    if fault:
        return note("The cluster does not answer, so where the new trials ran cannot be told.")
    return judged(
        len(tasks) >= 2 * len(trials) and bool(tasks),
        "cluster: its workers did the folds of the new trials.",
        f"cluster: since the new trials began its scheduler has handed out {len(tasks)} tasks, and "
        "a trial has four folds. Does objective get the cluster's executor?",
    )
