"""Checks of notebook 11, Tuning.

Optuna is imported where it is needed: the other notebooks do without it.
"""

import numbers

from lesson.checks.engine import exercise, judged, note, right, told, wrong

# --- 1. Which knob first? -------------------------------------------------------------

KNOBS = {"A": "regularise", "B": "rate down", "C": "rate up", "D": "more capacity"}
HINTS = {
    "A": "how far apart are its two lines at the end, as a ratio?",
    "B": "do its lines run smoothly?",
    "C": "has its training arrived anywhere, or is it on its way?",
    "D": "where do its lines level off, compared with those of the others?",
}


@exercise("11-knob", "make first_knob, a dict with a choice for A, B, C and D", first_knob=dict)
def _knob(found):
    answers = {
        str(name).strip().upper(): " ".join(choice.lower().split())
        for name, choice in found["first_knob"].items()
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


def _judge_count(name, value, expected, yes, guesses, otherwise):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return wrong(f"{name}: this should be a number; yours is a {type(value).__name__}.")
    if value == expected:
        return right(f"{name}: {yes}")
    return wrong(f"{name}: {guesses.get(value, otherwise)}")


@exercise(
    "11-grid",
    "make grid_trials, grid_fits, grid_rates and random_rates",
    grid_trials=object,
    grid_fits=object,
    grid_rates=object,
    random_rates=object,
)
def _grid(found):
    trials = found["grid_trials"]
    yield _judge_count(
        "grid_trials", trials, 81, "every value of a knob with every combination of the others.",
        {12: "that adds the knobs up. How many combinations are there?",
         64: "that is the number of values to the wrong power: three values, four knobs.",
         9: "that is a grid of two knobs."},
        "each further knob multiplies the number of trials by its number of values.",
    )  # fmt: skip
    yield _judge_count(
        "grid_fits", found["grid_fits"], 324, "each trial fits a network for each fold.",
        {81: "that is the number of trials; each of them trains on four folds."},
        "a trial trains one network for each fold.",
    )  # fmt: skip
    yield _judge_count(
        "grid_rates", found["grid_rates"], 3, "the grid repeats them over and over.",
        {81: "the grid has as many trials, but how many *different* learning rates stand in it?",
         27: "that is how often each learning rate is tried."},
        "how many *different* learning rates stand in the grid?",
    )  # fmt: skip
    yield _judge_count(
        "random_rates", found["random_rates"], 81, "drawn by lot, no value comes twice.",
        {3: "that is the grid's. A learning rate drawn by lot is a new one every time.",
         324: "that counts the fits. The four folds of a trial share its settings."},
        "equally many trials, and each draws a learning rate of its own.",
    )  # fmt: skip


# --- 3. The search space --------------------------------------------------------------

SPACE = {
    "learning_rate": ("Float", 0.0001, 0.1, True),
    "units": ("Int", 8, 128, True),
    "layers": ("Int", 1, 3, False),
    "dropout": ("Float", 0, 0.5, False),
}


@exercise("11-space", "write suggest(trial), a function that returns a dict", suggest=object)
def _space(found):
    suggest = found["suggest"]
    if not callable(suggest) or isinstance(suggest, type):
        yield wrong(
            f"suggest: this should be a function; yours is of type {type(suggest).__name__}."
        )
        return
    import optuna

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trials = [study.ask() for _ in range(2)]
    try:
        settings = [suggest(trial) for trial in trials][0]
    except Exception as error:
        yield wrong(f"suggest: called with a trial, it raises {told(error)}.")
        return
    if not isinstance(settings, dict):
        yield wrong(
            f"suggest: it returns a {type(settings).__name__}; it should return a dict of settings."
            + (" Is the return missing?" if settings is None else "")
        )
        return
    for name in SPACE:
        yield _judge_knob(name, settings, trials[0])
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


# --- 4. The search on the cluster -----------------------------------------------------

BEFORE, TOTAL = 30, 32


@exercise("11-dask", "go on with the study on the cluster", study=object)
def _dask(found):
    """Where a fold ran cannot be told from a study; the pool, being shut down, only fails."""
    import optuna
    from optuna.trial import TrialState

    study = found["study"]
    if not isinstance(study, optuna.Study):
        yield wrong(f"study: this should be the Optuna study; it is a {type(study).__name__}.")
        return
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    is_finished = [state in (TrialState.COMPLETE, TrialState.PRUNED) for state in states]
    finished = sum(is_finished)
    failed = sum(
        state == TrialState.FAIL
        for place, state in enumerate(states)
        if sum(is_finished[:place]) >= BEFORE
    )
    if finished < BEFORE:
        yield note(
            f"Nothing to check yet: {finished} trials are finished. Run section 5 to its {BEFORE} "
            "first, then go on with the study on the cluster."
        )
        return
    if finished == BEFORE and not failed:
        yield note(
            f"Nothing to check yet: the study has its {BEFORE} trials of section 5. Go on with it "
            "on the cluster, then run this cell again."
        )
        return
    if finished < TOTAL:
        yield wrong(
            f"{finished} trials are finished; the task asks for {TOTAL} in all. Failed trials do "
            "not count."
        )
    elif finished > TOTAL:
        yield wrong(
            f"{finished} trials are finished, {finished - TOTAL} more than asked for. n_trials is "
            "how many *more* are run. (Nothing is broken: go on with what you have.)"
        )
    else:
        yield right(f"{finished} trials are finished, complete or pruned.")
    yield judged(
        not failed,
        "none of the new trials failed.",
        f"{failed} of the new trials failed. Leave catch out to see the error; which executor is "
        "still open?",
    )
    running = states.count(TrialState.RUNNING)
    yield judged(
        not running,
        "no trial is left running.",
        f"{running} trials still read RUNNING: is another process at work, or was a run "
        "interrupted? fail_stale_trials(study) sets dead ones to failed.",
    )
