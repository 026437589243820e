"""The command that trains the best network: same batches, and nothing lost by a kill."""

import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

import train_best
from train_best import (
    PARTS,
    Checkpoints,
    Epoch,
    build_model,
    compile_model,
    measure,
    predict_views,
    start_as_identity,
    train,
    whitening,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype="uint8")
LABELS = np.eye(10)[np.arange(40) % 10]
EPOCHS = 3


@pytest.fixture(scope="module", autouse=True)
def _small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_best, "BATCH", 16)
        yield


def small_model(*without):
    return build_model(IMAGES, without, widths=(24, 4, 4))


def new_model():
    keras.utils.set_random_seed(1)
    model = small_model()
    compile_model(model, EPOCHS * 3)
    return model


def run(folder, stop_before=None):
    """Train as the command does; die in the middle of an epoch if told to."""
    model = new_model()
    if stop_before is not None:
        fit = model.fit

        def dying(*args, initial_epoch, **kwargs):
            if initial_epoch == stop_before:
                raise KeyboardInterrupt
            return fit(*args, initial_epoch=initial_epoch, **kwargs)

        model.fit = dying
    return model, train(model, IMAGES, LABELS, 1, EPOCHS, Checkpoints(folder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing stopped."""
    return run(tmp_path_factory.mktemp("whole"))


def assert_same(run, whole):
    for ours, theirs in zip(run[0].weights, whole[0].weights, strict=True):
        ours, theirs = map(keras.ops.convert_to_numpy, (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert [r["loss"] for r in run[1]] == pytest.approx([r["loss"] for r in whole[1]], rel=1e-4)


@pytest.fixture(scope="module")
def remains(tmp_path_factory):
    """What a run leaves that was killed in its third epoch."""
    folder = tmp_path_factory.mktemp("killed")
    with pytest.raises(KeyboardInterrupt):
        run(folder, stop_before=2)
    return folder


@pytest.fixture
def killed(tmp_path, remains):
    """A copy of it."""
    return shutil.copytree(remains, tmp_path / "killed")


def test_run_that_was_killed_ends_as_if_it_had_not_been(killed, whole, capsys):
    assert_same(run(killed), whole)
    assert "Going on after epoch 2" in capsys.readouterr().out


@pytest.mark.parametrize("length", [0, 100, 5_000])
def test_checkpoint_that_was_cut_short_is_passed_over(killed, whole, capsys, length):
    newest = Checkpoints(killed).files()[0]
    newest.write_bytes(newest.read_bytes()[:length])
    assert_same(run(killed), whole)
    told = capsys.readouterr().out
    assert "epoch-002.weights.h5 cannot be used" in told
    assert "Going on after epoch 1" in told


@pytest.mark.parametrize("place", [-1, 0.6])
def test_without_a_whole_checkpoint_it_begins_again(killed, whole, capsys, place):
    """Also where the first half of each file can be read, and has been read into the model."""
    for file in Checkpoints(killed).files():
        kept = file.read_bytes()
        if place == -1:
            file.write_bytes(kept[:-1])
        else:
            start = int(len(kept) * place)
            file.write_bytes(kept[:start] + bytes(2000) + kept[start + 2000 :])
    assert_same(run(killed), whole)
    assert "beginning again with fresh weights" in capsys.readouterr().out


def test_history_that_is_missing_is_not_made_up(killed, whole):
    Checkpoints(killed).history.unlink()
    assert_same(run(killed), whole)


def test_two_checkpoints_are_kept(tmp_path, whole):
    run(tmp_path)
    names = [f.name for f in Checkpoints(tmp_path).files()]
    assert names == ["epoch-003.weights.h5", "epoch-002.weights.h5"]


def test_epoch_shows_every_image_once_shifted_and_half_of_them_mirrored():
    numbered = np.zeros((40, 32, 32, 3), "uint8")
    numbered[:, 10, 10, 0] = 255  # one bright pixel tells shift and mirroring
    numbered[:, :, :, 1] = np.arange(40)[:, None, None]
    first, second = ([Epoch(numbered, LABELS, 1, epoch)[i] for i in range(3)] for epoch in (0, 1))
    columns = {}
    for batches in (first, second):
        images = np.concatenate([x for x, _ in batches])
        labels = np.concatenate([y for _, y in batches])
        assert images.shape == (40, 32, 32, 3)
        assert images.dtype == "float32"
        which = np.rint(images[:, 16, 16, 1] * 255).astype(int)
        assert sorted(which) == list(range(40))
        np.testing.assert_array_equal(labels, LABELS[which])
        rows, places = np.divmod(images[..., 0].reshape(40, -1).argmax(axis=1), 32)
        assert set(rows) <= set(range(8, 13))
        assert set(places) <= {*range(8, 13), *range(19, 24)}
        for image, place in zip(which, places, strict=True):
            columns.setdefault(int(image), []).append(place > 16)
    # In the second epoch exactly the other images are mirrored.
    assert all(a != b for a, b in columns.values())
    assert 8 < sum(a for a, _ in columns.values()) < 32


def test_epoch_is_the_same_each_time_it_is_begun():
    for i in range(3):
        for ours, again in zip(*(Epoch(IMAGES, LABELS, 1, 2)[i] for _ in "ab"), strict=True):
            np.testing.assert_array_equal(ours, again)
    assert (Epoch(IMAGES, LABELS, 1, 2)[0][0] != Epoch(IMAGES, LABELS, 1, 3)[0][0]).any()
    assert (Epoch(IMAGES, LABELS, 1, 2)[0][0] != Epoch(IMAGES, LABELS, 2, 2)[0][0]).any()


def test_rate_falls_to_nothing():
    model = new_model()
    compile_model(model, 1000)
    schedule = model.optimizer._learning_rate  # the public one gives its value at this step
    rates = [float(keras.ops.convert_to_numpy(schedule(step))) for step in (0, 500, 1000)]
    rate = train_best.RATE
    assert rates == pytest.approx([rate, rate / 2, 0], abs=1e-6)


def test_first_layer_whitens():
    """Its outputs on patches are uncorrelated and about equally large."""
    smooth = np.repeat(np.repeat(IMAGES[:, ::4, ::4], 4, axis=1), 4, axis=2)
    pixels = (smooth / 255 - train_best.MEAN) / train_best.DEVIATION
    filters = whitening(smooth)
    assert filters.shape == (2, 2, 3, 24)
    outputs = keras.ops.convert_to_numpy(
        keras.ops.conv(pixels.astype("float32"), filters, padding="valid")
    ).reshape(-1, 24)
    moments = outputs.T @ outputs / len(outputs)
    np.testing.assert_allclose(moments[:12, :12], np.eye(12), atol=0.02)
    np.testing.assert_allclose(moments[:12, 12:], -np.eye(12), atol=0.02)


def test_convolutions_begin_as_identity():
    layer = keras.layers.Conv2D(6, 3, padding="same", use_bias=False)
    images = np.random.default_rng(0).random((2, 8, 8, 4), dtype="float32")
    layer.build(images.shape)
    start_as_identity(layer)
    outputs = keras.ops.convert_to_numpy(layer(images))
    np.testing.assert_allclose(outputs[..., :4], images, atol=1e-6)
    assert outputs[..., 4:].std() > 0.01


def facts(model):
    kinds = [type(layer).__name__ for layer in model.layers]
    return {
        "skips": kinds.count("Add"),
        "normalisation": kinds.count("BatchNormalization"),
        "smoothing": model.loss.label_smoothing,
        "schedule": isinstance(
            model.optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule
        ),
        "width": [layer.filters for layer in model.layers if hasattr(layer, "filters")][1:],
        "whitening": not model.get_layer("whiten").trainable,
    }


@pytest.mark.parametrize("part", sorted(set(PARTS) - {"augmentation"}))
def test_without_a_part_the_others_stay(part):
    found = []
    for without in (), (part,):
        model = small_model(*without)
        compile_model(model, 10, without)
        found.append(facts(model))
    whole, less = found
    assert [name for name in whole if whole[name] != less[name]] == [part]
    assert whole["skips"] == 3
    assert whole["normalisation"] == 6
    assert whole["smoothing"] == 0.2
    assert less["width"] in (whole["width"], [12, 12, 2, 2, 2, 2])
    assert not less[part] or part == "width"


def test_without_augmentation_images_stay_as_they_are():
    plain = Epoch(IMAGES, LABELS, 1, 0, augment=False)
    for step in range(3):
        images, _ = plain[step]
        np.testing.assert_array_equal(
            images, IMAGES[plain.order[step * 16 : step * 16 + 16]] / np.float32(255)
        )


def test_views_are_averaged():
    model = small_model()
    images = IMAGES / np.float32(255)
    predicted = predict_views(model, images)
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    views = [images, padded[:, :32, :32], padded[:, 2:, 2:]]
    six = [view[:, :, ::step] for view in views for step in (1, -1)]
    one_by_one = np.mean([model.predict(view, verbose=0) for view in six], axis=0)
    np.testing.assert_allclose(predicted, one_by_one, atol=1e-5)


def test_measures_are_those_of_keras():
    model = new_model()
    dense = model.get_layer(index=-3)
    dense.set_weights([8 * kernel for kernel in dense.get_weights()])  # else all are alike
    found = measure(model, IMAGES, LABELS.argmax(axis=1)[:, None])
    model.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(IMAGES / np.float32(255), LABELS, verbose=0)
    assert found["accuracy"] == pytest.approx(accuracy, abs=1e-4)
    assert found["loss"] == pytest.approx(loss, rel=1e-3)


def test_flops_are_counted():
    """By hand for the first layers: 2 × places × a filter's weights × filters, three times."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(24, 2, use_bias=False)(inputs)
    x = keras.layers.MaxPooling2D(31)(x)
    model = keras.Model(inputs, keras.layers.Dense(10)(keras.layers.Flatten()(x)))
    by_hand = 3 * (2 * 31 * 31 * 12 * 24 + 2 * 24 * 10) * 40 * 2
    assert train_best.count_flops(model, 40, 2) == pytest.approx(by_hand, rel=0.05)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command, on forty small images; outputs in a folder of their own."""
    monkeypatch.setenv("FIT_OUTPUTS", str(tmp_path))
    monkeypatch.setattr(train_best, "load_cifar10", lambda: ((IMAGES, LABELS.argmax(1)),) * 2)
    monkeypatch.setattr(train_best, "TRAIN", 24)
    monkeypatch.setattr(
        train_best,
        "build_model",
        lambda images, without=(): build_model(images, without, widths=(24, 4, 4)),
    )
    return lambda text: train_best.main(text.split())


def test_command_saves_model_history_and_record(command, tmp_path):
    for seed in 2, 1, 1:
        command(f"--epochs 1 --seed {seed}")
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {"model_best.keras", "history_best.csv", "model_best.json", "best_seeds.csv"}
    assert not list((tmp_path / "checkpoints").iterdir())
    record = json.loads((tmp_path / "model_best.json").read_text())
    assert record["command"] == "python train_best.py --seed 1 --epochs 1"
    assert len(record["versions"]) == 3, "Keras, its backend, NumPy"
    assert record["flops"] > 1e6
    model = keras.saving.load_model(tmp_path / "model_best.keras")
    _, accuracy = model.evaluate(IMAGES / np.float32(255), LABELS, verbose=0)
    assert record["test_accuracy"] == pytest.approx(accuracy, abs=1e-4)
    seeds = pd.read_csv(tmp_path / "best_seeds.csv")
    assert sorted(seeds["seed"]) == [1, 2], "a second run takes the place of the first"
    assert record["test_accuracy"] in list(seeds["test_accuracy"])


def test_command_trains_on_all_images_without_a_part_too(command, tmp_path):
    command("--epochs 1 --without skips")
    record = json.loads((tmp_path / "model_best.json").read_text())
    assert record["command"] == "python train_best.py --seed 1 --epochs 1 --without skips"
    model = keras.saving.load_model(tmp_path / "model_best.keras")
    assert "Add" not in [type(layer).__name__ for layer in model.layers]
    assert list(pd.read_csv(tmp_path / "best_seeds.csv")["without"]) == ["skips"]


def test_ablation_goes_on_where_it_was_stopped(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_best, "ABLATION", [(), ("width", "skips")])
    command("--validate --without width skips --epochs 1")
    capsys.readouterr()
    command("--ablation --epochs 1")
    assert "Without width skips: done before." in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "ablation.csv")
    assert sorted(table["without"]) == ["nothing", "width skips"]
    assert (table["epochs"] == 1).all()
    assert table["validation_accuracy"].between(0, 1).all()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["ablation.csv"], (
        "the test set stays closed, and the model of all images is not overwritten"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--epochs 0", "--epochs counts from 1"),
        ("--without wings", "invalid choice: 'wings'"),
        ("--ablation --without skips", "give it no --without"),
    ],
)
def test_command_explains_what_it_cannot_do(command, capsys, arguments, told):
    with pytest.raises(SystemExit):
        command(arguments)
    assert told in capsys.readouterr().err
