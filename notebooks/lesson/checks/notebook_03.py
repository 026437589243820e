"""Checks of notebook 03, Compile and fit."""

import math
import numbers

import keras
import numpy as np

from lesson.checks.engine import exercise, judged, note, wrong
from lesson.checks.judges import (
    judge_accuracy_for_one_hot,
    judge_adam,
    judge_loss_for_integers,
    judge_loss_for_one_hot,
)


@exercise(
    "03-steps",
    "set steps_per_epoch and steps_in_all to your two numbers",
    steps_per_epoch=numbers.Real,
    steps_in_all=numbers.Real,
)
def _steps(found):
    epoch, total = found["steps_per_epoch"], found["steps_in_all"]
    hints = {
        781: "then the 16 images left over would never be used.",
        781.25: "a quarter of a step cannot be: the images left over make a step of their own.",
        1250: "that is 40,000 / 32; here it is 50,000 images in batches of 64.",
        625: "that is 40,000 / 64; here it is all 50,000 images.",
        1563: "that is with batches of 32; here they hold 64.",
        50000: "that would be one image a step; a step takes a batch of 64.",
    }
    yield judged(
        epoch == 782,
        "steps_per_epoch: one step for each batch, the last and smaller one too.",
        "steps_per_epoch: " + hints.get(epoch, "how many batches of 64 do 50,000 images fill?"),
    )
    follows = total == 3 * epoch and epoch != 782
    yield judged(
        total == 2346,
        "steps_in_all: three epochs of them.",
        "steps_in_all: that follows from your steps_per_epoch, which is not right yet."
        if follows
        else "steps_in_all: every epoch goes through all the batches again; there are three.",
    )


@exercise("03-compile", "compile model_intro", model_intro=keras.Model)
def _compile(found):
    model = found["model_intro"]
    if not model.compiled:
        yield note("Nothing to check yet: compile model_intro, then run this cell again.")
        return
    yield judge_adam(model.optimizer)
    yield judge_loss_for_one_hot(model)
    yield from judge_accuracy_for_one_hot(model)


@exercise("03-bug", "build, compile and fit model_fixed", model_fixed=keras.Model)
def _bug(found):
    model = found["model_fixed"]
    if not model.compiled:
        yield note("Nothing to check yet: compile and fit model_fixed, then run this cell again.")
        return
    yield judge_loss_for_integers(model)
    steps = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    yield judged(
        steps > 0,
        "fit: it took labels of this kind.",
        "fit: the model has taken no step yet. Fit it on labels that are single integers.",
    )


@exercise(
    "03-fit",
    "fit model_intro and keep what fit returns as history_intro",
    model_intro=keras.Model,
    history_intro=keras.callbacks.History,
)
def _fit(found):
    history, model = found["history_intro"], found["model_intro"]
    epochs = len(getattr(history, "epoch", []))  # absent from one that never ran
    if epochs == 0:
        yield wrong("history_intro holds no finished epoch: the fit was stopped too early.")
        return
    if history.model is not model:
        yield wrong(
            "history_intro belongs to another model than model_intro: build, compile and fit "
            "model_intro, and keep what that fit returns."
        )
        return
    yield _judge_epochs(epochs, history.params.get("epochs"))
    yield _judge_batch_size(history.params.get("steps"))
    yield from _judge_validation(history, model, found)
    steps = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    expected = epochs * (history.params.get("steps") or 0)
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
    hints = {
        1563: "1,563 steps an epoch is all 50,000 images: keep the validation images out of x.",
        313: "313 steps an epoch is 10,000 images: fit on the training images.",
    }
    return judged(
        steps == 1250,
        "batches: 1,250 an epoch, so 40,000 images, 32 at a time.",
        "batches: " + hints.get(steps, f"{steps} an epoch; 40,000 images in batches of 32 "
                                       "make 1,250."),
    )  # fmt: skip


def _judge_validation(history, model, found):
    if "val_loss" not in history.history:
        yield wrong("validation: none. Give fit the pair (val_images, val_labels).")
        return
    images, labels = found.get("val_images"), found.get("val_labels")
    if images is None or labels is None:
        return
    # Evaluating again tells which data the fit was validated on.
    seen = history.history["val_loss"][-1]
    loss = model.evaluate(images, labels, batch_size=500, verbose=0, return_dict=True)["loss"]
    yield judged(
        math.isclose(loss, seen, rel_tol=1e-3),
        "validation: on val_images and val_labels.",
        f"validation: the last epoch's val_loss was {seen:.4f}, but on val_images and val_labels "
        f"the model has {loss:.4f}: other data were used, or the model was fitted again since.",
    )


@exercise(
    "03-read",
    "set best_epoch and gap",
    history_few=keras.callbacks.History,
    best_epoch=numbers.Real,
    gap=numbers.Real,
)
def _read(found):
    curves, best, gap = found["history_few"].history, found["best_epoch"], found["gap"]
    needed = ("loss", "val_loss", "categorical_accuracy", "val_categorical_accuracy")
    missing = [n for n in needed if not curves.get(n)]
    if missing:
        yield wrong(f"history_few has no {', '.join(missing)}: fit model_few as above first.")
        return
    yield _judge_best_epoch(curves, best)
    yield _judge_gap(curves, gap)


def _judge_best_epoch(curves, best):
    right = int(np.argmin(curves["val_loss"])) + 1
    if best == right - 1:
        text = "that is its place in the list, which counts from 0; epochs count from 1."
    elif best == int(np.argmin(curves["loss"])) + 1:
        text = "there the training loss is lowest. Which loss tells about unseen images?"
    elif best == len(curves["val_loss"]):
        text = "that is the last epoch, when the model had long begun to memorise."
    elif best == int(np.argmax(curves["val_categorical_accuracy"])) + 1:
        text = "there the validation accuracy is highest; the task asks by the loss."
    else:
        text = "look for the lowest point of the dashed curve on the left."
    return judged(
        best == right,
        "best_epoch: after it the validation loss only gets worse.",
        f"best_epoch: {text}",
    )


def _judge_gap(curves, gap):
    right = curves["categorical_accuracy"][-1] - curves["val_categorical_accuracy"][-1]

    def close(value):
        return math.isclose(gap, value, abs_tol=0.006)

    if close(-right) and not close(right):
        text = "the sign is the other way round: training minus validation."
    elif close(curves["val_loss"][-1] - curves["loss"][-1]):
        text = "that is the gap between the losses; the task asks about the accuracies."
    elif math.isclose(gap, 100 * right, abs_tol=0.6):
        text = "give it as a share, such as 0.02, not in percent."
    else:
        text = "compare the two accuracies after the last epoch."
    return judged(
        close(right), "gap: how much better the model knows the images it learned from.",
        f"gap: {text}",
    )  # fmt: skip
