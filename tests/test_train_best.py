"""The command that trains the best network: same batches, and nothing lost by a kill."""

import json
import shutil

import keras
import numpy as np
import pandas as pd
import pytest

import train_best
from train_best import Checkpoints, Epoch, build_model, compile_model, train

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype="uint8")
LABELS = np.eye(10)[np.arange(40) % 10]
EPOCHS = 3


@pytest.fixture(scope="module", autouse=True)
def _small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_best, "BATCH", 16)
        yield


def new_model():
    keras.utils.set_random_seed(1)
    model = build_model(widths=(4, 4, 4, 4))
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


def test_without_a_whole_checkpoint_it_begins_again(killed, whole):
    for file in Checkpoints(killed).files():
        file.write_bytes(file.read_bytes()[:-1])
    assert_same(run(killed), whole)


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


def test_rate_rises_and_falls_to_nothing():
    model = build_model(widths=(4, 4, 4, 4))
    compile_model(model, 1000)
    schedule = model.optimizer._learning_rate  # the public one gives its value at this step
    rates = [float(keras.ops.convert_to_numpy(schedule(step))) for step in (0, 200, 1000)]
    assert rates == pytest.approx([train_best.PEAK_RATE / 50, train_best.PEAK_RATE, 0], abs=1e-4)


def test_command_saves_model_history_and_record(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FIT_OUTPUTS", str(tmp_path))
    monkeypatch.setattr(train_best, "load_cifar10", lambda: ((IMAGES, LABELS.argmax(1)),) * 2)
    monkeypatch.setattr(train_best, "build_model", lambda: build_model(widths=(4, 4, 4, 4)))
    for seed in "2", "1", "1":
        train_best.main(["--epochs", "1", "--seed", seed])
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {"model_best.keras", "history_best.csv", "model_best.json", "best_seeds.csv"}
    assert not list((tmp_path / "checkpoints").iterdir())
    facts = json.loads((tmp_path / "model_best.json").read_text())
    assert facts["command"] == "python train_best.py --seed 1 --epochs 1"
    assert len(facts["versions"]) == 3, "Keras, its backend, NumPy"
    model = keras.saving.load_model(tmp_path / "model_best.keras")
    _, accuracy = model.evaluate(IMAGES / np.float32(255), LABELS, verbose=0)
    assert facts["test_accuracy"] == pytest.approx(accuracy, abs=1e-4)
    seeds = pd.read_csv(tmp_path / "best_seeds.csv")
    assert list(seeds["seed"]) == [1, 2], "a second run takes the place of the first"
    assert seeds["test_accuracy"][0] == facts["test_accuracy"]


def test_command_explains_what_it_cannot_do(capsys):
    with pytest.raises(SystemExit):
        train_best.main(["--epochs", "0"])
    assert "--epochs counts from 1" in capsys.readouterr().err
