"""Claims of notebook 06, IMDB reviews. Spreads: seeds 1 to 5, and 6, the notebook's."""

import functools

import keras
import numpy as np
import pytest

from claims import claim, history, model, reason, seen_on_tensorflow, stated, table
from lesson import decode_review, load_imdb

JUMPS = "JAX: from epoch to epoch the curve jumps; it ends at 0.52 to 0.67 (six seeds)"
# `fit` with validation after each epoch, and without: from the second epoch on the orders differ.
NOT_THE_SAME = "PyTorch: a validation draws a random number too; the retrained model has 0.30"


@pytest.fixture(scope="module")
def curves():
    return history("history_imdb")


@pytest.fixture(scope="module")
def unit():
    return history("history_imdb_unit")


@pytest.fixture(scope="module")
def naive():
    return table("imdb_naive").set_index(["words", "by"])


@pytest.fixture(scope="module")
def rare():
    return table("imdb_rare").set_index(["reviews", "model"])


@pytest.fixture(scope="module")
def ladder():
    return table("imdb_ladder").set_index("rung")


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


@functools.cache
def moves(number):
    """How far each word of a review moves its score; words from the lowest to the highest."""
    words = sorted(set(data()[0][0][number]))
    lacking = [[w for w in words if w != left_out] for left_out in [None, *words]]
    p = positive(lacking).astype(float)
    scores = np.log(p / (1 - p))
    moved = dict(zip(map(decode_review, [[w] for w in words]), scores[0] - scores[1:], strict=True))
    return dict(sorted(moved.items(), key=lambda item: item[1]))


@functools.cache
def word_ids():
    return {decode_review([i]): i for i in range(4, 10_000)}


def tones(in_positive, in_negative):
    in_positive, in_negative = in_positive + 1, in_negative + 1
    return np.log(in_positive / in_positive.sum()) - np.log(in_negative / in_negative.sum())


@functools.cache
def words():
    """In how many positive and negative training reviews each word stands, and its tone."""
    (reviews, labels), _ = data()
    sides = []
    for side in (1, 0):
        part = [np.unique(ids) for ids in reviews[10_000:][labels[10_000:] == side]]
        sides.append(np.bincount(np.concatenate(part), minlength=10_000))
    return *sides, tones(*sides)


@functools.cache
def pairs():
    """The same of pairs of neighbours, in places; and where those of the validation reviews are."""
    (reviews, labels), _ = data()
    ids = np.concatenate(reviews)
    rows = np.repeat(np.arange(len(reviews)), [len(review) for review in reviews])
    inside = rows[:-1] == rows[1:]
    rows, places = rows[1:][inside], ((ids[:-1] * 10_000 + ids[1:]) % 2**22)[inside]
    train = rows >= 10_000
    sides = [
        np.bincount(places[train & (labels[rows] == side)], minlength=2**22) for side in (1, 0)
    ]
    return *sides, tones(*sides), rows[~train], places[~train]


def of_pair(text):
    """Positive, negative and tone of a pair, and the tones of its two words."""
    first, second = (word_ids()[word] for word in text.split())
    place = (first * 10_000 + second) % 2**22
    return *(column[place] for column in pairs()[:3]), words()[2][[first, second]]


def phrases():
    ids = word_ids()
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


@reason("There are ten times as many weights as training reviews, nearly all in the first layer")
@reason("By steps, our five epochs of 30 would be three of 49.")
@reason("Ten thousand words make 100 million possible pairs")
@reason("the remainder after division by 2²², about 4 million.")
@reason("Knowing nothing costs 0.69.")
def test_arithmetic_of_the_prose():
    weights = [layer.count_params() for layer in model("model_imdb").layers]
    assert sum(weights) / 15_000 == pytest.approx(10, abs=1)
    assert weights[0] > 0.99 * sum(weights)
    assert (-(-25_000 // 512), -(-15_000 // 512)) == (49, 30)
    assert round(5 * 30 / 49) == 3
    assert 10_000**2 == 100e6
    assert abs(2**22 - 4e6) < 2e5
    assert np.log(2) == pytest.approx(0.69, abs=0.005)


@seen_on_tensorflow(NOT_THE_SAME)
@reason("the network got 89.0%.")
def test_what_the_exercise_is_to_beat(results):
    """0.885 to 0.890."""
    assert results["val_accuracy"] == pytest.approx(0.89, abs=0.006)


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


@seen_on_tensorflow(NOT_THE_SAME)
def test_retrained_model_stands_where_the_curve_was_lowest(curves, results):
    """Equal to the last digit on one machine; threads may add in another order."""
    assert results["val_loss"] == pytest.approx(curves["val_loss"].min(), abs=0.005)


def test_test_numbers_are_those_of_the_test_reviews(results):
    _, (reviews, labels) = data()
    loss, accuracy = model_best().evaluate(multi_hot(reviews), labels, batch_size=512, verbose=0)
    assert results["test_loss"] == pytest.approx(loss, rel=1e-3)
    assert results["test_accuracy"] == pytest.approx(accuracy, abs=1e-3)


def test_the_ladder_holds_what_was_measured(ladder, results, unit):
    assert ladder["validation"]["network"] == pytest.approx(results["val_accuracy"])
    assert ladder["test"]["network"] == pytest.approx(results["test_accuracy"])
    assert ladder["test"]["network, all 25,000"] == pytest.approx(results["final_accuracy"])
    assert ladder["validation"]["naive Bayes, words"] == results["baseline_accuracy"]
    best = unit["val_loss"].idxmin()
    assert ladder["validation"]["one unit"] == pytest.approx(unit["val_binary_accuracy"][best])
    opened = {"network", "network, all 25,000", "yours, from exercise 5"}
    assert set(ladder.index[ladder["test"].notna()]) == opened, "no other rung met the test"


# ------------------------------------------------------------------ the claims


@reason("Will it beat its 85%?")
def test_naive_bayes_on_words(ladder):
    """0.849: no seed in it."""
    (reviews, labels), _ = data()
    tone = words()[2]
    scores = np.array([tone[np.unique(ids)].sum() for ids in reviews[:10_000]])
    accuracy = np.mean((scores > 0) == labels[:10_000])
    assert ladder["validation"]["naive Bayes, words"] == pytest.approx(accuracy, abs=1e-3)
    assert accuracy == pytest.approx(0.85, abs=0.005)


@claim(
    "Where its validation loss is lowest, the unit classifies 89% of the validation reviews "
    "correctly (89% with each of five seeds), four points more than naive Bayes.",
)
@reason("a quarter of the mistakes gone?")
def test_one_unit_beats_counting(unit, results):
    """Lowest at epoch 4 or 5: 0.889 to 0.892; naive Bayes 0.849."""
    accuracy = unit["val_binary_accuracy"][unit["val_loss"].idxmin()]
    assert 0.88 <= accuracy <= 0.9
    assert 0.035 <= accuracy - results["baseline_accuracy"] <= 0.05
    assert 0.2 < 1 - (1 - accuracy) / (1 - results["baseline_accuracy"]) < 0.33


@reason("named in negative training reviews only, and naive Bayes counts his names as two pieces")
@reason("whoever writes *awful* is twice as likely to write *terrible*.")
def test_words_come_together():
    """boll: in 0.5%, in 94% of those with uwe; terrible: in 9%, in 19% of those with awful."""
    (reviews, labels), _ = data()
    negative = multi_hot(reviews[10_000:][labels[10_000:] == 0])
    in_positive, _, tone = words()
    assert in_positive[[word_ids()["uwe"], word_ids()["boll"]]].tolist() == [0, 0]
    for one, other, times, share in (("uwe", "boll", 100, 0.9), ("awful", "terrible", 1.9, 0.17)):
        with_one = negative[:, word_ids()[one]] == 1
        has_other = negative[:, word_ids()[other]]
        assert has_other[with_one].mean() > times * has_other.mean()
        assert has_other[with_one].mean() > share
    assert tone[word_ids()["uwe"]] < -3
    assert tone[word_ids()["boll"]] < -3


@claim(
    "With the words shuffled, naive Bayes classifies 98% correctly: with independent words it "
    "would be hard to beat.",
)
@reason("Every tone stays what it was, but words no longer come together.")
@reason("what costs naive Bayes is that words come together")
def test_naive_bayes_is_right_where_it_may_be_naive(naive):
    """0.982 to 0.983 with other shuffles; 99.7% right when sure. As they are: 0.849."""
    shuffled, kept = (naive.loc[(how, "naive Bayes")] for how in ("shuffled", "as they are"))
    assert 0.97 <= shuffled["accuracy"] <= 0.99
    assert shuffled["right_when_sure"] > 0.99
    assert kept["accuracy"] < 0.86


@claim(
    "With words as they are, it is sure of 83% of the reviews and wrong about 10% of those; its "
    "loss is above 0.69.",
)
@reason("it counts the same news again and again, and becomes")
def test_naive_bayes_is_overconfident(naive):
    """0.831, 0.897 right, loss 0.766: no seed in it."""
    kept = naive.loc[("as they are", "naive Bayes")]
    assert 0.82 <= kept["share_sure"] <= 0.84
    assert 0.89 <= kept["right_when_sure"] <= 0.91
    assert kept["loss"] > np.log(2)


@claim("The unit is sure less often, and right more often when it is.")
def test_the_unit_is_modest(naive):
    """Sure of 0.52 to 0.53, 0.976 to 0.977 right; naive Bayes 0.83, 0.897."""
    unit, bayes = (naive.loc[("as they are", by)] for by in ("one unit", "naive Bayes"))
    assert 0.4 < unit["share_sure"] < 0.65
    assert unit["right_when_sure"] > bayes["right_when_sure"] + 0.05


@claim(
    "Training loss goes to almost nothing: in the last epoch it is below a tenth of what it was "
    "in the first.",
)
def test_training_loss_goes_to_nothing(curves):
    """0.53 to 0.55 in the first epoch, 0.014 to 0.020 in the last."""
    assert curves["loss"][20] < 0.1 * curves["loss"][1]


@claim(
    "Validation loss is lowest at the fifth epoch, 0.27 (fourth or fifth, 0.27 to 0.28, over five "
    "seeds).",
)
def test_validation_loss_turns(curves):
    """Lowest at epoch 4 or 5: 0.274 to 0.280."""
    loss = curves["val_loss"]
    assert 3 <= loss.idxmin() <= 6
    assert 0.265 < loss.min() < 0.29


@seen_on_tensorflow(JUMPS)
@claim("Then it climbs to 0.52 (0.52 to 0.55 over five seeds), higher than after the first epoch.")
def test_validation_loss_climbs(curves):
    """0.520 to 0.548 after twenty epochs, 0.405 to 0.441 after the first."""
    loss = curves["val_loss"]
    assert 0.48 < loss[20] < 0.6
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
    "At its best the network is within 0.01 of the single unit, in loss and in accuracy.",
)
@reason("two hidden layers, 150,000 more weights, added nothing to one unit.")
def test_hidden_layers_add_nothing(curves, unit):
    """Unit minus network: loss -0.003 to -0.001, accuracy 0.001 to 0.007."""
    network, single = (h.loc[h["val_loss"].idxmin()] for h in (curves, unit))
    assert abs(network["val_loss"] - single["val_loss"]) < 0.01
    assert abs(network["val_binary_accuracy"] - single["val_binary_accuracy"]) < 0.01
    assert model("model_imdb").count_params() - 10_001 == pytest.approx(150_000, rel=0.01)


@seen_on_tensorflow(JUMPS)
@claim(
    "Without rare words the training loss is more than four times as high after twenty epochs, "
    "and less than twice as high at the best epoch.",
)
@reason("What late epochs learn of rare words does not")
@reason("without them the training loss is still far below the validation loss, 0.11 against 0.50.")
def test_rare_words_are_learned_by_heart(rare):
    """8 to 11 times after twenty epochs, 1.2 to 1.3 times at the best."""
    times = rare["no rare words"] / rare["all words"]
    assert times["training", "20 epochs"] > 4
    late = rare["no rare words"].xs("20 epochs", level=1)
    assert late["training"] == pytest.approx(0.11, abs=0.03)
    assert late["training"] < 0.4 * late["validation"]
    assert 1.1 < times["training", "best epoch"] < 2


@claim(
    "On validation reviews rare words help the best model a little, and the last one not at all.",
)
def test_rare_words_do_not_carry_over(rare):
    """Loss without them: 0.007 to 0.010 higher at the best epoch, 0.006 to 0.017 lower at last."""
    gain = rare["no rare words"] - rare["all words"]
    assert 0 < gain["validation", "best epoch"] < 0.025
    assert gain["validation", "20 epochs"] < 0.01


@claim(
    "After the best epoch the model is sure of 50% of the validation reviews (41 to 50% over five "
    "seeds), after twenty epochs of 82%.",
)
@reason("its loss gets smaller only if the model becomes surer")
def test_longer_training_makes_surer(confidence):
    """0.41 to 0.50, and 0.81 to 0.82."""
    sure = confidence["share_sure"]
    assert 0.35 < sure["best epoch"] < 0.6
    assert 0.75 < sure["20 epochs"] < 0.88


@seen_on_tensorflow(JUMPS)
@claim(
    "Of those that it is sure of, 98% are right after the best epoch, and 93% after twenty.",
)
def test_surer_without_reason(confidence):
    """0.978 to 0.984, and 0.923 to 0.927."""
    right = confidence["right_when_sure"]
    assert 0.965 < right["best epoch"] < 0.995
    assert 0.91 < right["20 epochs"] < 0.945


@claim(
    "Where it is right, its loss is lower after twenty epochs; where it is wrong, its loss is "
    "more than twice as high.",
)
def test_mistakes_cost_more(confidence):
    """Right: 0.108 to 0.130, then 0.033 to 0.037; wrong: 1.45 to 1.62, then 3.7 to 4.0."""
    right, wrong = confidence["loss_where_right"], confidence["loss_where_wrong"]
    assert right["20 epochs"] < right["best epoch"]
    assert wrong["20 epochs"] > 2 * wrong["best epoch"]


@reason("being 99% sure costs 0.01 when right and 4.6 when wrong.")
def test_what_being_sure_costs():
    assert -np.log([0.99, 0.01]) == pytest.approx([0.01, 4.6], abs=0.01)


@claim(
    "The first review is given less than 10% positive, and the ten-year-old's between 30% and 70%.",
)
def test_sure_and_unsure_reviews():
    """The first: 0.005 to 0.037; the second: 0.45 to 0.52."""
    sure, unsure = positive(data()[0][0][[2678, 3354]])
    assert sure < 0.1
    assert 0.3 < unsure < 0.7


@claim(
    "The model gives less than 2% to the true label of each of the three reviews that it got "
    "wrong.",
)
def test_surely_wrong_reviews():
    """At most 0.002 in any run."""
    (reviews, labels), _ = data()
    chosen = [8175, 3644, 1496]
    given = np.abs(1 - labels[chosen] - positive(reviews[chosen]))
    assert list(labels[chosen]) == [1, 0, 1]
    assert (given < 0.02).all()


@claim(
    "In the ten-year-old's review *boring* lowers the score most and *best* raises it most, and "
    "*worth*, from *not worth watching*, raises it too.",
)
def test_words_of_the_unsure_review():
    """boring -0.8 to -0.9, the next -0.4; best 0.43 to 0.52; worth, the next, 0.27 to 0.39."""
    moved = moves(3354)
    assert list(moved)[0] == "boring"
    assert list(moved)[-1] == "best"
    assert moved["worth"] > 0


@claim(
    "In review 8175 *awful* is among the three words that lower the score most, and *funniest* "
    "among the three that raise it most.",
)
def test_words_of_the_review_with_two_hands():
    """Each the hardest, by 0.03 or more: awful -0.4 to -0.9, funniest 0.3 to 0.7."""
    moved = list(moves(8175))
    assert "awful" in moved[:3]
    assert "funniest" in moved[-3:]


@claim(
    "In review 1496 *enjoy* is among the three words that raise the score most; together those "
    "that lower it weigh more.",
)
def test_words_of_the_lover_of_bad_films():
    """*enjoy* most of all; those that lower it weigh 2.0 to 3.1 times as much (seeds 1, 2, 6)."""
    assert "enjoy" in list(moves(1496))[-3:]
    moved = np.array(list(moves(1496).values()))
    assert -moved[moved < 0].sum() > 1.3 * moved[moved > 0].sum()


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


@reason("it stands in 4,211 positive and 4,794 negative training reviews.")
def test_who_writes_not():
    in_positive, in_negative, _ = words()
    assert (in_positive[word_ids()["not"]], in_negative[word_ids()["not"]]) == (4211, 4794)


@claim(
    "Naive Bayes on pairs classifies 88% correctly, three points more than on words, without any "
    "training.",
)
def test_pairs_bring_three_points(ladder, results):
    """0.878: no seed in it."""
    tone, rows, places = pairs()[2:]
    scores = np.bincount(rows, weights=tone[places], minlength=10_000)
    accuracy = np.mean((scores > 0) == data()[0][1][:10_000])
    assert ladder["validation"]["naive Bayes, pairs"] == pytest.approx(accuracy, abs=1e-3)
    assert accuracy == pytest.approx(0.88, abs=0.005)
    assert accuracy - results["baseline_accuracy"] == pytest.approx(0.03, abs=0.005)


@reason("*Not worth* is blame and *well worth* is praise, where the words alone say neither.")
@reason("*Not bad* is no praise, but has lost most of the blame in *bad*.")
@reason("*Other hand* says nothing")
def test_what_pairs_say():
    """Tones: not worth -2.35, its words 0.11; well worth 2.96, 0.50; not bad -0.26; bad -1.07."""
    *_, not_worth, both = of_pair("not worth")
    assert not_worth < -2 < -0.3 < both.sum() < 0.3
    *_, well_worth, both = of_pair("well worth")
    assert well_worth > 2.5
    assert abs(both.sum()) < 0.6
    *_, not_bad, both = of_pair("not bad")
    assert both[1] / 2 < not_bad < 0
    assert abs(of_pair("other hand")[2]) < 0.1


@seen_on_tensorflow(NOT_THE_SAME)
@claim(
    "The network classifies 88.2% of the test reviews correctly (88.1 to 88.4% over five seeds), "
    "at most two points fewer than of the validation reviews.",
)
def test_accuracy_on_the_test_reviews(results):
    """0.881 to 0.884; 0.003 to 0.009 below validation."""
    assert 0.875 <= results["test_accuracy"] <= 0.89
    assert results["val_accuracy"] - results["test_accuracy"] <= 0.02


@claim(
    "With all 25,000 reviews to learn from it gets 88.8% (87.5 to 88.7% with five other seeds), "
    "more than the course's 87.35%.",
)
def test_all_reviews_and_the_course(results):
    """0.875 to 0.887, and 0.888; after three epochs 0.883 to 0.889, after five 0.879 to 0.884."""
    assert 0.8735 < results["final_accuracy"] < 0.895


@claim("The model with pairs does better on the test than either.")
@reason("Better inputs did what hidden layers did not.")
@reason("Hidden layers added nothing here; pairs of words did.")
def test_pairs_win_on_the_test(results):
    """Pairs: validation 0.904 to 0.910, test 0.898 to 0.901; the others at most 0.888."""
    others = results[["test_accuracy", "final_accuracy"]].max()
    assert results["own_test_accuracy"] > others + 0.005
    assert 0.9 <= results["own_val_accuracy"] < 0.93


@stated("Only the 9,996 commonest have an id, from 4 to 9,999; every rarer word becomes id 2")
def test_id_of_rare_words():
    (reviews, _), _ = load_imdb()
    ids = set().union(*map(set, reviews))
    assert ids - {1, 2} == set(range(4, 10_000))
    assert decode_review([2]) == "?"
