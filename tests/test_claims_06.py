"""Claims of notebook 06, IMDB reviews. Spreads: seeds 1 to 6."""

import functools

import keras
import numpy as np
import pytest

from claims import claim, history, model, table
from lesson import decode_review, load_imdb


@pytest.fixture(scope="module")
def curves():
    return history("history_imdb")


@pytest.fixture(scope="module")
def confidence():
    return table("imdb_confidence").set_index("model")


@pytest.fixture(scope="module")
def results():
    return table("imdb_results").iloc[0]


@functools.cache
def data():
    return load_imdb()


@functools.cache
def model_best():
    return model("model_imdb_best")


def multi_hot(reviews):
    rows = np.zeros((len(reviews), 10_000), "uint8")
    for row, ids in zip(rows, reviews, strict=True):
        row[ids] = 1
    return rows


def positive(reviews):
    """The probability of positive that the retrained model gives to lists of ids."""
    return model_best().predict(multi_hot(reviews), batch_size=512, verbose=0)[:, 0]


def pulls(number):
    """How far each word of a review moves its score; words in the order of the pull."""
    words = sorted(set(data()[0][0][number]))
    lacking = [[w for w in words if w != left_out] for left_out in [None, *words]]
    p = positive(lacking).astype(float)
    scores = np.log(p / (1 - p))
    pull = dict(zip(map(decode_review, [[w] for w in words]), scores[0] - scores[1:], strict=True))
    return dict(sorted(pull.items(), key=lambda item: item[1]))


def phrases():
    ids = {decode_review([i]): i for i in range(4, 100)}
    texts = ["a good film", "not a good film", "a bad film", "not a bad film"]
    return positive([[1, *(ids[word] for word in text.split())] for text in texts])


# -------------------------------------------------- what the prose says was done


def test_models_are_what_the_prose_compiled(results):
    for name, epochs in (("model_imdb", 20), ("model_imdb_best", results["best_epoch"])):
        found = model(name)
        assert found.count_params() == 160_305
        assert [layer.activation.__name__ for layer in found.layers] == ["relu", "relu", "sigmoid"]
        assert isinstance(found.optimizer, keras.optimizers.RMSprop)
        assert float(found.optimizer.learning_rate) == pytest.approx(0.001)
        assert isinstance(found.loss, keras.losses.BinaryCrossentropy)
        assert int(found.optimizer.iterations) == 30 * epochs


def test_long_fit_was_of_twenty_epochs(curves):
    assert list(curves.index) == list(range(1, 21))
    assert list(curves.columns) == ["binary_accuracy", "loss", "val_binary_accuracy", "val_loss"]


def test_best_epoch_is_that_of_the_curve(curves, results):
    assert results["best_epoch"] == curves["val_loss"].idxmin()


def test_validation_was_on_the_first_ten_thousand(curves, results):
    """Other data, the training or the test reviews, give other losses."""
    (reviews, labels), _ = data()
    rows, labels = multi_hot(reviews[:10_000]), labels[:10_000]
    long = model("model_imdb").evaluate(rows, labels, batch_size=512, verbose=0)[0]
    assert curves["val_loss"][20] == pytest.approx(long, rel=1e-3)
    best = model_best().evaluate(rows, labels, batch_size=512, verbose=0)
    assert [results["val_loss"], results["val_accuracy"]] == pytest.approx(best, rel=1e-3)


def test_retrained_model_stands_where_the_curve_was_lowest(curves, results):
    """Equal to the last digit on one machine; threads may add in another order."""
    assert results["val_loss"] == pytest.approx(curves["val_loss"].min(), abs=0.005)


def test_test_numbers_are_those_of_the_test_reviews(results):
    _, (reviews, labels) = data()
    loss, accuracy = model_best().evaluate(multi_hot(reviews), labels, batch_size=512, verbose=0)
    assert results["test_loss"] == pytest.approx(loss, rel=1e-3)
    assert results["test_accuracy"] == pytest.approx(accuracy, abs=1e-3)


# ------------------------------------------------------------------ the claims


@claim(
    "Training loss goes to almost nothing: in the last epoch it is below a tenth of what it was "
    "in the first.",
)
def test_training_loss_goes_to_nothing(curves):
    """0.53 to 0.55 in the first epoch, 0.014 to 0.020 in the last."""
    assert curves["loss"][20] < 0.1 * curves["loss"][1]


@claim(
    "Validation loss is lowest somewhere from the third to the sixth epoch, below 0.3.",
)
def test_validation_loss_turns(curves):
    """Lowest at epoch 4 or 5: 0.274 to 0.280."""
    loss = curves["val_loss"]
    assert 3 <= loss.idxmin() <= 6
    assert loss.min() < 0.3


@claim(
    "Then it climbs, and after twenty epochs it is past 0.5 and higher than after the first.",
)
def test_validation_loss_climbs(curves):
    """0.520 to 0.548 after twenty epochs, 0.405 to 0.441 after the first."""
    loss = curves["val_loss"]
    assert loss[20] > 0.5
    assert loss[20] > loss[1]
    # It climbs: no five epochs after the sixth bring it down.
    assert (loss[6:].diff(5).dropna() > 0).all()


@claim(
    "Training accuracy ends above 99%, where validation accuracy has fallen by one to three "
    "points from its best.",
)
def test_accuracies_part(curves):
    """Training 0.996 to 0.999; validation 0.868 to 0.871, 0.017 to 0.021 below its best."""
    assert curves["binary_accuracy"][20] > 0.99
    accuracy = curves["val_binary_accuracy"]
    assert 0.01 <= accuracy.max() - accuracy[20] <= 0.03


@claim(
    "After the best epoch the model is sure of fewer than 60 in 100 validation reviews, after "
    "twenty epochs of more than 75.",
)
def test_longer_training_makes_surer(confidence):
    """0.41 to 0.50, and 0.81 to 0.82."""
    sure = confidence["share_sure"]
    assert sure["best epoch"] < 0.6
    assert sure["20 epochs"] > 0.75


@claim(
    "Of those that it is sure of, more than 96 in 100 are right after the best epoch, and fewer "
    "than 95 after twenty.",
)
def test_surer_without_reason(confidence):
    """0.978 to 0.984, and 0.923 to 0.927."""
    right = confidence["right_when_sure"]
    assert right["best epoch"] > 0.96
    assert right["20 epochs"] < 0.95


@claim(
    "Where it is right, its loss is lower after twenty epochs; where it is wrong, its loss is "
    "more than twice as high.",
)
def test_mistakes_grow_dearer(confidence):
    """Right: 0.108 to 0.130, then 0.033 to 0.037; wrong: 1.45 to 1.62, then 3.7 to 4.0."""
    right, wrong = confidence["loss_where_right"], confidence["loss_where_wrong"]
    assert right["20 epochs"] < right["best epoch"]
    assert wrong["20 epochs"] > 2 * wrong["best epoch"]


@claim(
    "The first review is given less than 10% positive, and the ten-year-old's between 30% and 70%.",
)
def test_sure_and_unsure_reviews():
    """The first: 0.005 to 0.037; the second: 0.45 to 0.52."""
    sure, unsure = positive(data()[0][0][[2678, 3354]])
    assert sure < 0.1
    assert 0.3 < unsure < 0.7


@claim(
    "To the true label of each of the three reviews that it got wrong the model gives less than "
    "2%.",
)
def test_surely_wrong_reviews():
    """At most 0.002 in any run."""
    (reviews, labels), _ = data()
    chosen = [8175, 3644, 1496]
    given = np.abs(1 - labels[chosen] - positive(reviews[chosen]))
    assert list(labels[chosen]) == [1, 0, 1]
    assert (given < 0.02).all()


@claim(
    "In the ten-year-old's review *boring* pulls hardest towards negative and *best* hardest "
    "towards positive, and *worth*, from *not worth watching*, pulls towards positive too.",
)
def test_pulls_of_the_unsure_review():
    """boring -0.8 to -0.9, the next -0.4; best 0.43 to 0.52; worth, the next, 0.27 to 0.39."""
    pull = pulls(3354)
    assert list(pull)[0] == "boring"
    assert list(pull)[-1] == "best"
    assert pull["worth"] > 0


@claim(
    "In review 8175 *awful* is one of the three words that pull hardest towards negative, and "
    "*funniest* one of the three that pull hardest towards positive.",
)
def test_pulls_of_the_review_with_two_hands():
    """Each the hardest, by 0.03 or more: awful -0.4 to -0.9, funniest 0.3 to 0.7."""
    words = list(pulls(8175))
    assert "awful" in words[:3]
    assert "funniest" in words[-3:]


@claim(
    "*Not a bad film* gets a lower probability than *a bad film*, and *not a good film* a higher "
    "one than both.",
)
def test_not_is_a_word_of_its_own():
    """Not bad 0.36 to 0.38, at least 0.016 below bad; bad 0.38 to 0.41; not good 0.52 to 0.57."""
    _, not_good, bad, not_bad = phrases()
    assert not_bad < bad < not_good


@claim("All four lie between 25% and 75%.")
def test_few_words_are_little_evidence():
    """0.36 to 0.60."""
    assert ((phrases() > 0.25) & (phrases() < 0.75)).all()


@claim("The model names between 87 and 89 of 100 test reviews right.")
def test_accuracy_on_the_test_reviews(results):
    """0.881 to 0.884."""
    assert 0.87 <= results["test_accuracy"] <= 0.89


@claim(
    "That is at most two points fewer than on the validation reviews, and there it was three to "
    "seven points above counting words.",
)
def test_validation_flatters_a_little(results):
    """Validation 0.885 to 0.890, test 0.003 to 0.008 below; counting 0.838."""
    assert results["val_accuracy"] - results["test_accuracy"] <= 0.02
    assert 0.03 <= results["val_accuracy"] - results["baseline_accuracy"] <= 0.07
