"""Claims of notebook 11, Tuning.

The first six sections are fixed by seeds; "five other searches" have the sampler's seeds 1 to 5.
In sections 8 and 9 processes race, so no two runs are equal.
"""

import re
import time

import keras
import numpy as np
import optuna
import pytest

from claims import claim, of_this_run, reason, saved, seen_on_tensorflow, stated, table
from lesson.folds import fold_score
from notebook_files import NOTEBOOKS, code, read

(NOTEBOOK,) = (path for path in NOTEBOOKS if path.name.startswith("11-"))

KNOBS = ["learning_rate", "units", "layers", "dropout"]


@pytest.fixture(scope="module")
def rates():
    return table("tuning_rates")


@pytest.fixture(scope="module")
def curves():
    rows = table("tuning_curves")
    return {panel: curve.set_index("epoch") for panel, curve in rows.groupby("panel")}


@pytest.fixture(scope="module")
def two_knobs():
    return table("tuning_grid")


@pytest.fixture(scope="module")
def search():
    return table("tuning_search")


@pytest.fixture(scope="module")
def complete(search):
    return search[search["state"] == "COMPLETE"]


@pytest.fixture(scope="module")
def story():
    return table("tuning_story")


# --- That what was judged is what the prose describes --------------------------------


def source_of(name):
    (cell,) = (cell for cell in code(read(NOTEBOOK)) if cell.id == name)
    return cell.source


@pytest.mark.parametrize(("cell", "study"), [("eight-lines", "study"), ("search-run", "search")])
def test_search_looks_for_the_lowest(cell, study):
    """The cells of the notebook, on a landscape that costs nothing: lowest at a rate of 0.003."""

    def fold_score(settings, fold):
        return 2 + (np.log10(settings["learning_rate"]) + 2.5) ** 2

    def objective(trial):
        rate = trial.suggest_float("learning_rate", 0.0001, 0.1, log=True)
        return fold_score({"learning_rate": rate}, 0)

    names = {"np": np, "optuna": optuna, "fold_score": fold_score, "objective": objective}
    exec(source_of(cell), names)
    values = [trial.value for trial in names[study].trials]
    assert len(values) in (12, 20)
    assert names[study].best_value == min(values) < 2.1


@of_this_run
def test_trial_is_the_mean_of_four_folds(complete):
    """The best trial, run again here: the same number, in another process."""
    row = complete.loc[complete["value"].idxmin()]
    settings = {name: row[name].item() for name in ("learning_rate", "dropout")}
    settings |= {name: int(row[name]) for name in ("units", "layers")}
    again = [fold_score(settings, fold) for fold in range(4)]
    assert np.mean(again) == pytest.approx(row["value"], rel=1e-4)
    assert np.mean(again[:2]) == pytest.approx(row["two folds"], rel=1e-4)


@stated("The same numbers: `fold_score` hands its own seed to every layer.")
def test_fold_score_takes_nothing_from_the_seed_of_all():
    scores = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        scores.append(fold_score({"epochs": 1, "dropout": 0.3}, 0))
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert fold_score({"epochs": 1, "dropout": 0.3}, 0, seed=9) != pytest.approx(
        scores[0], rel=1e-3
    )


@of_this_run
def test_first_search_takes_two_folds(rates):
    row = rates.loc[rates["mae"].idxmin()]
    again = [fold_score({"learning_rate": row["learning_rate"].item()}, fold) for fold in (0, 1)]
    assert np.mean(again) == pytest.approx(row["mae"], rel=1e-4)


def test_search_space_is_that_of_the_prose(search):
    assert len(search) == 20
    assert search["learning_rate"].between(0.0001, 0.1).all()
    assert search["units"].between(8, 128).all()
    assert set(search["layers"]) <= {1, 2, 3}
    assert search["dropout"].between(0, 0.5).all()
    # On a log scale about two thirds of the random rates lie below 0.01, else a tenth.
    assert (search["learning_rate"][search["number"] < 10] < 0.01).sum() >= 4


def test_no_trial_is_pruned_while_the_first_ten_run(search):
    assert list(search["state"][search["number"] < 10]) == ["COMPLETE"] * 10


@of_this_run
def test_database_is_left():
    assert saved("tuning_boston.db").stat().st_size > 0


@reason("Drawn evenly between 0.0001 and 0.1, nine of ten learning rates would lie above 0.01.")
def test_even_scale_hardly_looks_below_a_hundredth():
    rates = np.random.default_rng(1).uniform(0.0001, 0.1, 10_000)
    assert np.mean(rates > 0.01) == pytest.approx(0.9, abs=0.02)


# --- 1. Eight lines ------------------------------------------------------------------


@claim("The lowest MAE is 2.3, at a rate of 0.003 (over five seeds 2.3 to 2.5, at 0.001 to 0.003).")
def test_valley_has_a_floor(rates):
    """2.31, 2.53, 2.35, … at 0.0011 to 0.0029."""
    best = rates.loc[rates["mae"].idxmin()]
    assert len(rates) == 12
    assert 2.1 < best["mae"] < 2.75
    assert 0.0007 < best["learning_rate"] < 0.02


@claim(
    "At the lowest rate it is six times as high (3 to 6 times over five seeds): in 30 epochs such "
    "small steps do not get far."
)
def test_small_rate_does_not_arrive(rates):
    """6.5; 5.5, 5.0, 3.0 times, at 0.00010 to 0.00014."""
    low = rates.loc[rates["learning_rate"].idxmin()]
    assert low["learning_rate"] < 0.0002
    assert 2.5 < low["mae"] / rates["mae"].min() < 8


@stated("At the highest rate, 0.067, it is 2.6: here too large a rate costs far less")
@reason("costs far less than too small a one.")
def test_large_rate_costs_little(rates):
    by_rate = rates.sort_values("learning_rate")
    low, high = by_rate.iloc[0], by_rate.iloc[-1]
    assert high["learning_rate"] == pytest.approx(0.067, abs=0.0006)
    assert high["mae"] == pytest.approx(2.6, abs=0.4)
    assert low["mae"] > 2 * high["mae"]


# --- 2. Knobs ------------------------------------------------------------------------


@claim(
    "A, the largest network, ends with a training loss a quarter of its validation loss (0.26 to "
    "0.36 of it in other runs)."
)
def test_large_network_overfits(curves):
    """0.26 to 0.36 of it (four seeds, JAX, five more starts)."""
    assert curves["A"]["loss"][80] < curves["A"]["val_loss"][80] / 2


@claim(
    "B, with the largest rate, has a validation loss that jumps up by a factor of 1.5 or more "
    "from one epoch to the next.",
)
def test_large_rate_jumps(curves):
    """13 to 25 times; the other three never (TensorFlow, JAX, five more starts)."""
    for panel, curve in curves.items():
        loss = curve["val_loss"].to_numpy()
        jumps = (loss[1:] > 1.5 * loss[:-1]).sum()
        assert jumps >= 5 if panel == "B" else jumps == 0


@claim(
    "C, with the smallest rate, has a training loss that falls from 342 to 106 over the last 40 "
    "epochs.",
)
def test_small_rate_is_on_its_way(curves):
    """To 0.30 to 0.46 of it, with JAX 0.58; ends at 104 to 180 (four seeds, five more starts)."""
    loss = curves["C"]["loss"]
    assert loss[80] < loss[40] * 2 / 3
    assert loss[80] > 50


@claim(
    "D, without a hidden layer, falls no further over the last 20 epochs, and ends with a training "
    "loss six times that of A."
)
def test_small_network_underfits(curves):
    """20.8 to 21.0 against 3.2 to 4.4; the last 20 epochs change it by less than 1%."""
    assert curves["D"]["loss"][80] > 4 * curves["A"]["loss"][80]
    # It has arrived: the last 20 epochs gain little.
    assert curves["D"]["loss"][80] > 0.8 * curves["D"]["loss"][60]


@reason("D has arrived, on training rows too: its size is the knob that is left.")
def test_no_more_epochs_would_help_the_small_network(curves):
    """The last 20 epochs change its training loss by less than 1%; C's falls by a third."""
    fall = {panel: 1 - curve["loss"][80] / curve["loss"][60] for panel, curve in curves.items()}
    assert abs(fall["D"]) < 0.1 < fall["C"]


@reason("| training and validation loss both still falling steadily at the end | steps too small,")
@reason("| loss jumps up and down | steps too large | learning rate down |")
@reason("| both level off, near each other, at a loss that is too high | underfitting | more capa")
@reason(
    "| training loss far below validation loss, which has levelled off or rises | overfitting |"
)
def test_curves_are_those_of_the_table(curves):
    """Rates 5e-5 and 0.1, no hidden layer, 3 layers of 256: which curve is whose."""
    cases = re.findall(r'\{"(learning_rate|layers)": ([^,}]+)', source_of("curves-fit"))
    order = np.random.default_rng(11).permutation(4)
    panels = {name: cases[case] for name, case in zip("ABCD", order, strict=True)}
    rate = "learning_rate"
    assert [panels["A"], panels["D"]] == [("layers", "3"), ("layers", "0")]
    assert [panels["B"], panels["C"]] == [(rate, "0.1"), (rate, "5e-5")]
    small = curves["D"]
    assert small["val_loss"][80] < 1.6 * small["loss"][80]


# --- 3. A grid, or chance ------------------------------------------------------------


@claim(
    "The grid's lowest MAE is 2.44, that of the nine random points 2.56. (With two other seeds "
    "2.54 and 2.52, 2.41 and 2.29.)"
)
def test_neither_wins_by_much(two_knobs):
    """Neither is always ahead."""
    best = two_knobs.groupby("search")["mae"].min()
    assert (two_knobs.groupby("search").size() == 9).all()
    assert best.between(2.1, 3.2).all()
    assert abs(best["grid"] - best["random"]) < 0.5


@claim(
    "Between the best and the worst learning rate of the grid are more than 8 thousand dollars at "
    "every dropout rate; between the best and the worst dropout rate, at learning rate 0.001, less "
    "than one thousand."
)
def test_rate_matters_and_dropout_little(two_knobs):
    """10.6 to 15.7; dropout 0.26 to 0.56."""
    grid = two_knobs[two_knobs["search"] == "grid"]
    grid = grid.pivot(index="learning_rate", columns="dropout", values="mae")
    assert grid.shape == (3, 3)
    assert (grid.max() - grid.min() > 8).all()
    assert np.ptp(grid.loc[0.001]) < 1


@reason("the grid tried three values, three times each; the random points tried nine.")
def test_grid_repeats_its_rates(two_knobs):
    assert two_knobs.groupby("search")["learning_rate"].nunique().to_dict() == {
        "grid": 3,
        "random": 9,
    }


@pytest.fixture(scope="module")
def chance():
    rows = table("tuning_chance")
    assert list(rows["from"]) == [-4, -8]
    return rows.set_index("from")


@claim("In the range that we searched, both find the valley in at least 99% of cases.")
def test_wide_valley_is_found_by_both(chance):
    """100% and 99.7 to 99.9%."""
    assert chance.loc[-4, "three rates"] > 0.99
    assert chance.loc[-4, "nine rates"] > 0.98


@claim(
    "In the wide range the grid misses it in 37% of cases, the nine random rates in 12% (28 to "
    "50%, and 8 to 21%, with two other seeds)."
)
def test_narrow_valley_is_found_by_chance(chance):
    """37, 50 and 28% against 12, 21 and 8%."""
    grid, nine = 1 - chance.loc[-8, "three rates"], 1 - chance.loc[-8, "nine rates"]
    assert 0.2 < grid < 0.6
    assert 0.04 < nine < 0.3
    assert grid - nine > 0.12


@reason("Chance is worth most to those who know least.")
def test_chance_is_worth_more_in_the_wide_range(chance):
    worth = chance["nine rates"] - chance["three rates"]
    assert worth[-8] > 0.1 > abs(worth[-4])


# --- 4. A sampler that learns --------------------------------------------------------


@claim(
    "Six of the ten trials of the TPE were pruned (5 to 8 in five searches with other seeds).",
)
def test_pruning_saves_folds(search):
    """6; 7, 5, 8, 6, 6."""
    assert 3 <= (search["state"] == "PRUNED").sum() <= 9
    assert set(search["state"]) == {"COMPLETE", "PRUNED"}


@claim(
    "After two folds the median of its ten trials is 3.1, of the random ten 3.8. "
    "(In the others 2.6 to 2.9 against 2.6 to 4.1; in one the TPE was no better. On another "
    "processor 3.1 against 4.7: a trial at a rate of 0.07 had 5.6 there and 2.8 here, with the "
    "same seed.)"
)
def test_sampler_learns(search):
    """3.05 and 3.77; 2.94 and 3.18, 2.74 and 4.10, 2.63 and 2.60, 2.69 and 3.20, 2.80 and 3.62.

    Of the random ten four learn too slowly and are above 17, so their median hangs on the sixth,
    that trial: 2.8 and 5.6 by rounding alone, 4.1 to 5.6 with three other seeds.
    """
    middle = search.groupby("sampler")["two folds"].median()
    assert middle["TPE"] < middle["random"]
    assert 2.3 < middle["TPE"] < 4.5
    assert 2.3 < middle["random"] < 5.3
    random = search[search["sampler"] == "random"].sort_values("two folds")
    assert (random["two folds"].iloc[6:] > 17).all()
    trial = random.set_index("number").loc[2]
    assert trial["learning_rate"] == pytest.approx(0.067, abs=0.001)
    assert 2.3 < trial["two folds"] < 7


@seen_on_tensorflow("JAX: other searches, whose random lowest is 2.67 or 2.99")
@stated("The lowest is no lower after two folds: 2.35 against 2.31.")
def test_lowest_after_two_folds(search):
    lowest = search.groupby("sampler")["two folds"].min()
    assert lowest["TPE"] == pytest.approx(2.35, abs=0.15)
    assert lowest["random"] == pytest.approx(2.31, abs=0.15)


@claim(
    "The worst of its ten has 5, the worst of the random ten 21 (in the others 3 to 15 against 19 "
    "to 22)."
)
def test_sampler_avoids_the_worst(search):
    """5.3; 14.3, 3.4, 14.8, 4.0, 10.5 against 19 to 22."""
    worst = search.groupby("sampler")["two folds"].max()
    assert worst["TPE"] < 16 < worst["random"] < 24


# --- 5. Read the search --------------------------------------------------------------


@pytest.fixture(scope="module")
def importances():
    shares = table("tuning_importances").set_index("knob")
    assert set(shares.index) == set(KNOBS)
    return shares


@seen_on_tensorflow("JAX: another search; units count most, as in one of five here")
@claim(
    "The learning rate is the most important knob, with a share of 62% (58 to 76% in four of five "
    "other searches)."
)
def test_learning_rate_is_most_important(importances):
    """0.62; 0.73, 0.65, 0.76, 0.58, 0.01."""
    shares = importances["all complete trials"]
    assert shares.idxmax() == "learning_rate"
    assert 0.4 < shares["learning_rate"] < 0.9


@claim(
    "Among the trials with an MAE below 4 it is 38% (7 to 60% in the other searches).",
)
def test_learning_rate_matters_less_among_the_good(importances):
    """0.38; 0.09, 0.11, 0.60, 0.18, 0.07."""
    rate = importances.loc["learning_rate"]
    assert rate["those with an MAE below 4"] < rate["all complete trials"] - 0.05


@reason("So importances say mostly which knob makes a trial *bad*.")
def test_failures_make_the_importance(complete):
    """The bad trials are those with a low rate; without them the rate counts for less."""
    assert (complete.loc[complete["value"] > 8, "learning_rate"] < 0.0004).all()
    assert (complete["value"] > 8).sum() >= 2


@seen_on_tensorflow("JAX: another search, as in four of five here")
@claim(
    "The four best trials have a single hidden layer and a learning rate above 0.003 (so in one of "
    "five other searches). All four are the TPE's.",
)
def test_dark_lines_come_from_one_place(complete, search):
    """So in one other search; in three the best trial has one layer and a rate above 0.003."""
    best = complete.nsmallest(4, "value")
    assert (best["layers"] == 1).sum() >= 3
    assert (best["learning_rate"] > 0.002).all()
    assert (search.loc[best.index, "sampler"] == "TPE").sum() >= 3


# --- 6. The winner -------------------------------------------------------------------


@pytest.fixture(scope="module")
def again():
    return table("tuning_again").pivot(index="settings", columns="seed", values="mae")


def test_each_seed_is_another_fit(again, complete):
    """Seed 8 gives the number that the search found; the others give others."""
    assert again[8]["best of the search"] == pytest.approx(complete["value"].min(), rel=1e-4)
    assert (again.nunique(axis=1) == 3).all()


@claim(
    "On the new seeds the winner is 560 dollars worse than the settings of 08 (in five other "
    "searches from 140 worse to 140 better)."
)
def test_winner_is_worth_little(again):
    """0.56 worse; 0.14 worse, 0.14 better, 0.14 worse, 0.06 better, 0.03 worse."""
    new = again[[1, 2]].mean(axis=1)
    assert -0.25 < new["best of the search"] - new["settings of 08"] < 1.2
    assert new["settings of 08"] == pytest.approx(2.61, abs=0.15)


@seen_on_tensorflow("JAX: in one of two searches the winner is 120 dollars lower on new seeds")
@claim(
    "Its MAE is 440 dollars higher than the one it was chosen for (in the other searches from 70 "
    "lower to 410 higher)."
)
def test_winner_was_lucky(again, complete):
    """0.45 higher; 0.22, 0.01, 0.41 higher, 0.04 lower, 0.07 lower."""
    winner = again.loc["best of the search"]
    assert winner[8] == pytest.approx(complete["value"].min(), abs=0.01)
    assert -0.1 < winner[[1, 2]].mean() - winner[8] < 1.2


@reason("And the lowest of many noisy scores [is too low, as a rule]")
def test_lowest_of_many_noisy_scores_is_too_low():
    """Twenty equally good settings whose scores scatter by 0.1: the best looks 0.19 better."""
    scores = np.random.default_rng(1).normal(2.6, 0.1, (1000, 20))
    assert np.mean(scores.min(axis=1)) == pytest.approx(2.6 - 0.187, abs=0.02)


@of_this_run
@seen_on_tensorflow("JAX: another winner, 2.49 on the new seeds; 60 epochs 2.47")
@reason("On seeds 1 and 2, 60 epochs take the network of 08 from 2.61 to 2.44; the search's winner")
def test_epochs_are_worth_more(again):
    """60 epochs: 2.44 on seeds 1 and 2, against 3.17 and 2.61 with 30."""
    maes = [fold_score({"epochs": 60}, fold, seed) for seed in (1, 2) for fold in range(4)]
    longer = np.mean(maes)
    assert longer < again[[1, 2]].mean(axis=1).min() - 0.05
    assert longer < 2.55


# --- 8. The kill ---------------------------------------------------------------------


@claim(
    "Killing both processes lost no finished trial and at most one trial each, and what was lost "
    "was run again with the same settings."
)
def test_kill_loses_what_was_under_way(story):
    """One or two trials."""
    kill = table("tuning_kill").iloc[0]
    assert 1 <= kill["lost"] == kill["waiting"] <= 2
    assert kill["kept"] >= 4
    failed = story[story["state"] == "FAIL"].set_index("trial")
    repeats = story[story["repeats"] >= 0].set_index("repeats")
    assert set(failed.index) == set(repeats.index)
    assert len(failed) == kill["lost"]
    np.testing.assert_allclose(repeats["rate"], failed.loc[repeats.index, "rate"])
    assert (story["state"] == "COMPLETE").sum() == 12
    assert set(story["state"]) == {"COMPLETE", "FAIL"}


@claim("The deaths were noticed after about five seconds, as the grace period says.")
def test_silence_is_noticed():
    """4 to 6 seconds; the last signature may be a second older than the kill."""
    assert 3.5 < table("tuning_kill").iloc[0]["silent"] < 15


@stated("Optuna passes over a trial that was killed before its first signature:")
def test_a_trial_that_was_never_signed_is_not_noticed(tmp_path):
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{tmp_path.as_posix()}/study.db", heartbeat_interval=1, grace_period=1
    )
    study = optuna.create_study(storage=storage)
    signed, _ = study.ask(), study.ask()
    storage.record_heartbeat(signed._trial_id)
    time.sleep(3)  # the database's clock counts whole seconds
    optuna.storages.fail_stale_trials(study)
    states = [trial.state for trial in study.trials]
    assert states == [optuna.trial.TrialState.FAIL, optuna.trial.TrialState.RUNNING]


@reason(
    "A trial's score is stored when the whole trial is done, so a kill costs what is under way."
)
def test_what_was_finished_before_the_kill_is_kept(story):
    kill = table("tuning_kill").iloc[0]
    before = story[(story["state"] == "COMPLETE") & (story["process"].isin(
        story.loc[story["state"] == "FAIL", "process"]))]  # fmt: skip
    assert 1 <= len(before) <= kill["kept"]
    assert before["mae"].notna().all()


# --- 9. The cluster ------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    return table("tuning_cluster").iloc[0]


@claim(
    "All three trials are complete, none failed, and the one that was hit has the score that it "
    "has without a cluster."
)
def test_cluster_loses_nothing(cluster):
    """Equal to the last digit."""
    assert cluster["complete"] == 3
    assert cluster["value"] == pytest.approx(cluster["alone"], abs=1e-4)


@claim("One or two folds were begun a second time.")
def test_little_is_done_twice(cluster):
    """One or two."""
    assert cluster["by_victim"] >= 1
    assert 0 < cluster["begun"] - 12 <= 5
