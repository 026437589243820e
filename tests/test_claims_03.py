"""Claims of notebook 03, Compile and fit. Spreads: seeds 1 to 5."""

import keras
import pytest
from claims import claim, history, model


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


@claim("03", "Training loss falls at every one of the ten epochs.")
def test_training_loss_falls(intro):
    """Smallest fall of an epoch: 0.018 to 0.025."""
    assert (intro["loss"].diff().dropna() < 0).all()


@claim(
    "03",
    "Validation loss falls steeply at first and hardly at all over the last three.",
)
def test_validation_loss_levels_off(intro):
    """Fall over epochs 1 to 4: 0.25 to 0.28; over 7 to 10: 0.01 to 0.03."""
    loss = intro["val_loss"]
    assert loss[1] - loss[4] > 0.15
    assert abs(loss[7] - loss[10]) < 0.3 * (loss[1] - loss[4])


@claim(
    "03",
    "After ten epochs the model names between 61 and 68 of 100 validation images right, where "
    "guessing would get 10.",
)
def test_validation_accuracy(intro):
    """0.646 to 0.659."""
    assert 0.61 <= intro["val_categorical_accuracy"][10] <= 0.68


@claim(
    "03",
    "In the first epoch the validation accuracy is above the training accuracy; from the fifth "
    "epoch on it is below, and the gap is wider after the tenth than after the fifth.",
)
def test_gap_opens(intro):
    """Training minus validation: -0.09 at epoch 1, 0.01 at 5, 0.04 at 10."""
    gap = intro["categorical_accuracy"] - intro["val_categorical_accuracy"]
    assert gap[1] < 0
    assert (gap[5:] > 0).all()
    assert gap[10] > gap[5]
