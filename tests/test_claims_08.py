"""Claims of notebook 08, Boston: K-fold.

Spreads: seeds 1 to 5 and 8 with Keras, and with a NumPy copy of network and
optimizer 60 seeds of the folds and 6 of the splits.
"""

import keras
import numpy as np
import pytest

from claims import claim, history, model, seen_on_tensorflow, table
from lesson import load_boston

FOLDS = (1, 2, 3, 4)
(FEATURES, TARGETS), (TEST_FEATURES, TEST_TARGETS) = load_boston()


@pytest.fixture(scope="module")
def histories():
    return {fold: history(f"history_boston_fold_{fold}") for fold in FOLDS}


@pytest.fixture(scope="module")
def average(histories):
    """Validation MAE, mean of the four folds, by epoch."""
    return sum(h["val_mae"] for h in histories.values()) / 4


@pytest.fixture(scope="module")
def smoothed():
    return table("boston_smoothed").set_index("epoch")["mae"]


@pytest.fixture(scope="module")
def splits():
    return table("boston_splits")


def mae_of(network, features, targets, rows):
    """MAE of a saved network on features that `rows` of the training data scale."""
    scaled = (features - FEATURES[rows].mean(axis=0)) / FEATURES[rows].std(axis=0)
    return float(np.abs(network.predict(scaled, verbose=0)[:, 0] - targets).mean())


# --- That what was judged is what the prose describes --------------------------------


@pytest.mark.parametrize("fold", FOLDS)
def test_fold_is_what_the_prose_describes(fold, histories):
    """Each saved model, measured here on its fold with the yardstick of its own training rows.

    Another yardstick, other validation rows or overlapping folds give another MAE.
    """
    network, curves = model(f"model_boston_fold_{fold}"), histories[fold]
    val = np.arange((fold - 1) * 101, fold * 101)
    train = np.setdiff1d(np.arange(404), val)
    assert list(curves.index) == list(range(1, 101))
    assert network.count_params() == 5_121
    assert isinstance(network.optimizer, keras.optimizers.RMSprop)
    assert int(network.optimizer.iterations) == 100 * 303
    measured = mae_of(network, FEATURES[val], TARGETS[val], train)
    assert measured == pytest.approx(curves["val_mae"][100], rel=1e-4)
    assert table("boston_folds")["mae"][fold - 1] == pytest.approx(measured, rel=1e-4)
    # It did learn from the other rows: an epoch's mean MAE is near that at its end.
    on_training = mae_of(network, FEATURES[train], TARGETS[train], train)
    assert on_training == pytest.approx(curves["mae"][100], abs=0.8)


def test_smoothed_line_is_that_of_the_folds(average, smoothed):
    line, expected = None, []
    for value in average[10:]:
        line = value if line is None else 0.9 * line + 0.1 * value
        expected.append(line)
    assert list(smoothed.index) == list(range(11, 101))
    np.testing.assert_allclose(smoothed, expected, rtol=1e-6)


def test_final_model_is_what_the_prose_describes(smoothed):
    network, result = model("model_boston"), table("boston_test").iloc[0]
    assert result["epochs"] == smoothed.idxmin()
    assert int(network.optimizer.iterations) == 404 * result["epochs"]
    measured = mae_of(network, TEST_FEATURES, TEST_TARGETS, np.arange(404))
    assert result["mae"] == pytest.approx(measured, rel=1e-4)
    assert result["expected"] == pytest.approx(smoothed.min())


# --- 3. steps_per_execution ----------------------------------------------------------


@claim("Both fits report the same training MAE after every epoch, to four decimals.")
def test_steps_per_execution_changes_no_number():
    """Equal to the last digit."""
    runs = table("boston_steps").pivot(index="epoch", columns="steps", values="mae")
    assert list(runs.columns) == [1, 303]
    assert len(runs) == 20
    np.testing.assert_allclose(runs[1], runs[303], atol=5e-5)


@seen_on_tensorflow("Keras on PyTorch executes one step at a time")
@claim("The second takes less time.")
def test_steps_per_execution_saves_time():
    """A third to a half of the time, unless the machine is busy with other work."""
    seconds = table("boston_steps").groupby("steps")["seconds"].first()
    assert seconds[303] < seconds[1]


# --- 4. One split misleads -----------------------------------------------------------


@claim(
    "The same network is off by less than 2,400 dollars on the luckiest of the twenty splits and "
    "by more than 2,700 on the unluckiest.",
)
def test_splits_differ(splits):
    """Luckiest 2.08 to 2.20, unluckiest 2.79 to 3.31."""
    mae = splits[splits["seed"] == 8]["mae"]
    assert len(mae) == 20
    assert mae.min() < 2.4
    assert 2.7 < mae.max() < 4


@claim("Six seeds on one split lie closer together than the twenty splits do.")
def test_seeds_differ_less_than_splits(splits):
    """Seeds are 0.06 to 0.55 apart, splits 0.62 to 1.15, at most 0.58 times the other."""
    by_split = splits[splits["seed"] == 8]["mae"]
    by_seed = splits[splits["split"] == 1]["mae"]
    assert len(by_seed) == 6
    assert 0 < np.ptp(by_seed) < np.ptp(by_split)


# --- 5. K-fold -----------------------------------------------------------------------


@claim(
    "After 100 epochs the four folds have MAEs between 1.6 and 3.7 thousand dollars, and the best "
    "and the worst are more than 50 dollars apart.",
)
def test_folds_differ(histories):
    """1.78 to 3.52; apart by 0.11 to 1.36."""
    maes = [h["val_mae"][100] for h in histories.values()]
    assert all(1.6 < mae < 3.7 for mae in maes)
    assert np.ptp(maes) > 0.05


@claim(
    "Their mean is between 2.0 and 3.0, less than half of what always saying the mean price costs.",
)
def test_k_fold_mae(average):
    """2.16 to 2.76; always the mean: 6.68."""
    assert 2.0 < average[100] < 3.0
    costs = []
    for fold in FOLDS:
        val = np.arange((fold - 1) * 101, fold * 101)
        costs.append(np.abs(TARGETS[val] - np.delete(TARGETS, val).mean()).mean())
    np.testing.assert_allclose(table("boston_folds")["baseline"], costs)
    assert average[100] < np.mean(costs) / 2


# --- 6. The curves -------------------------------------------------------------------


@claim(
    "In the first ten epochs the mean validation MAE falls by more than a thousand dollars; over "
    "the last fifty it gains less than 200.",
)
def test_curve_falls_then_levels_off(average):
    """Falls by 1.20 to 3.00; gains -0.25 to 0.08 (means of five epochs)."""
    assert average[1] - average[10] > 1
    assert average[46:50].mean() - average[96:100].mean() < 0.2


@claim(
    "At epoch 100 the training MAE is below the validation MAE in every fold, on average by more "
    "than 700 dollars.",
)
def test_training_mae_is_lower(histories):
    """By 0.45 to 2.27 in a fold, by 0.90 to 1.55 on average."""
    gaps = [h["val_mae"][100] - h["mae"][100] for h in histories.values()]
    assert min(gaps) > 0
    assert np.mean(gaps) > 0.7


@claim("The smoothed line has its lowest point later than epoch 30.")
def test_smoothed_line_turns_late(smoothed):
    """Epoch 44 to 100."""
    assert smoothed.idxmin() > 30


@claim("From epoch 50 to epoch 100 it stays within a band of 300 dollars.")
def test_smoothed_line_is_flat(smoothed):
    """Band of 57 to 160 dollars."""
    assert np.ptp(smoothed.loc[50:]) < 0.3


# --- 7. The test set -----------------------------------------------------------------


@claim(
    "On the test rows the final model has an MAE between 2.1 and 3.2 thousand dollars, within 800 "
    "dollars of what K-fold let us expect.",
)
def test_test_mae():
    """2.34 to 2.91; from the expected by -0.1 to 0.5."""
    result = table("boston_test").iloc[0]
    assert 2.1 < result["mae"] < 3.2
    assert abs(result["mae"] - result["expected"]) < 0.8


# --- 8. Leaks ------------------------------------------------------------------------


@claim(
    "The leak changes the mean of the four folds by less than 100 dollars, and by less than "
    "another seed or split would.",
)
def test_scaler_leak_hides_next_to_nothing(splits):
    """0.000 to 0.022; another seed 0.06 to 0.55, another split 0.62 to 1.15."""
    leak = table("boston_leak")
    change = abs(leak["leaky"].mean() - leak["fixed"].mean())
    assert (leak["leaky"] != leak["fixed"]).any(), "nothing was fixed"
    assert change < 0.1
    for same in ("seed", "split"):
        kept = splits[splits[same] == {"seed": 8, "split": 1}[same]]["mae"]
        assert change < np.ptp(kept)


@pytest.fixture(scope="module")
def noise():
    return table("boston_noise").set_index("choice")["mae"]


@claim(
    "Chosen on all rows, random columns beat always saying the mean price by more than 2,000 "
    "dollars.",
)
def test_noise_seems_to_predict(noise):
    """4.3 to 4.6 against 7.4, for six draws of the noise."""
    assert noise["leaky"] < noise["mean"] - 2


@claim("Chosen inside the loop they do worse than it.")
def test_noise_does_not_predict(noise):
    """7.6 to 9.1 against 7.4."""
    assert noise["fixed"] > noise["mean"]
