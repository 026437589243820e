"""What the checks of notebook 11 say: of right answers, of mistakes that learners make."""

import distributed
import optuna
import pytest
from optuna.trial import TrialState

from answers import is_right

optuna.logging.set_verbosity(optuna.logging.CRITICAL)
RIGHT_KNOBS = {"A": "regularise", "B": "rate down", "C": "rate up", "D": "more capacity"}
RIGHT_COUNTS = {"grid_trials": 81, "grid_fits": 324, "grid_rates": 3, "random_rates": 81}


def resumed_study(complete=24, pruned=6, failed=2, later=(), running=0):
    """A study as section 5 leaves it, made of trials with one knob; `later` states follow."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    knob = {"x": optuna.distributions.FloatDistribution(0, 1)}
    states = [TrialState.FAIL] * failed + [TrialState.COMPLETE] * complete
    states += [TrialState.PRUNED] * pruned + [TrialState.RUNNING] * running
    for state in [*states, *later]:
        value = 1.0 if state == TrialState.COMPLETE else None
        study.add_trial(
            optuna.create_trial(state=state, params={"x": 0.5}, distributions=knob, value=value)
        )
    return study


def dask_kernel():
    return {
        "study": resumed_study(),
        "objective": lambda trial, executor: trial.suggest_float("x", 0, 1),
        "dask_executor": None,
        "distributed": distributed,
        "optuna": optuna,
        "TrialState": TrialState,
    }


PREPARE = {"11-knob": dict, "11-grid": dict, "11-space": dict, "11-dask": dask_kernel}


# --- 11-knob ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT_KNOBS,
        {name.lower(): f" {choice.upper()} " for name, choice in RIGHT_KNOBS.items()},
        {**RIGHT_KNOBS, "E": "nothing"},
    ],
)
def test_knobs(said, answer):
    assert is_right(said("11-knob", first_knob=answer))


@pytest.mark.parametrize(
    ("answer", "reason", "count"),
    [
        ({}, "A: no choice yet", 0),
        ({**RIGHT_KNOBS, "C": "more capacity"}, "C: 'more capacity' would not be the first", 3),
        ({**RIGHT_KNOBS, "C": "rate down", "B": "rate up"}, "on its way?", 2),
        ({**RIGHT_KNOBS, "D": "dropout"}, "D: 'dropout' is none of 'more capacity', 'rate", 3),
        ({**RIGHT_KNOBS, "A": "more capacity", "D": "regularise"}, "as a ratio?", 2),
        ({**RIGHT_KNOBS, "B": 3}, "B: no choice yet", 3),
    ],
)
def test_knobs_wrong(said, answer, reason, count):
    text = said("11-knob", first_knob=answer)
    assert reason in text
    assert text.endswith(f"{count} of 4 right so far.")


# --- 11-grid ---------------------------------------------------------------------------


def test_counts(said):
    assert is_right(said("11-grid", **RIGHT_COUNTS))
    assert is_right(said("11-grid", **{name: float(n) for name, n in RIGHT_COUNTS.items()}))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("grid_trials", 12, "adds the knobs up"),
        ("grid_trials", 64, "to the wrong power"),
        ("grid_trials", 9, "a grid of two knobs"),
        ("grid_trials", 80, "multiplies the number of trials"),
        ("grid_fits", 81, "that is the number of trials"),
        ("grid_fits", 85, "one network for each fold"),
        ("grid_rates", 81, "how many *different* learning rates"),
        ("grid_rates", 27, "how often each learning rate is tried"),
        ("random_rates", 3, "that is the grid's"),
        ("random_rates", 324, "share its settings"),
        ("grid_fits", "324", "should be a number; yours is a str"),
        ("grid_fits", float("nan"), "one network for each fold"),
    ],
)
def test_count_wrong(said, name, value, reason):
    text = said("11-grid", **{**RIGHT_COUNTS, name: value})
    assert f"✗ {name}: " in text
    assert reason in text
    assert text.endswith("3 of 4 right so far.")


# --- 11-space --------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "suggest",
    [
        space(),
        space(layers=lambda t: t.suggest_categorical("layers", [1, 2, 3])),
        space(layers=lambda t: t.suggest_int("layers", 1, 3, step=1)),
        space(learning_rate=lambda t: t.suggest_float("learning_rate", 0.0001, 0.1, log=True)),
    ],
)
def test_space(said, suggest):
    assert is_right(said("11-space", suggest=suggest))


@pytest.mark.parametrize(
    ("suggest", "reason"),
    [
        (space(learning_rate=lambda t: t.suggest_float("learning_rate", 1e-4, 1e-1)),
         "learning_rate: here a factor counts"),
        (space(units=lambda t: t.suggest_int("units", 8, 128)), "units: here a factor counts"),
        (space(units=lambda t: t.suggest_int("units", 8, 128, step=8)), "a factor counts"),
        (space(units=lambda t: t.suggest_float("units", 8, 128, log=True)), "trial.suggest_int"),
        (space(units=lambda t: t.suggest_categorical("units", [8, 16, 128])), "has no order"),
        (space(layers=lambda t: t.suggest_int("layers", 1, 3, log=True)), "an even scale here"),
        (space(layers=lambda t: t.suggest_int("layers", 0, 3)), "goes from 0 to 3; the task says"),
        (space(dropout=lambda t: t.suggest_float("dropout", 0, 1)), "goes from 0 to 1; the task"),
        (space(dropout=lambda t: t.suggest_float("dropout", 0, 0.5, step=0.1)), "leave step out"),
        (space(dropout=lambda t: 0.2), "was not asked for it under that name"),
        (space(dropout=lambda t: t.suggest_float("rate", 0, 0.5)), "not asked for it under that"),
        (space(dropout=lambda t: t.suggest_float("dropout", 0, 0.5) / 2), "another value than"),
        (space(dropout=None), "dropout: it is not in the dict"),
        (space(epochs=lambda t: t.suggest_int("epochs", 1, 9)), "the task has no 'epochs'"),
        (lambda trial: None, "Is the return missing?"),
        (lambda trial: [1, 2], "it returns a list"),
        (lambda: {}, "it raises TypeError"),
        (lambda trial: trial.suggest_flot("a", 0, 1), "it raises AttributeError"),
        ({"learning_rate": 0.1}, "should be a function; yours is of type dict"),
        (dict, "should be a function; yours is of type type"),
    ],
)  # fmt: skip
def test_space_wrong(said, suggest, reason):
    text = said("11-space", suggest=suggest)
    assert "✗" in text
    assert reason in text
    assert "could not be checked" not in text


# --- 11-dask ---------------------------------------------------------------------------


@pytest.mark.parametrize("later", [["COMPLETE", "PRUNED"], ["PRUNED", "PRUNED"]])
def test_gone_on(said, later):
    study = resumed_study(later=[TrialState[name] for name in later])
    text = said("11-dask", study=study)
    assert is_right(text)
    assert "·" not in text


def test_gone_on_by_a_count_of_trials(said):
    study = resumed_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert is_right(said("11-dask", study=study))


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, "Nothing to check yet: the study has its 30 trials of section 5."),
        ({"complete": 15}, "Nothing to check yet: 21 trials are finished. Run section 5"),
        ({"complete": 15, "running": 2}, "Nothing to check yet: 21 trials are finished."),
    ],
)
def test_before_the_search_goes_on(said, counts, told):
    assert said("11-dask", study=resumed_study(**counts)).startswith(told)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"later": [TrialState.COMPLETE]}, "31 trials are finished; the task asks for 32 in all"),
        ({"later": [TrialState.FAIL] * 10}, "Failed trials do not count"),
        ({"later": [TrialState.FAIL] * 10}, "10 of the new trials failed. Leave catch out"),
        ({"later": [TrialState.COMPLETE] * 32}, "30 more than asked for. n_trials is how many"),
        ({"complete": 26, "running": 1}, "1 trials still read RUNNING"),
    ],
)
def test_not_gone_on(said, counts, reason):
    text = said("11-dask", study=resumed_study(**counts))
    assert reason in text
    assert not is_right(text)
    assert "could not be checked" not in text


def test_no_study(said):
    assert "it is a list" in said("11-dask", study=[1])
