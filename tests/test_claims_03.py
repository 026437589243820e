"""Claims of notebook 03, Compile and fit. Spreads: seeds 1 to 5."""

import keras
import numpy as np
import pytest

from claims import claim, history, model, reason, seen_on_tensorflow, stated, table


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
@claim("Over the last three epochs validation loss falls less than half as much as training loss.")
def test_validation_loss_levels_off(intro):
    """Fall over epochs 7 to 10: 0.01 to 0.03, where training loss falls by 0.06 to 0.07."""
    loss, training = intro["val_loss"], intro["loss"]
    assert loss[1] - loss[4] > 0.15
    assert loss[4] - loss[7] < 0.6 * (loss[1] - loss[4])
    assert loss[7] - loss[10] < 0.5 * (training[7] - training[10])


@claim(
    "After ten epochs the model classifies 65% of the validation images correctly (65 to 66% over "
    "five seeds), where guessing would get 10%."
)
def test_validation_accuracy(intro):
    """0.646 to 0.659."""
    assert 0.61 <= intro["val_categorical_accuracy"][10] <= 0.68


@claim(
    "After the first epoch validation accuracy is above training accuracy; from the fifth at the "
    "latest it is below."
)
def test_validation_is_ahead_at_first(intro):
    """Training minus validation: -0.09 at epoch 1, 0.01 at 5, 0.04 at 10."""
    gap = intro["categorical_accuracy"] - intro["val_categorical_accuracy"]
    assert gap[1] < 0
    assert (gap[5:] > 0).all()


@claim("The distance between them is wider after the tenth epoch than after the fifth.")
@reason("So at first what helps with the training images helps with new ones too;")
def test_gap_opens(intro):
    """0.01 to 0.02 at epoch 5, 0.04 at 10; both losses fall over the first three epochs."""
    gap = intro["categorical_accuracy"] - intro["val_categorical_accuracy"]
    assert gap[10] > gap[5]
    assert (intro[["loss", "val_loss"]][:3].diff().dropna() < 0).all(axis=None)


@claim(
    "Measured alike, after one epoch, training accuracy is not below validation accuracy.",
)
@reason("So it was the way of counting: after one epoch validation is ahead only of the average")
def test_counted_alike_validation_is_not_ahead():
    """Meanwhile 0.42 to 0.44; at the end training 0.524 to 0.535, validation 0.512 to 0.526."""
    (row,) = table("intro_counted_alike").itertuples()
    assert row.meanwhile < row.validation - 0.03
    assert row.training > row.validation - 0.005


@pytest.fixture(scope="module")
def few():
    return history("history_few")


@seen_on_tensorflow("PyTorch: the loss ends at 0.5006")
@claim("Training loss goes on falling, to below 0.5.")
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
    "Validation accuracy ends at 40% (38 to 41% over five seeds), far below what the same network "
    "reaches with 40,000 images."
)
def test_few_images_are_not_enough(few, intro):
    """0.377 to 0.414 against 0.646 to 0.659."""
    assert 0.34 < few["val_categorical_accuracy"].iloc[-1] < 0.46
    assert intro["val_categorical_accuracy"][10] - few["val_categorical_accuracy"].iloc[-1] > 0.15


@pytest.fixture(scope="module")
def confidence():
    return table("few_confidence").set_index("epoch")


@claim("Between epochs 15 and 40 the share of wrong answers changes by less than 0.04.")
def test_wrong_answers_are_as_many(confidence):
    """By -0.018 to 0.007."""
    share = confidence["share wrong"]
    assert abs(share[40] - share[15]) < 0.04


@claim(
    "The network becomes surer of its wrong answers: 43% on average after epoch 15, 64% after 40 "
    "(43 to 48%, and 64 to 68%, over five seeds)."
)
@reason("That is why the loss rises while accuracy stays:")
def test_wrong_answers_become_surer(confidence):
    """0.433 to 0.481, then 0.642 to 0.675."""
    sure = confidence["sure of wrong answers"]
    assert 0.38 < sure[15] < 0.53
    assert 0.58 < sure[40] < 0.74
    assert sure[40] - sure[15] > 0.1


@pytest.fixture(scope="module")
def linear():
    return history("history_linear")


@seen_on_tensorflow("PyTorch: 29%, after 36% two epochs before: the curve jumps")
@claim(
    "After ten epochs the network without convolution classifies 36% of new images correctly (35 "
    "to 39% over five seeds), and 39% of those it learns from, though with 30,730 weights it has "
    "nearly twice as many as ours."
)
def test_linear_model_underfits(linear):
    """Training 0.386 to 0.390, validation 0.345 to 0.386."""
    assert 0.36 < linear["categorical_accuracy"][10] < 0.42
    assert 0.31 < linear["val_categorical_accuracy"][10] < 0.42
    assert (32 * 32 * 3 + 1) * 10 == 30_730 < 2 * model("model_intro").count_params()


@claim("Both its losses stay above 1.7.")
@reason("So *height* is the sign of underfitting, not a small distance:")
def test_linear_model_stays_high(linear, intro):
    """Training loss ends at 1.79 to 1.80, validation loss at 1.82 to 1.93; ours at 1.03."""
    assert linear[["loss", "val_loss"]].min(axis=None) > 1.7
    assert linear["loss"][10] > intro["val_loss"][10] + 0.5


@seen_on_tensorflow("JAX: the validation loss jumps by 0.20 in two epochs")
@claim(
    "Over the last four epochs its validation loss changes by less than 0.03: more epochs hardly "
    "help."
)
def test_linear_model_stalls(linear):
    """By -0.009 to 0.001."""
    assert abs(linear["val_loss"][10] - linear["val_loss"][6]) < 0.03


@seen_on_tensorflow("JAX: the validation loss jumps")
@claim("Its two losses end 0.12 apart (0.02 to 0.14 over five seeds), ours 0.11.")
def test_distance_does_not_tell_underfitting(linear, intro):
    """Linear 0.015 to 0.141; intro 0.11 to 0.13."""
    assert -0.05 < linear["val_loss"][10] - linear["loss"][10] < 0.25
    assert 0.07 < intro["val_loss"][10] - intro["loss"][10] < 0.17


# --- Exercise 5: overfit on purpose --------------------------------------------------


@claim(
    "Our solution classifies all of the 200 correctly, and 30% of the validation images (23 to 30% "
    "over five seeds)."
)
def test_two_hundred_are_memorised():
    """All of the 200; of the first 2,000 validation images 0.23 to 0.29, of all, seed 3, 0.30."""
    shares = table("own_200").iloc[0]
    assert shares["known"] > 0.99
    assert 0.18 <= shares["new"] <= 0.35


# --- What follows from arithmetic, and the table of what to do -------------------------------


@stated(
    "**16,618**: (3 × 3 × 3 + 1) × 16 = **448** in `conv_1`, (3 × 3 × 16 + 1) × 32 = **4,640** in "
    "`conv_2`, (1,152 + 1) × 10 = **11,530** in the dense layer."
)
def test_weights_of_each_layer():
    counts = [layer.count_params() for layer in model("model_intro").layers if layer.weights]
    assert counts == [448, 4_640, 11_530]


@stated("a share of 2.72 / 11.72 = 23%, and −log(0.23) is 1.46.")
def test_softmax_of_a_perfect_answer():
    share = np.e / (np.e + 9)
    assert share == pytest.approx(2.72 / 11.72, abs=0.0005)
    assert share == pytest.approx(0.23, abs=0.005)
    label = np.eye(10, dtype="float32")[[2]]
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    assert float(loss(label, label)) == pytest.approx(1.46, abs=0.005)


@stated("sees the softmax, warns, and takes the scores before it; on JAX and PyTorch it does not.")
@pytest.mark.filterwarnings("ignore:.*from_logits=True:UserWarning")
def test_softmax_twice_is_mended_on_tensorflow_alone():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    x, y = np.eye(4, dtype="float32"), np.eye(3, dtype="float32")[[0, 1, 2, 0]]
    losses = []
    for from_logits in (False, True):
        model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=from_logits))
        losses.append(model.evaluate(x, y, verbose=0))
    same = losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert same == (keras.config.backend() == "tensorflow")


@stated("| training loss | high | low, and falling |")
@stated("| validation loss | high | falls, turns, and rises |")
def test_signs_of_underfitting_and_overfitting(linear, few):
    """Linear ends at 1.80 and 1.92; few falls to 0.38 while validation goes 2.24, 1.72, 2.29."""
    under, over = linear.iloc[-1], few["loss"]
    assert min(under["loss"], under["val_loss"]) > 1.7
    assert over.iloc[-1] < 0.5
    assert over.iloc[-1] < over.iloc[-6] < over.iloc[-11]
    validation = few["val_loss"]
    assert validation.min() + 0.3 < min(validation.iloc[0], validation.iloc[-1])
