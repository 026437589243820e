"""Checks of notebook 06, IMDB reviews."""

import functools
import string
from collections.abc import Callable, Sequence
from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    RIGHT,
    as_array,
    as_number,
    called,
    changed,
    curves,
    judge_binary_accuracy,
    judge_binary_loss,
    judge_rmsprop,
    judged,
    loss_on,
    not_compiled,
    note,
    number,
    right,
    steps_taken,
    told,
    unfolded,
    wrong,
)
from lesson.datasets import UNKNOWN, decode_review

START, FIRST, NUM_WORDS = 1, 4, 10_000
STEPS = 30  # an epoch: 15,000 reviews, 512 at a time
# What the data's makers replaced by spaces: all punctuation but the apostrophe.
MARKS = str.maketrans(dict.fromkeys(string.punctuation.replace("'", "") + "“”„«»–—…", " "))


@functools.cache
def _word_ids():
    return {decode_review([i]): i for i in range(FIRST, NUM_WORDS)}


def _words(text):
    return text.lower().replace("’", "'").translate(MARKS).split()


def _ids(words, unknown=UNKNOWN):
    return [_word_ids().get(word, unknown) for word in words]


# ------------------------------------------------------------- 1: a review in ids


@exercise("06-encode", "set own_text to your review and own_ids to its list of ids")
def encode(own_text: str, own_ids: object):
    words = _words(own_text)
    if not words or not set("".join(words)) - {"_"}:
        yield wrong("own_text has no word yet: write a sentence about a film.")
        return
    ids, fault = _whole_numbers(own_ids)
    if fault:
        yield wrong(f"own_ids: {fault}")
        return
    less = _shift(ids, words)
    starts = ids[:1] == [START] and len(ids) != len(words)
    yield judged(
        ids[:1] == [START] and (not less or starts),
        "start: the mark that every review begins with.",
        "start: the first id should be the mark that every review begins with.",
    )
    if less:
        fault = (
            f"each id is {less} too small. Keras's word list and the lines of vocabulary.txt "
            "count from elsewhere; take the ids from word_ids."
        )
    else:
        marked = ids[:1] == [START] or len(ids) == len(words) + 1 and ids[0] < FIRST
        fault = _fault_in_words(ids[1:] if marked else ids, words, own_text)
    yield wrong(f"words: {fault}") if fault else right("words: an id for each, in order.")
    unknown = [word for word in words if word not in _word_ids()]
    if unknown and not fault:
        yield note(f"Not among the 9,996 commonest words: {', '.join(unknown[:5])}.")


def _whole_numbers(given):
    """The ids as a list of int, or why they are none."""
    if isinstance(given, str):
        return None, "that is text. Give a list of numbers, one for each word."
    if not isinstance(given, Sequence | np.ndarray) and not hasattr(given, "shape"):
        return None, "this should be a list of numbers, one for each word."
    if not isinstance(given, Sequence) and not np.ndim(given):
        return None, "that is one number. Give a list of them, one for each word."
    given = list(given)
    if any(isinstance(i, str) for i in given):
        return None, "there are words among them. Look each word up in word_ids."
    if any(isinstance(i, Sequence) or np.ndim(i) for i in given):
        return None, "there is a list inside the list. One flat list of numbers is one review."
    if any(i is None for i in given):
        return (
            None,
            "there is a None among them: the answer of get(word) for a word that is not "
            "in the vocabulary. Tell get what to give instead.",
        )
    if len(given) == NUM_WORDS:
        return None, "10,000 numbers: that is a multi-hot row, which comes later. Give the ids."
    ids = [as_number(i) for i in given]
    if any(i is None or i != int(i) for i in ids):
        return None, "there is something among them that is not a whole number."
    return [int(i) for i in ids], None


def _shift(ids, words):
    """By how much all ids are too small, with a start mark or without; 0 if they are not."""
    for less in (1, 3, 4):
        shifted = [i if i == UNKNOWN else i - less for i in _ids(words)]
        if ids in (shifted, [START, *shifted]) and shifted != _ids(words):
            return less
    return 0


def _fault_in_words(ids, words, text):
    """What is wrong with the ids of the words, in words; None if nothing is."""
    right_ids = _ids(words)
    if ids == right_ids:
        return None
    known = [i for i in right_ids if i != UNKNOWN]
    if ids in (_ids(text.split()), _ids(text.lower().split())):
        return "capital letters or punctuation marks hide some words from the vocabulary."
    if ids == known:
        return "words that the vocabulary lacks were left out. Their place is held by an id too."
    if sorted(ids) == sorted(right_ids):
        return "the right ids in another order than the words of own_text."
    if set(ids) == set(right_ids):
        return "a word that comes twice has its id twice. Multi-hot comes later."
    if len(ids) != len(right_ids):
        return f"own_text has {len(right_ids)} words, own_ids has ids for {len(ids)}."
    k = next(k for k, pair in enumerate(zip(ids, right_ids, strict=True)) if pair[0] != pair[1])
    if right_ids[k] == UNKNOWN:
        return f"{words[k]!r} is not in the vocabulary, so it should have the id for such words."
    return f"{ids[k]} is not the id of {words[k]!r}. Is own_ids made from this own_text?"


# --------------------------------------------------------- 2: one row, two meanings


@exercise("06-opposites", "set one_text and other_text to your two sentences")
def opposites(one_text: str, other_text: str):
    one, other = _words(one_text), _words(other_text)
    if min(len(one), len(other)) < 3:
        yield wrong("Each of the two should be a sentence of three words or more.")
        return
    in_figure = {"it is not bad it is good", "it is not good it is bad"}
    if {" ".join(one), " ".join(other)} <= in_figure and one != other:
        yield wrong("Those are the two of the figure. Find a pair of your own.")
        return
    yield judged(
        one != other,
        "texts: two different ones. Whether they say opposite things, only you can tell.",
        "texts: both have the same words in the same order.",
    )
    yield _judge_rows(one, other)


def _judge_rows(one, other):
    alone = sorted(set(one) ^ set(other))
    if not alone:
        return right("row: the same ones in the same places.")
    shown = ", ".join(map(repr, alone[:5]))
    if set(_ids(one)) == set(_ids(other)):
        return wrong(
            f"row: the same, but only since the vocabulary lacks some words: {shown}. Use commoner "
            "ones."
        )
    return wrong(f"row: not the same. Only one of the two has: {shown}.")


# -------------------------------------------------------------- 3: build and compile


@exercise("06-model", "write create_model_imdb")
def model(create_model_imdb: object):
    if isinstance(create_model_imdb, keras.Model):
        yield wrong("create_model_imdb is a model; make it a function that returns one.")
        return
    model, fault = called("create_model_imdb", create_model_imdb)
    if fault:
        yield fault
        return
    if not isinstance(model, keras.Model):
        yield wrong(f"create_model_imdb() returns a {type(model).__name__}, not a Keras model.")
        return
    if not model.built:
        yield wrong("input: the model does not know its size yet. Begin with keras.Input.")
        return
    yield from _judge_layers(model)
    if not model.compiled:
        yield wrong("compile: not done yet. Let the function compile the model before it returns.")
        return
    yield judge_rmsprop(model.optimizer)
    yield judge_binary_loss(model)
    yield from judge_binary_accuracy(model)


def _judge_layers(model):
    yield judged(
        tuple(model.input_shape) == (None, NUM_WORDS),
        "input: a row of 10,000 numbers.",
        f"input: yours has the shape {tuple(model.input_shape)[1:]}; how long is a multi-hot row?",
    )
    found = unfolded(model)
    dense = [one for one in found if isinstance(one[0], keras.layers.Dense)]
    if len(dense) != 3:
        yield wrong(f"dense layers: {len(dense)}; the task asks for three.")
        return
    units, activations = [layer.units for layer, _ in dense], [name for _, name in dense]
    yield judged(
        units[:2] == [16, 16] and activations[:2] == ["relu", "relu"],
        "hidden layers: 16 units each, with ReLU.",
        f"hidden layers: {units[0]} units with {activations[0]} and {units[1]} with "
        f"{activations[1]}; the task asks for 16 and 16 with relu.",
    )
    yield _judge_last(units[2], activations[2])
    if others := [type(one[0]).__name__ for one in found if one not in dense]:
        yield wrong(f"other layers: there is {others[0]} too, which the task does not ask for.")
    if not all(layer.use_bias for layer, _ in dense):
        yield wrong("biases: a layer has none. Leave use_bias at its default.")


def _judge_last(units, activation):
    if units != 1:
        return wrong(
            f"last layer: {units} units. One is enough for yes or no; the labels here are single "
            "numbers."
        )
    reasons = {
        "softmax": "softmax makes the outputs add up to 1, so a single one is always 1.",
        "linear": "without an activation the output is a score of any size, not a probability.",
        "relu": "relu gives 0 or any number above it, not a probability.",
        "tanh": "tanh goes from -1 to 1; a probability goes from 0 to 1.",
    }
    return judged(
        activation == "sigmoid",
        "last layer: one unit with sigmoid, a probability.",
        "last layer: "
        + reasons.get(activation, f"{activation} does not make a probability of the output."),
    )


# ------------------------------------------------------- 4: train anew to the best epoch


@exercise("06-retrain", "set best_epoch and fit model_best")
def retrain(
    best_epoch: Real,
    model_best: keras.Model,
    history_imdb: keras.callbacks.History,
    model_imdb: object = None,
    val_rows: object = None,
    val_labels: object = None,
):
    found, fault = curves(
        history_imdb, "history_imdb", ("loss", "val_loss"), "fit model_imdb as above first."
    )
    if fault:
        yield fault
        return
    best = int(np.argmin(found["val_loss"])) + 1
    yield _judge_epoch(found, best_epoch, best)
    if model_best is model_imdb or model_best is history_imdb.model:
        yield wrong("model_best is the model of the twenty epochs itself; build a new one.")
        return
    if not model_best.compiled:
        yield not_compiled("model_best")
        return
    steps = steps_taken(model_best)
    training = _judge_training(model_best, steps, best, best_epoch)
    yield training
    if training[0] == RIGHT and val_rows is not None and val_labels is not None:
        yield _judge_result(loss_on(model_best, val_rows, val_labels), min(found["val_loss"]))


def _judge_epoch(found, epoch, best):
    accuracies = [name for name in found if name.startswith("val_") and name.endswith("accuracy")]
    return number(
        "best_epoch",
        epoch,
        best,
        "there the validation loss is lowest.",
        {
            "that is its place in the list, which counts from 0; epochs count from 1.": best - 1,
            "there the training loss is lowest. Which loss tells about unseen reviews?": (
                int(np.argmin(found["loss"])) + 1
            ),
            "there the validation accuracy is highest; the task asks about the loss.": [
                int(np.argmax(found[name])) + 1 for name in accuracies
            ],
            "that is the lowest loss itself. After which epoch was it reached?": (
                found["val_loss"].min()
            ),
        },
        "look for the lowest point of the validation loss, the dashed curve on the left.",
    )


def _judge_training(model, steps, best, given):
    asked = STEPS * best
    an_epoch = (getattr(getattr(model, "history", None), "params", None) or {}).get("steps", STEPS)
    if steps == STEPS * given != asked and an_epoch == STEPS:
        return note("model_best: fitted as your best_epoch says, which is not right yet.")
    if steps == 0:
        text = "not fitted yet."
    elif an_epoch == 49:
        text = "49 steps an epoch: validation reviews were among those it was fitted on."
    elif an_epoch != STEPS:
        text = f"its epochs have {an_epoch:,} steps; 15,000 reviews, 512 at a time, make {STEPS}."
    elif steps > 20 * STEPS:
        text = f"it has taken {steps:,} steps, as after a second fit. Build it anew, then fit once."
    else:
        text = f"it was fitted for {steps // STEPS} epochs; how many should it be?"
    return judged(
        steps == asked and an_epoch == STEPS,
        f"model_best: {asked} steps, to the best epoch.",
        f"model_best: {text}",
    )


def _judge_result(loss, lowest):
    if loss is None:
        return changed("val_rows", "val_labels")
    # The same seed, data and number of steps give the same weights; another seed's loss
    # is further off than this.
    return judged(
        abs(loss - lowest) < 0.0005,
        f"validation loss: {loss:.3f}, where the curve was lowest.",
        f"validation loss: {loss:.4f}, but the lowest of the twenty epochs was {lowest:.4f}. "
        "Was the seed set to 6 right before the model was built, and was it fitted on train_rows "
        "and train_labels alone?",
    )


# ------------------------------------------------------------------- 5: ninety percent

VALIDATION = 10_000  # reviews, the first
ENOUGH, BEATEN = 0.90, 0.89  # the goal, and what the network of the notebook reached
TOO_ALIKE = 0.01  # training minus validation accuracy; 0.02 or more in honest fits


@exercise("06-ninety", "write own_rows and fit own_model")
def ninety(own_rows: Callable, own_model: keras.Model, reviews: object, labels: object):
    truth = as_array(labels)
    if truth is None or truth.ndim != 1 or not VALIDATION < len(truth) == _length(reviews):
        yield changed("reviews", "labels")
        return
    if not own_model.built:
        yield wrong("own_model has not seen any rows yet. Fit it first.")
        return
    found = {}
    for name, part in (("validation", slice(VALIDATION)), ("training", slice(VALIDATION, 15_000))):
        found[name], fault = _accuracy(own_rows, own_model, reviews[part], truth[part])
        if fault:
            yield fault
            return
    yield right("own_rows and own_model fit together.")
    yield _judge_ninety(**found)


def _length(thing):
    try:
        return len(thing)
    except Exception:  # whatever it is, it is no list of reviews
        return None


def _accuracy(own_rows, own_model, reviews, truth):
    """The share that a learner's model gets right with the learner's rows, or a line on why not."""
    rows, fault = called("own_rows", own_rows, reviews, patience=10)
    if fault:
        return None, fault
    if not hasattr(rows, "shape") or len(rows.shape) < 2 or rows.shape[0] != len(reviews):
        what = f"rows of type {type(rows).__name__}"
        if hasattr(rows, "shape"):
            what = f"an array of shape {tuple(rows.shape)}"
        return None, wrong(
            f"own_rows: given {len(reviews):,} lists of ids, it returns {what}. It should be an "
            "array with one row for each of them. Does it use its argument?"
        )
    try:
        said = as_array(own_model.predict(rows, batch_size=500, verbose=0))
    except Exception as error:
        columns = getattr(own_model, "input_shape", None)
        own = f" The model wants {columns[1:]}." if isinstance(columns, tuple) else ""
        return None, wrong(
            f"own_model cannot read what own_rows returns, rows of {tuple(rows.shape)[1:]}.{own} "
            f"It stops with {told(error)}."
        )
    if said is None or said.shape not in ((len(truth),), (len(truth), 1), (len(truth), 2)):
        many = 0 if said is None else said.size // len(truth)
        return None, wrong(
            f"own_model: for each review it answers with {many} numbers; asked for is one, the "
            "probability of positive."
        )
    if said.ndim == 2 and said.shape[1] == 2:
        verdict = said.argmax(axis=1)
    else:  # a probability; or a score, which may be of any size
        verdict = said.ravel() > (0.5 if said.min() >= 0 and said.max() <= 1 else 0)
    return np.mean(verdict == truth), None


def _judge_ninety(validation, training):
    shown = f"{validation:.1%} of the validation reviews"
    if validation < 0.4:
        return wrong(f"goal: {shown}. Worse than guessing: were the labels turned round?")
    if validation < 0.6:
        return wrong(
            f"goal: {shown}, hardly better than guessing. Was own_model fitted, and with the "
            "labels that belong to its rows?"
        )
    if validation >= ENOUGH and training - validation < TOO_ALIKE:
        return wrong(
            f"goal: {shown}, and {training:.1%} of the training reviews. A model does better on "
            "what it has learned from; yours knows both equally well. Was it fitted on the "
            "validation reviews too? They are the first 10,000."
        )
    if validation >= ENOUGH:
        return right(f"goal: {validation:.0%} of the validation reviews classified correctly.")
    advice = (
        "Better than the network of section 5, and not there yet. What do pairs know that words "
        "do not? Which of them, and how many?"
        if validation > BEATEN
        else "The network of section 5 got 89.0%. What could rows hold that multi-hot words lack?"
    )
    also = (
        f" On training reviews it gets {training:.1%}: fewer epochs may be better."
        if training > 0.985
        else ""
    )
    return wrong(f"goal: {shown}; 90% is asked for. {advice}{also}")
