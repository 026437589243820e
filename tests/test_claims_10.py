"""Claims of notebook 10, Beyond ninety percent.

Spreads: seeds 1 to 5, unless a docstring says otherwise.
"""

import json
from unittest import mock

import keras
import numpy as np
import pytest

import remedies_seeds
import train_best
from claims import claim, history, reason, seen_on_tensorflow, stated, table
from lesson import CIFAR10_CLASSES, load_cifar10, load_history, load_model, load_table
from lesson.outputs import REFERENCE
from notebook_files import NOTEBOOKS, code, read
from train_best import DEVIATION, EPOCHS, MEAN, build_model, compile_model

ACCURACY, VAL_ACCURACY = "categorical_accuracy", "val_categorical_accuracy"
GOAL = 0.93  # of the large network on the test set: the one place to change
GOAL_VIEWS = 0.94  # of the same, with six views averaged
LONGEST = 75  # minutes of its training, on one core
LARGEST = 10_000_000  # bytes of its file
CLASSIC_EPOCHS, BENCH_EPOCHS, BENCH_IMAGES = 8, 20, 1_000


def share_right(network, images, labels):
    said = network.predict(images / np.float32(255), batch_size=500, verbose=0)
    return float(np.mean(said.argmax(axis=1) == labels[:, 0]))


@pytest.fixture(scope="module")
def cifar10():
    """Loaded when a claim is judged, and not whenever pytest collects."""
    return load_cifar10()


@pytest.fixture(scope="module")
def classic():
    return load_history("history_classic")


@pytest.fixture(scope="module")
def control():
    """That of the notebook, seed 10."""
    return history("history_bench_control")


@pytest.fixture(scope="module")
def seeds():
    return load_table("remedies_seeds")


@pytest.fixture(scope="module")
def remedies():
    """The table of section 6, a row for a fit and seed."""
    return table("remedies")


@pytest.fixture(scope="module")
def best():
    """The large network as the notebook found it."""
    return load_model("model_best")


@pytest.fixture(scope="module")
def tested(cifar10):
    """Test accuracy of the two networks, from the answers that the notebook saved."""
    _, (images, labels) = cifar10
    assert len(images) == 10_000
    return {name: np.mean(given == labels[:, 0]) for name, given in table("test_answers").items()}


# --- That what was judged is what the prose describes --------------------------------


def test_classic_network_is_what_the_prose_builds():
    built = load_model("model_classic")
    kinds = [type(layer).__name__ for layer in built.layers]
    assert kinds == [*["Conv2D", "MaxPooling2D"] * 3, "Dropout", "Flatten", "Dense", "Dropout",
                     "Dense"]  # fmt: skip
    counts = [layer.count_params() for layer in built.layers if layer.count_params()]
    assert counts == [208, 2_080, 8_256, 512_500, 5_010]
    assert built.count_params() == 528_054
    assert [layer.rate for layer in built.layers if hasattr(layer, "rate")] == [0.3, 0.4]


def test_script_builds_the_networks_of_the_prose():
    shapes = [w.shape for w in load_model("model_classic").weights]
    assert [w.shape for w in remedies_seeds.create_classic().weights] == shapes
    assert remedies_seeds.create_classic(0.99).count_params() == 528_390


def test_stored_table_is_whole(seeds):
    counts = seeds.groupby(["fit", "seed"])["epoch"].agg(["count", "max"])
    assert set(counts.index) == {
        (fit, seed) for fit in remedies_seeds.REMEDIES for seed in remedies_seeds.SEEDS
    }
    for (fit, _), row in counts.iterrows():
        assert row["count"] == row["max"] == remedies_seeds.REMEDIES[fit]


def test_classic_model_is_that_of_its_best_epoch(classic):
    rows = table("classic_evaluated").set_index("images")
    assert rows["accuracy"]["validation"] == pytest.approx(classic[VAL_ACCURACY].max(), abs=3e-4)
    assert list(classic.index) == list(range(1, CLASSIC_EPOCHS + 1))


def settings(network):
    """Kind and settings of each layer, in order, but for its name."""
    unnamed = []
    for layer in network.layers:
        config = layer.get_config()
        unnamed.append((type(layer).__name__, {k: v for k, v in config.items() if k != "name"}))
    return keras.tree.map_structure(str, unnamed)


def shapes(network):
    rows = [(type(n).__name__, str(n.output.shape), n.count_params()) for n in network.layers]
    return [row for row in rows if row[0] != "InputLayer"]


def test_command_builds_the_network_that_was_trained(best, cifar10):
    """Layers, settings, shapes, parameters; and with the same weights the same answers.

    The notebook shows and trains what it imports from the command.
    """
    ours = build_model(cifar10[0][0][:5_000], without=("skips",))
    assert shapes(ours) == shapes(best)
    assert settings(ours) == settings(best)
    ours.set_weights(best.get_weights())
    asked = cifar10[0][0][:50] / np.float32(255)
    said = [network.predict(asked, verbose=0) for network in (ours, best)]
    np.testing.assert_allclose(*said, atol=1e-4)


def test_answers_are_the_models(best, cifar10):
    """On 500 of the test images: all 10,000 were asked in the notebook."""
    _, (images, labels) = cifar10
    answers = table("test_answers")
    assert len(answers) == 10_000
    for name, network in {"classic": load_model("model_classic"), "large": best}.items():
        again = network.predict(images[:500] / np.float32(255), verbose=0).argmax(axis=1)
        assert np.mean(again == answers[name][:500]) > 0.995


def test_record_tells_how_the_network_was_made(tested):
    """Command, seed, versions, time; and the score is the model's."""
    record = json.loads((REFERENCE / "model_best.json").read_text(encoding="utf-8"))
    assert record["command"].startswith("python train_best.py --seed ")
    assert "--validate" not in record["command"], "trained on all 50,000 images"
    assert str(record["seed"]) in record["command"]
    assert record["command"].endswith("--without skips")
    assert record["epochs"] == EPOCHS == len(load_history("history_best"))
    assert 0 < record["minutes"] <= LONGEST
    assert record["cores"]
    assert record["python"]
    assert {"keras", "numpy"} <= set(record["versions"])
    assert record["test_accuracy"] == pytest.approx(tested["large"], abs=3e-4)
    assert (REFERENCE / "model_best.keras").stat().st_size < LARGEST


# --- 2. The classic network -----------------------------------------------------------


@claim(
    "After eight epochs it classifies 68% of the validation images correctly (68 to 70% over "
    "three seeds)."
)
def test_classic_network_is_about_seventy(classic):
    """0.679 to 0.697 (seeds 1, 2, 10), each after epoch 8."""
    assert classic[VAL_ACCURACY].idxmax() == CLASSIC_EPOCHS
    assert 0.67 < classic[VAL_ACCURACY].max() < 0.71


@claim(
    "With dropout off, it classifies 74% of the training images correctly: it has begun to "
    "overfit, a little."
)
def test_classic_network_measured_without_dropout():
    """Seed 10 alone, a stored model: 0.735, and 0.679 of the validation images."""
    accuracy = table("classic_evaluated").set_index("images")["accuracy"]
    assert accuracy["training"] == pytest.approx(0.735, abs=0.006)
    assert 0.01 < accuracy["training"] - accuracy["validation"] < 0.1


@claim("Both losses of the history are lower after the eighth epoch than after the seventh.")
def test_classic_network_is_not_done(classic):
    """A stored fit: both still fall."""
    assert classic["loss"][8] < classic["loss"][7]
    assert classic["val_loss"][8] < classic["val_loss"][7]


@reason("97% of them are in one layer; the three convolutions have 10,544 together.")
def test_classic_counts_of_the_prose():
    built = load_model("model_classic")
    assert 512_500 / built.count_params() == pytest.approx(0.97, abs=0.005)
    assert 208 + 2_080 + 8_256 == 10_544


# --- 3. The bench ---------------------------------------------------------------------


@claim(
    "After 20 epochs the control classifies more than 65% of its training images correctly, but "
    "fewer than half of the validation images."
)
def test_control_overfits(control, seeds):
    """Training 0.75 to 0.78, validation 0.43 to 0.47."""
    curves = [control, *(fit.set_index("epoch") for _, fit in of(seeds, "control"))]
    for one in curves:
        assert one[ACCURACY][BENCH_EPOCHS] > 0.65
        assert 0.35 < one[VAL_ACCURACY][BENCH_EPOCHS] < 0.5


@claim("Its validation loss turns: it is lowest before the last epoch, and ends higher.")
@reason("Batch normalisation makes this network learn its *training images* faster; it does not")
def test_control_turns(control):
    """Lowest after epochs 10 to 12; ends higher by 0.10 (seed 10) to 0.31 (seed 2)."""
    loss = control["val_loss"]
    assert loss.idxmin() < BENCH_EPOCHS
    assert loss[BENCH_EPOCHS] > loss.min() + 0.03
    assert control["loss"][BENCH_EPOCHS] < control["loss"][loss.idxmin()]


@stated(
    "from the first 1,000 training images only, in batches of 20, for 20 epochs, and are measured"
)
@stated("on 1,000 validation images.")
def test_bench_is_what_the_prose_describes():
    """The notebook's fit, with a model that notes what it is given; and the script's numbers."""
    (path,) = (path for path in NOTEBOOKS if path.name.startswith("10-"))
    (cell,) = (cell.source for cell in code(read(path)) if cell.id == "bench-function")
    model = mock.Mock()
    train, val = np.arange(40_000), np.arange(40_000, 50_000)
    names = {"keras": keras, "LiveCurves": mock.Mock(), "train_images": train, "val_images": val}
    names |= {"train_labels": train, "val_labels": val}
    exec(cell, names)
    names["fit_on_bench"](model)
    (x, y), options = model.fit.call_args
    np.testing.assert_array_equal([x, y], [train[:1_000]] * 2)
    np.testing.assert_array_equal(options["validation_data"], [val[:1_000]] * 2)
    assert (options["batch_size"], options["epochs"]) == (20, 20)
    script = remedies_seeds
    assert (script.BENCH, script.CHECKED, script.BATCH, script.EPOCHS) == (1_000, 1_000, 20, 20)


@seen_on_tensorflow("PyTorch: the best epoch is the last")
@claim(
    "The best epoch is not the last, and the file holds the best: loaded again, it has the "
    "accuracy that the history tells of it."
)
def test_file_holds_the_best_epoch(control):
    kept = table("control_kept").set_index("epoch")["accuracy"]
    assert control[VAL_ACCURACY].idxmax() < BENCH_EPOCHS
    assert kept["best"] == pytest.approx(control[VAL_ACCURACY].max(), abs=0.0015)
    assert kept["last"] == pytest.approx(control[VAL_ACCURACY][BENCH_EPOCHS], abs=0.0015)


def kept(folder, monitor, mode, values):
    """A checkpoint's best value of the column m, and the epoch, from 1, that is in its file."""
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = keras.callbacks.ModelCheckpoint(
        folder / "m.keras", monitor=monitor, mode=mode, save_best_only=True
    )
    callback.set_model(network)
    for epoch, value in enumerate(values, start=1):
        network.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        callback.on_epoch_end(epoch, {"m": value})
    file = keras.saving.load_model(folder / "m.keras")
    return callback.best, file.get_weights()[0].item()


@reason("the column of the history to watch. Unless told otherwise: the validation loss |")
@reason('| `mode` | `"max"` when more is better, `"min"` when less is |')
def test_arguments_of_the_checkpoint(tmp_path):
    def best(mode, values):
        return kept(tmp_path, "m", mode, values)[0]

    assert keras.callbacks.ModelCheckpoint(tmp_path / "m.keras").monitor == "val_loss"
    assert best("max", [0.5, 0.7, 0.6]) == 0.7
    assert best("min", [0.5, 0.4, 0.6]) == 0.4


@stated("A wrong name in `monitor` raises no error when `mode` is given: Keras warns, and the file")
@stated('holds the *last* epoch. With `mode="min"` it holds the *worst*.')
def test_what_a_checkpoint_with_a_mistake_holds(tmp_path):
    def held(mode, monitor="m"):
        """The epoch in the file, of four: the second was the best, the third the worst."""
        return kept(tmp_path, monitor, mode, (0.6, 0.7, 0.5, 0.65))[1]

    assert held("max") == 2
    assert held("min") == 3
    with pytest.warns(UserWarning, match="mm"):
        assert held("max", "mm") == 4


@reason("Two thirds of its file are Adam's state, for whoever wants to go on.")
def test_adam_keeps_two_numbers_for_each_parameter():
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5)])
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    kept = sum(int(np.prod(v.shape)) for v in network.optimizer.variables)
    assert kept / (kept + network.count_params()) == pytest.approx(2 / 3, abs=0.02)


@claim("The second call runs epochs 3 and 4 only, and its history has no others.")
def test_backup_goes_on():
    assert table("backup_losses")["epoch"].tolist() == [3, 4]


@claim("The two fits do not end with the same loss, though they begin with the same seed.")
def test_resumed_fit_is_another_one():
    """Epoch 3: 2.219 and 2.117 (seed 10)."""
    losses = table("backup_losses")
    assert abs(losses["uncut"] - losses["resumed"]).max() > 1e-3


# --- 4. Augmentation ------------------------------------------------------------------


def of(seeds, fit):
    return seeds[seeds["fit"] == fit].groupby("seed")


def lasts(seeds, fit, column):
    return of(seeds, fit)[column].last()


def lows(seeds, fit):
    return of(seeds, fit)["val_loss"].min()


@claim(
    "With augmentation the training accuracy in the history ends more than 10 points below the "
    "control's, with every seed."
)
def test_augmentation_makes_the_task_harder(seeds):
    """By 0.23 to 0.27."""
    control = lasts(seeds, "control", ACCURACY)
    assert (control - lasts(seeds, "augmentation", ACCURACY) > 0.10).all()


@claim("The validation loss ends lower than the control's, with every seed.")
def test_augmentation_ends_lower(seeds):
    control = lasts(seeds, "control", "val_loss")
    assert (lasts(seeds, "augmentation", "val_loss") < control - 0.05).all()


@claim("Its lowest point comes later, and is lower, with every seed.")
def test_augmentation_is_better_at_its_best_epoch(seeds):
    assert (lows(seeds, "augmentation") < lows(seeds, "control")).all()
    place = [of(seeds, fit)["val_loss"].apply(np.argmin) for fit in ("augmentation", "control")]
    assert (place[0] > place[1]).all()


# --- 5. Batch normalisation -----------------------------------------------------------


@claim("In each of the first ten epochs its mean training accuracy is above the control's.")
def test_batch_normalisation_learns_faster(seeds):
    means = seeds.groupby(["fit", "epoch"])[ACCURACY].mean()
    assert (means["batch norm"][:10] > means["control"][:10]).all()


@claim(
    "After each of the first two epochs it classifies fewer than 30% of the validation images "
    "correctly, with every seed."
)
def test_moving_statistics_need_time(seeds):
    """0.10 to 0.16."""
    first = seeds[(seeds["fit"] == "batch norm") & (seeds["epoch"] <= 2)]
    assert first[VAL_ACCURACY].max() < 0.3


@claim(
    "With `momentum=0.9` instead of 0.99, so that the moving statistics arrive within an epoch, it "
    "classifies more than 25% after the second epoch, with every seed."
)
@reason("So the poor start is the moving statistics: after four epochs 13% of the 1 is left")
def test_faster_moving_statistics_mend_the_start(seeds):
    """0.31 to 0.37. 0.99^200 is 0.134; a batch's variance about 0.02."""
    second = seeds[seeds["epoch"] == 2].pivot(index="seed", columns="fit", values=VAL_ACCURACY)
    assert (second["batch norm 0.9"] > 0.25).all()
    assert (second["batch norm 0.9"] > second["batch norm"]).all()
    assert 0.9**50 < 0.01, "arrived within an epoch"
    start = table("norm_start").set_index("epoch")
    assert start["left of the 1"][4] == pytest.approx(0.99**200)
    assert start["left of the 1"][4] == pytest.approx(0.13, abs=0.005)
    assert 3 < start["moving / batch"][4] < 20


@claim(
    "Its validation loss turns as well: with every seed it is lowest before the last epoch, and "
    "ends higher."
)
def test_batch_normalisation_does_not_cure(seeds):
    assert (lasts(seeds, "batch norm", "val_loss") > lows(seeds, "batch norm") + 0.03).all()


@reason("The convolution then needs no bias: subtracting the mean takes any bias away")
def test_normalisation_takes_a_bias_away():
    values = np.random.default_rng(1).normal(size=(64, 3)).astype("float32")
    one, other = (
        keras.ops.convert_to_numpy(keras.layers.BatchNormalization()(v, training=True))
        for v in (values, values + 7)
    )
    np.testing.assert_allclose(one, other, atol=1e-4)
    assert not np.allclose(values, values + 7)


@reason(
    "Dropout leaves the mean alone, but it changes the variance, in training only, so that moving "
    "statistics collected behind it do not fit at prediction."
)
def test_dropout_changes_the_variance_in_training_only():
    rng = np.random.default_rng(1)
    numbers = rng.normal(1, 1, 100_000)
    dropped = keras.ops.convert_to_numpy(keras.layers.Dropout(0.4, seed=1)(numbers, training=True))
    assert dropped.mean() == pytest.approx(numbers.mean(), abs=0.03)
    assert dropped.var() > 2 * numbers.var()


# --- 6. A schedule, early stopping, all together ---------------------------------------


def means(remedies, column):
    return remedies.groupby("fit")[column].mean()


@claim(
    "At the last epoch the mean validation losses are far apart: below 1.7 with augmentation or "
    "the schedule, above 2.2 without dropout."
)
def test_last_epochs_are_far_apart(remedies):
    """Augmentation 1.55, schedule 1.54, control 1.80, batch norm 1.82, no dropout 2.49."""
    last = means(remedies, "loss, last")
    assert last[["augmentation", "schedule"]].max() < 1.7
    assert last.idxmax() == "no dropout"
    assert last.max() > 2.2


@claim("At the best epoch they are within 0.2 of one another.")
def test_best_epochs_are_close(remedies):
    best = means(remedies, "loss, best")
    assert np.ptp(best) < 0.2
    assert np.ptp(best) < np.ptp(means(remedies, "loss, last")) / 3


@claim(
    "At their best epochs augmentation and the schedule are a little below the control, by less "
    "than 0.15 with every seed; batch normalisation is within 0.1 of it on average."
)
def test_two_are_a_little_ahead(remedies):
    """Augmentation by 0.02 to 0.10, the schedule by 0.03 to 0.09."""
    best = remedies.pivot(index="seed", columns="fit", values="loss, best")
    for name in ("augmentation", "schedule"):
        assert (best["control"] - best[name]).between(0, 0.15).all()
    assert abs(best["batch norm"].mean() - best["control"].mean()) < 0.1


@claim(
    "The schedule ends more than 0.1 lower than the control, but at their best epochs the two are "
    "within 0.1 of each other, with every seed."
)
def test_schedule_settles(remedies):
    last = remedies.pivot(index="seed", columns="fit", values="loss, last")
    assert (last["control"] - last["schedule"] > 0.1).all()
    best = remedies.pivot(index="seed", columns="fit", values="loss, best")
    assert (abs(best["schedule"] - best["control"]) < 0.1).all()


@claim(
    "Dropout changes the last epoch much, and the best one little: without it the mean loss ends "
    "more than 0.3 higher, and is within 0.1 of the control's at the best epoch."
)
def test_what_the_dropout_of_the_control_does(remedies):
    last, best = means(remedies, "loss, last"), means(remedies, "loss, best")
    assert last["no dropout"] > last["control"] + 0.3
    assert abs(best["no dropout"] - best["control"]) < 0.1


@claim(
    "The classic network of section 2, with forty times the images, is more than 10 points more "
    "accurate than any fit of the bench, the control after 100 epochs among them."
)
@reason("and it was not their steps: on 1,000 images as many steps do not help.")
def test_more_images_help_most(remedies, classic, seeds):
    """The classic 0.679 to 0.697; the bench at most 0.474, after 100 epochs 0.468 to 0.487."""
    reached = remedies[["accuracy, best", "accuracy, last"]].to_numpy().max()
    longer = of(seeds, "control 100")[VAL_ACCURACY].max()
    assert classic[VAL_ACCURACY].max() > max(reached, longer.max()) + 0.1
    assert 100 * BENCH_IMAGES / 20 == CLASSIC_EPOCHS * 40_000 / 64, "as many steps"


@claim(
    "At its last epoch the control is a little more accurate than at its best one, on average, "
    "though its loss is higher by more than 0.1 with every seed."
)
@stated("in section 3 it was the most accurate one, and on the control that is a later epoch.")
def test_best_by_accuracy_is_another_epoch(remedies, control):
    """Accuracy by -0.015 to 0.037, 0.015 on average; loss by 0.17 to 0.31."""
    its = remedies[remedies["fit"] == "control"]
    assert 0 < (its["accuracy, last"] - its["accuracy, best"]).mean() < 0.05
    assert (its["loss, last"] - its["loss, best"] > 0.1).all()
    assert control[VAL_ACCURACY].idxmax() > control["val_loss"].idxmin()


def test_early_stopping_is_the_control_cut_short(remedies, seeds):
    both = remedies.set_index(["fit", "seed"])
    for seed in remedies["seed"].unique():
        cut, whole = both.loc["early stopping", seed], both.loc["control", seed]
        assert cut["epochs"] <= whole["epochs"]
        assert cut["epochs"] - cut["best epoch"] == 3 or cut["epochs"] == BENCH_EPOCHS
        assert whole["loss, last"] == pytest.approx(lasts(seeds, "control", "val_loss")[seed])


# --- 7. A residual network --------------------------------------------------------------


@reason("It is a tiny one: six numbers, the same to two digits when those images are left out.")
def test_leak_of_the_first_layer_is_small(cifar10):
    pixels = cifar10[0][0][:40_000, ::2].astype("float64") / 255
    np.testing.assert_allclose(pixels.mean(axis=(0, 1, 2)), MEAN, atol=0.005)
    np.testing.assert_allclose(pixels.std(axis=(0, 1, 2)), DEVIATION, atol=0.005)


@reason("eight tenths for the true class, two tenths spread evenly over all ten.")
@reason("each shifted by up to two pixels and mirrored in every second epoch.")
def test_settings_of_the_command_that_the_prose_tells(cifar10):
    network = build_model(cifar10[0][0][:50], without=("width",))
    compile_model(network, 10)
    assert network.loss.label_smoothing == 0.2
    assert train_best.SHIFT == 2
    assert train_best.BATCH == 1_000
    images, labels = cifar10[0][0][:50], np.eye(10)[cifar10[0][1][:50, 0]]
    first, second = (train_best.Epoch(images, labels, 1, epoch).mirrored for epoch in (0, 1))
    assert (first != second).all()


@pytest.fixture(scope="module")
def untrained(cifar10):
    keras.utils.set_random_seed(1)
    images = cifar10[0][0]
    return build_model(images[:1_000], without=("width",)), images[40_000:40_100] / np.float32(255)


@reason("the outputs of the first twelve filters are uncorrelated and nearly all of equal size")
def test_whitened_channels_are_uncorrelated(untrained):
    """Pixels: 0.93 and more. Ten of the twelve are of equal size; two are mostly noise."""
    network, images = untrained
    whiten = keras.Model(network.input, network.get_layer("whiten").output)
    channels = keras.ops.convert_to_numpy(whiten(images)).reshape(-1, 24)[:, :12].T
    apart = np.corrcoef(channels) - np.eye(12)
    assert abs(apart).mean() < 0.1
    assert np.corrcoef(images[:, :, 1:, 0].ravel(), images[:, :, :-1, 0].ravel())[0, 1] > 0.85
    assert channels.std(axis=1).max() < 3 * np.median(channels.std(axis=1))


@reason("its first filters copy a channel each, and any further ones begin at random.")
@reason("and with a momentum of 0.6 its moving statistics arrive within ten batches.")
@reason("All weights that are no filters take ordinary steps, at 440 times the rate (`rest`).")
def test_how_the_layers_begin_and_learn(untrained):
    network, _ = untrained
    layers = [layer for layer in network.layers if layer.name.startswith("conv2d")]
    assert len(layers) == 6
    for layer in layers:
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        copied = min(kernel.shape[2:])
        assert (kernel[1, 1, :copied, :copied] == np.eye(copied)).all()
        assert abs(kernel[..., :copied]).sum() == copied
        assert kernel[..., copied:].std(axis=(0, 1, 2)).all()
    norms = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    assert {one.momentum for one in norms} == {0.6}
    assert 0.6**10 < 0.01
    compile_model(network, 10)
    assert network.optimizer.rest == 440


@reason("`Rescaling` makes the scores smaller, so that the first predictions are not too sure.")
def test_first_predictions_are_not_too_sure(untrained):
    network, images = untrained
    scores = keras.Model(network.input, network.layers[-2].output)(images)
    sure = keras.ops.convert_to_numpy(keras.ops.softmax(scores)).max(axis=1).mean()
    unscaled = keras.ops.convert_to_numpy(keras.ops.softmax(scores * 72)).max(axis=1).mean()
    assert sure < 0.45
    assert unscaled > sure + 0.2


@seen_on_tensorflow("PyTorch: 50% against 28%")
@claim(
    "After two epochs on 2,000 images it classifies 55% of the validation images correctly, more "
    "than twice as many as the control did after two epochs."
)
def test_residual_network_is_ahead_after_two_epochs(control):
    """Seed 10 alone: 0.548, the control 0.206."""
    live = history("history_small")
    assert list(live.index) == [1, 2]
    assert 0.48 < live[VAL_ACCURACY][2] < 0.62
    assert live[VAL_ACCURACY][2] > 2 * control[VAL_ACCURACY][2]


# --- 8. The ablation ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ablation():
    return load_table("ablation").set_index("without")["validation_accuracy"]


@claim(
    "Whole, the network classifies 92% of the validation images correctly; half as wide, with all "
    "its other parts, 91%, 1.4 points fewer."
)
def test_narrow_network(ablation):
    """One seed: 0.9248 and 0.9108."""
    assert ablation["nothing"] == pytest.approx(0.925, abs=0.005)
    assert ablation["nothing"] - ablation["width"] == pytest.approx(0.014, abs=0.0005)
    assert ablation["width"] == pytest.approx(0.91, abs=0.005)


@claim(
    "Without batch normalisation it classifies about half of them correctly, and with a rate that "
    "does not fall about two thirds."
)
def test_normalisation_and_schedule_are_worth_most(ablation):
    """0.504 and 0.656, one seed each."""
    assert ablation["width normalisation"] == pytest.approx(0.50, abs=0.04)
    assert ablation["width schedule"] == pytest.approx(0.66, abs=0.04)


@claim(
    "Without augmentation it is more than 3 points less accurate; without whitening, its first "
    "layer learning too, less than 1 point."
)
def test_augmentation_and_whitening(ablation):
    """0.877 and 0.905 against 0.911, one seed each."""
    assert 0.03 < ablation["width"] - ablation["width augmentation"] < 0.05
    assert 0.002 < ablation["width"] - ablation["width whitening"] < 0.01


@claim(
    "Without its skips it is as accurate as with them, to within half a point, and without label "
    "smoothing too."
)
def test_skips_and_smoothing_are_worth_little_here(ablation):
    for part in ("skips", "smoothing"):
        assert abs(ablation[f"width {part}"] - ablation["width"]) < 0.005


@claim("Label smoothing makes the validation loss higher: 0.47 with it, below 0.3 without.")
def test_smoothing_costs_loss():
    losses = load_table("ablation").set_index("without")["validation_loss"]
    assert losses["width"] == pytest.approx(0.47, abs=0.02)
    assert losses["width smoothing"] < 0.3


@stated("would still have a loss of 0.20, measured with exact labels")
def test_least_loss_of_smoothed_labels():
    assert -np.log(0.8 + 0.2 / 10) == pytest.approx(0.20, abs=0.005)


# --- 9. The test set ----------------------------------------------------------------------------


@claim("The classic network classifies 68% of the test photographs correctly.")
def test_classic_network_on_the_test_set(tested):
    """Seed 10, a stored model: 0.680."""
    assert tested["classic"] == pytest.approx(0.68, abs=0.005)


@claim(
    "The large network classifies at least 93% correctly, with each seed, and the seeds lie "
    "within 1 point of each other."
)
def test_seeds_reach_the_goal(tested):
    """Seeds 1, 2, 3: 0.936, 0.9335, 0.934, with views 0.9445, 0.9427, 0.9429."""
    assert tested["large"] >= GOAL
    seeds = load_table("best_seeds")
    assert seeds["seed"].nunique() == len(seeds) >= 3
    assert seeds["test_accuracy"].min() >= GOAL
    assert np.ptp(seeds["test_accuracy"]) < 0.01
    assert set(seeds["epochs"]) == {EPOCHS}


@stated("the two cores of our machine took 37 minutes.")
@stated("Two seeds ran side by side, each on one core; the third had both.")
def test_minutes_on_two_cores():
    minutes = load_table("best_seeds").set_index("seed")["minutes"]
    assert minutes[3] == pytest.approx(37, abs=0.5)
    assert minutes[[1, 2]].min() > 1.5 * minutes[3]


@claim("With six views averaged it classifies at least 94% correctly, with each seed.")
def test_views_help():
    seeds = load_table("best_seeds")
    assert (seeds["test_accuracy_views"] >= max(GOAL_VIEWS, seeds["test_accuracy"].max())).all()


@stated(
    "Birds, which the classic network classifies worst, gained most, from 46 to 90%; trucks, "
    "among its best, gained least, from 81 to 95%."
)
def test_classes_that_gained(cifar10):
    labels = cifar10[1][1][:, 0]
    right = {n: given.to_numpy() == labels for n, given in table("test_answers").items()}
    share = {n: np.array([one[labels == i].mean() for i in range(10)]) for n, one in right.items()}
    gained = share["large"] - share["classic"]
    for i, name in ((gained.argmax(), "bird"), (gained.argmin(), "truck")):
        assert CIFAR10_CLASSES[i] == name
    assert gained.argmax() == share["classic"].argmin()
    assert share["classic"][gained.argmin()] > share["classic"].max() - 0.01
    for i, one in ((2, (0.46, 0.90)), (9, (0.81, 0.95))):
        assert [share[n][i] for n in ("classic", "large")] == pytest.approx(one, abs=0.005)


# --- 10. Transfer --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transfer():
    """Validation accuracy: a row for a seed and number of images, a column for a way."""
    rows = load_table("transfer_seeds")
    assert set(rows["seed"]) == set(remedies_seeds.SEEDS)
    return rows.pivot(index=["images", "seed"], columns="way", values="accuracy")


@reason(
    "Ours is small and has learned the first seven classes, from 28,000 of the training images. It "
    "has never seen a horse, a ship or a truck."
)
def test_old_classes_and_new_ones(cifar10):
    classes = cifar10[0][1][:40_000, 0]
    assert remedies_seeds.OLD_CLASSES == 7
    assert (classes < 7).sum() == pytest.approx(28_000, abs=50)
    assert list(CIFAR10_CLASSES[7:]) == ["horse", "ship", "truck"]


def test_pretrained_network_is_the_scripts():
    network = load_model("model_pretrained")
    ours = remedies_seeds.create_small(remedies_seeds.OLD_CLASSES)
    assert [w.shape for w in network.weights] == [w.shape for w in ours.weights]
    assert (REFERENCE / "model_pretrained.keras").stat().st_size < 300_000


@claim(
    "From 150 images, a new last layer on the frozen layers classifies 85% correctly (84 to 86% "
    "over five seeds), the network from scratch 77% (76 to 79%)."
)
def test_frozen_layers_beat_scratch(transfer):
    """Frozen 0.841 to 0.857, from scratch 0.764 to 0.788; apart by 0.055 to 0.085."""
    many = transfer.loc[150]
    assert many["frozen"].between(0.825, 0.87).all()
    assert many["scratch"].between(0.74, 0.81).all()
    assert many["frozen"].mean() == pytest.approx(0.85, abs=0.008)
    assert many["scratch"].mean() == pytest.approx(0.77, abs=0.012)


@claim(
    "Random layers, frozen, are more than 8 points behind the pretrained ones with every seed, "
    "with 30 images and with 150: it is the pretraining that helps, not that few weights learn."
)
def test_random_layers_are_behind(transfer):
    """By 0.09 to 0.21 with 30 images, 0.13 to 0.15 with 150. With statistics of batch
    normalisation as they begin, 0 and 1, these layers were 0.11 to 0.13 worse still.
    """
    assert (transfer["frozen"] - transfer["random frozen"] > 0.08).all()


@claim(
    "From 30 images it is 77 against 64% on average, and the frozen layers are ahead with every "
    "seed."
)
def test_frozen_layers_with_very_few_images(transfer):
    """Frozen 0.730 to 0.822, from scratch 0.606 to 0.670; apart by 0.090 to 0.216."""
    few = transfer.loc[30]
    assert (few["frozen"] > few["scratch"]).all()
    assert few["frozen"].mean() == pytest.approx(0.77, abs=0.015)
    assert few["scratch"].mean() == pytest.approx(0.64, abs=0.015)


@claim("Fine-tuning adds little here: less than 2 points on average, with 30 images and with 150.")
def test_fine_tuning_adds_little(transfer):
    """0.006 with 30 images (from -0.028 to 0.020), 0.006 with 150 (from 0.000 to 0.014)."""
    gained = (transfer["fine-tuned"] - transfer["frozen"]).groupby("images").mean()
    assert gained.between(-0.005, 0.02).all()
