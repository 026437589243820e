"""Checks of notebook 03, Compile and fit."""

import math
from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    as_array,
    changed,
    close,
    curves,
    judge_accuracy_for_one_hot,
    judge_adam,
    judge_loss_for_integers,
    judge_loss_for_one_hot,
    judged,
    loss_on,
    not_compiled,
    note,
    number,
    right,
    share,
    steps_taken,
    wrong,
)

MOST_WEIGHTS = 5_000  # in 03-own


@exercise("03-compile", "compile model_intro")
def compile_intro(model_intro: keras.Model):
    if not model_intro.compiled:
        yield not_compiled("model_intro")
        return
    yield judge_adam(model_intro.optimizer)
    yield judge_loss_for_one_hot(model_intro)
    yield from judge_accuracy_for_one_hot(model_intro)


@exercise("03-bug", "set labels_fixed, then compile and fit model_fixed")
def bug(labels_fixed: object, model_fixed: keras.Model, train_labels: object = None):
    if not model_fixed.compiled:
        yield not_compiled("model_fixed")
    else:
        yield judge_loss_for_integers(model_fixed)
    yield _judge_labels(labels_fixed, train_labels)
    yield judged(
        model_fixed.compiled and steps_taken(model_fixed) > 0,
        "fit: it took labels of this kind.",
        "fit: the model has taken no step yet. Fit it on labels that are single integers.",
    )


def _judge_labels(labels, one_hot):
    found = as_array(labels)
    if found is not None and found.ndim == 2 and 1 in found.shape:
        found = found.ravel()
    if found is not None and found.ndim == 2 and found.shape[1] == 10:
        return wrong("labels_fixed: those are one-hot rows. The sparse loss wants the integers.")
    if found is None or found.ndim != 1 or not set(found) <= set(range(10)):
        return wrong("labels_fixed: these should be integers from 0 to 9, one for each image.")
    if len(found) != 320:
        return wrong(f"labels_fixed: {len(found):,} labels; the task takes the first 320 images.")
    if one_hot is None:
        return right("labels_fixed: integers.")
    try:
        expected = as_array(one_hot[:320])
    except Exception:  # it has no beginning
        expected = None
    if expected is None or expected.shape != (320, 10):
        return changed("train_labels")
    return judged(
        np.array_equal(found, expected.argmax(axis=1)),
        "labels_fixed: for each image the number of its class.",
        "labels_fixed: integers, but not those of the first 320 training images, in their order.",
    )


@exercise("03-fit", "fit model_intro and keep what fit returns as history_intro")
def fit(
    model_intro: keras.Model,
    history_intro: keras.callbacks.History,
    train_images: object = None,
    train_labels: object = None,
    val_images: object = None,
    val_labels: object = None,
):
    done = len(getattr(history_intro, "epoch", []))  # absent from one that never ran
    if done == 0:
        yield wrong("history_intro holds no finished epoch: the fit was stopped too early.")
        return
    if history_intro.model is not model_intro:
        yield wrong(
            "history_intro belongs to another model than model_intro: build, compile and fit "
            "model_intro, and keep what that fit returns."
        )
        return
    params = history_intro.params
    yield _judge_epochs(done, params.get("epochs"))
    yield _judge_batch_size(params.get("steps"))
    yield from _judge_validation(history_intro.history, model_intro, val_images, val_labels)
    yield from _judge_learned(history_intro.history, model_intro, train_images, train_labels)
    steps, expected = steps_taken(model_intro), done * (params.get("steps") or 0)
    if expected and steps > expected:
        yield note(
            f"model_intro has taken {steps:,} steps, more than this fit's {expected:,}: a second "
            "fit goes on where the first one stopped. Build the model again to start afresh."
        )


def _judge_epochs(done, asked):
    if asked and done < asked:
        return wrong(f"epochs: the fit stopped after {done} of {asked}. Run it again to the end.")
    return judged(done == 10, "epochs: 10.", f"epochs: {done}; the task asks for 10.")


def _judge_batch_size(steps):
    return number(
        "batches",
        steps or 0,
        1250,
        "1,250 an epoch, so 40,000 images, 32 at a time.",
        {
            "1,563 steps an epoch is all 50,000 images: keep the validation images out of x.": 1563,
            "313 steps an epoch is 10,000 images: fit on the training images.": 313,
        },
        f"{steps} an epoch; 40,000 images in batches of 32 make 1,250.",
    )


def _judge_validation(history, model, images, labels):
    if "val_loss" not in history:
        yield wrong("validation: none. Give fit the pair (val_images, val_labels).")
        return
    if images is None or labels is None:
        return
    # Evaluating again tells which data the fit was validated on.
    seen, loss = history["val_loss"][-1], loss_on(model, images, labels)
    if loss is None:
        yield changed("val_images", "val_labels")
        return
    yield judged(
        close(loss, seen, tolerance=1e-4),  # 0.001 took training images for them once
        "validation: on val_images and val_labels.",
        f"validation: the last epoch's val_loss was {seen:.4f}, but on val_images and val_labels "
        f"the model has {loss:.4f}: other data were used, or the model was fitted again since.",
    )


def _judge_learned(history, model, images, labels):
    """Whether it learned from train_images and train_labels, and from nothing else."""
    if images is None or labels is None or "val_loss" not in history:
        return
    try:
        loss = loss_on(model, images[:2000], labels[:2000])
    except Exception:  # they have no beginning
        loss = None
    if loss is None:
        yield changed("train_images", "train_labels")
        return
    knows_nothing, seen = math.log(10), history["loss"][-1]
    # After an epoch the loss is somewhat lower than its mean during it.
    if not 0.5 * seen < loss < 0.1 + 1.1 * seen:
        yield wrong(
            f"learning: in the last epoch the training loss was {seen:.2f}, but on train_images "
            f"and train_labels the model has {loss:.2f}. Was it fitted on others, or on images "
            "that were not scaled?"
        )
        return
    yield judged(
        min(history["val_loss"]) < knows_nothing - 0.05,
        "learning: from train_images and train_labels.",
        f"learning: the validation loss never falls below {knows_nothing:.2f}, that of knowing "
        "nothing. Does each label in y belong to the image at the same place in x, and are x and "
        "the validation images scaled alike?",
    )


ACCURACIES = ("categorical_accuracy", "val_categorical_accuracy")


@exercise("03-read", "set best_epoch and gap")
def read(history_few: keras.callbacks.History, best_epoch: Real, gap: Real):
    needed = ("loss", "val_loss", *ACCURACIES)
    found, fault = curves(history_few, "history_few", needed, "fit model_few as above first.")
    if fault:
        yield fault
        return
    yield _judge_best_epoch(found, best_epoch)
    yield _judge_gap(found, gap)


def _judge_best_epoch(found, best):
    expected = int(np.argmin(found["val_loss"])) + 1
    return number(
        "best_epoch",
        best,
        expected,
        "after it the validation loss only gets worse.",
        {
            "that is its place in the list, which counts from 0; epochs count from 1.": (
                expected - 1
            ),
            "there the training loss is lowest. Which loss tells about unseen images?": (
                int(np.argmin(found["loss"])) + 1
            ),
            "that is the last epoch, when the model had long begun to memorise.": (
                len(found["val_loss"])
            ),
            "there the validation accuracy is highest; the task asks by the loss.": (
                int(np.argmax(found[ACCURACIES[1]])) + 1
            ),
            "that is the lowest validation loss itself. After which epoch was it reached?": (
                found["val_loss"].min()
            ),
        },
        "look for the lowest point of the dashed curve on the left.",
        tolerance=1e-3,
    )


def _judge_gap(found, gap):
    training, validation = (found[name] for name in ACCURACIES)
    best = int(np.argmin(found["val_loss"]))
    expected = training[-1] - validation[-1]
    return share(
        "gap",
        gap,
        expected,
        "how much better the model knows the images it learned from.",
        {
            "the sign is the other way round: training minus validation.": -expected,
            "that is the gap between the losses; the task asks about the accuracies.": (
                found["val_loss"][-1] - found["loss"][-1],
                found["loss"][-1] - found["val_loss"][-1],
            ),
            "that is the gap at best_epoch; the task asks about the last one.": (
                training[best] - validation[best]
            ),
        },
        "compare the two accuracies after the last epoch.",
    )


@exercise("03-own", "build and fit model_own")
def own(model_own: keras.Model, train_images: object, train_labels: object):
    if not model_own.built:
        yield wrong("model_own has no weights yet: begin it with keras.Input, or fit it.")
        return
    weights = model_own.count_params()
    yield judged(
        weights <= MOST_WEIGHTS,
        f"weights: {weights:,}.",
        f"weights: {weights:,}; at most {MOST_WEIGHTS:,} are allowed. Which layer has the most?",
    )
    known = _accuracy(model_own, train_images, train_labels)
    if known is None:
        yield wrong(
            "model_own should take photographs, 32 × 32 × 3, and give ten numbers for each; if it "
            "does, run the cells that make train_images and train_labels again."
        )
        return
    if known >= 0.95:
        yield right(f"memorised: it gets {known:.0%} of the 200 photographs right.")
        return
    reason = "Look at its curve: does it still rise? Would a higher rate be faster?"
    if not (model_own.compiled and steps_taken(model_own)):
        reason = "It has taken no step yet: compile it, and fit it on the first 200."
    elif known < 0.3:
        reason = "Was it fitted on the first 200 of train_images, with their labels?"
    yield wrong(f"memorised: {known:.1%} of the 200 photographs; the goal is 95%. {reason}")


def _accuracy(model, images, one_hot):
    """The share of the first 200 photographs that a model classifies correctly, or None."""
    try:
        given = model.predict(images[:200], batch_size=200, verbose=0)
        return float(np.mean(given.argmax(axis=1) == as_array(one_hot[:200]).argmax(axis=1)))
    except Exception:  # whatever the learner has built, or left in these names
        return None
