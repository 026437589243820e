"""Claims of notebook 03, Compile and fit. Spreads: seeds 1 to 5."""

import keras
import pytest

from claims import claim, history, model, seen_on_tensorflow


@pytest.fixture(scope="module")
def intro():
    return history("history_intro")


def test_intro_is_what_the_prose_compiled():
    intro = model("model_intro")
    assert intro.count_params() == 16_618
    assert isinstance(intro.optimizer, keras.optimizers.Adam)
    assert float(intro.optimizer.learning_rate) == pytest.approx(0.001)
    assert isinstance(intro.loss, keras.losses.CategoricalCrossentropy)
    assert not intro.loss.get_config()["from_logits"]
    assert int(intro.optimizer.iterations) == 12_500


def test_intro_was_fitted_for_ten_epochs(intro):
    assert list(intro.index) == list(range(1, 11))
    assert list(intro.columns) == [
        "categorical_accuracy",
        "loss",
        "val_categorical_accuracy",
        "val_loss",
    ]


@claim("Training loss falls at every one of the ten epochs.")
def test_training_loss_falls(intro):
    """Smallest fall of an epoch: 0.018 to 0.025."""
    assert (intro["loss"].diff().dropna() < 0).all()


@seen_on_tensorflow("JAX: falls by 0.050 where training loss falls by 0.071")
@claim(
    "Validation loss falls fast at first and ever more slowly: over the last three epochs it "
    "falls less than half as much as training loss.",
)
def test_validation_loss_levels_off(intro):
    """Fall of validation loss over epochs 1 to 4: 0.25 to 0.28; over 7 to 10: 0.01 to 0.03,
    where training loss falls by 0.06 to 0.07."""
    loss, training = intro["val_loss"], intro["loss"]
    assert loss[1] - loss[4] > 0.15
    assert loss[4] - loss[7] < 0.6 * (loss[1] - loss[4])
    assert loss[7] - loss[10] < 0.5 * (training[7] - training[10])


@claim(
    "After ten epochs the model names about 65 of 100 validation images right, where guessing "
    "would get 10.",
)
def test_validation_accuracy(intro):
    """0.646 to 0.659."""
    assert 0.61 <= intro["val_categorical_accuracy"][10] <= 0.68


@claim(
    "After the first epoch the validation accuracy is above the training accuracy; from the "
    "fifth epoch on it is below, and the distance between them is wider after the tenth than "
    "after the fifth.",
)
def test_gap_opens(intro):
    """Training minus validation: -0.09 at epoch 1, 0.01 at 5, 0.04 at 10."""
    gap = intro["categorical_accuracy"] - intro["val_categorical_accuracy"]
    assert gap[1] < 0
    assert (gap[5:] > 0).all()
    assert gap[10] > gap[5]


@pytest.fixture(scope="module")
def few():
    return history("history_few")


@seen_on_tensorflow("PyTorch: the loss ends at 0.5006")
@claim(
    "Training loss goes on falling, to below 0.5, and the model comes to name more than 85 of 100 "
    "of its training images right.",
)
def test_few_images_are_memorised(few):
    """Last epoch: loss 0.31 to 0.41, best accuracy 0.92 to 0.93."""
    assert few["loss"].iloc[-1] < 0.5
    assert few["categorical_accuracy"].max() > 0.85


@claim(
    "Validation loss turns: it is lowest somewhere between epochs 7 and 20, and after the last "
    "epoch it is higher by more than 0.3.",
)
def test_validation_loss_of_few_images_turns(few):
    """Lowest at epochs 10 to 15; higher by 0.5 to 0.8 at the end."""
    assert 7 <= few["val_loss"].idxmin() <= 20
    assert few["val_loss"].iloc[-1] - few["val_loss"].min() > 0.3


@claim(
    "The validation accuracy ends near 40 of 100, far below what the same network reaches with "
    "40,000 images.",
)
def test_few_images_are_not_enough(few, intro):
    """0.377 to 0.414 against 0.646 to 0.659."""
    assert 0.34 < few["val_categorical_accuracy"].iloc[-1] < 0.46
    assert intro["val_categorical_accuracy"][10] - few["val_categorical_accuracy"].iloc[-1] > 0.15


@pytest.fixture(scope="module")
def linear():
    return history("history_linear")


@claim(
    "After six epochs it names fewer than 42 of 100 images right, even of those it learns from, "
    "though with 30,730 weights it has nearly twice as many as ours.",
)
def test_linear_model_underfits(linear):
    """Training 0.376 to 0.379, validation 0.347 to 0.381."""
    assert linear["categorical_accuracy"][6] < 0.42
    assert linear["val_categorical_accuracy"][6] < 0.42
    assert (32 * 32 * 3 + 1) * 10 == 30_730 < 2 * model("model_intro").count_params()


@seen_on_tensorflow("JAX: the validation loss jumps by 0.20 in two epochs")
@claim(
    "Its training loss and its validation loss both stay above 1.7, and neither moves by more "
    "than 0.05 over the last two epochs.",
)
def test_linear_model_stalls(linear):
    """Training loss 1.81 to 1.83, validation loss 1.82 to 1.94; they fall by 0.02 or less."""
    for name in ("loss", "val_loss"):
        assert linear[name].min() > 1.7
        assert abs(linear[name][6] - linear[name][4]) < 0.05
