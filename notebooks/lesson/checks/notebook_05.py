"""Checks of notebook 05, Learning rate, batch size, optimizers."""

from collections.abc import Callable
from numbers import Real

import keras
import numpy as np
import pandas as pd

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    as_number,
    called,
    changed,
    close,
    cross_entropy,
    judged,
    near,
    note,
    right,
    steps_taken,
    told,
    unfolded,
    wrong,
)

# --- 1. Choose a rate -------------------------------------------------------------


def _curve(finder):
    """Rates and losses of RMSprop in the table of the finder, or None."""
    if not isinstance(finder, pd.DataFrame) or not {"rate", "RMSprop"} <= set(finder):
        return None
    try:
        rates, losses = finder["rate"].to_numpy("float64"), finder["RMSprop"].to_numpy("float64")
    except (TypeError, ValueError):
        return None
    if len(rates) < 3 or np.any(rates <= 0) or not np.isfinite(rates).all():
        return None
    order = np.argsort(rates)
    return rates[order], np.nan_to_num(losses[order], nan=1e6, posinf=1e6)


@exercise("05-rate", "set chosen_rate")
def choose_rate(chosen_rate: Real, finder: object):
    curve, rate = _curve(finder), chosen_rate
    if curve is None:
        yield changed("finder")
        return
    rates, losses = curve
    best, lowest = rates[np.argmin(losses)], losses.min()
    if rate <= 0:
        yield wrong(
            "chosen_rate: a rate is above 0. If you read 10⁻² off the axis, that is 0.01, not -2."
        )
        return
    if close(rate, lowest, 0.03) and not rates[0] <= rate <= best * 2:
        yield wrong("chosen_rate: that is the lowest loss. At which rate was it reached?")
        return
    if not rates[0] <= rate <= rates[-1]:
        yield wrong("chosen_rate: outside the rates that were tried, so nothing is known of it.")
        return
    expected = np.interp(np.log10(rate), np.log10(rates), losses)
    if expected <= 1.6 * lowest:
        yield right("chosen_rate: on the floor of RMSprop's valley.")
        if rate > 1.5 * best:
            yield note(
                "It lies to the right of the lowest point, on the side where the cliff is. To "
                "the left a mistake is cheaper."
            )
    elif rate < best:
        yield wrong("chosen_rate: too low, up on the left slope: the loss is still far from its "
                    "lowest after 200 steps.")  # fmt: skip
    else:
        hint = "too high, up on the right slope, or beyond."
        if "SGD" in finder and close(rate, finder["rate"][finder["SGD"].idxmin()], 0.6):
            hint = "that would suit SGD. Look at the other curve."
        yield wrong(f"chosen_rate: {hint}")


# --- 2. Find the bug --------------------------------------------------------------

# Weight, velocity, slope, rate, beta.
CASES = [
    (2.0, 0.0, 4.0, 0.1, 0.9),
    (1.6, -0.4, 3.2, 0.1, 0.9),
    (-1.0, 0.5, 2.0, 0.05, 0.5),
    (0.3, 0.2, -1.5, 0.2, 0.9),
]


def _momentum_guesses(weight, velocity, slope, rate, beta):
    """What mistakes that learners make would return, by what to say of them."""
    pull = rate * slope
    new = beta * velocity - pull
    guesses = {
        "it still goes uphill: the slope has to be taken away, not added.": (
            weight + beta * velocity + pull,
            beta * velocity + pull,
        ),
        "the velocity is not kept: it begins at 0 in every step, so this is plain gradient "
        "descent.": (weight - pull, -pull),
        "it still goes uphill, and the velocity begins at 0 in every step.": (
            weight + pull,
            pull,
        ),
        "the learning rate is missing: the slope counts times the rate.": (
            weight + beta * velocity - slope,
            beta * velocity - slope,
        ),
        "the velocity is kept whole: β is missing, so the ball never loses speed.": (
            weight + velocity - pull,
            velocity - pull,
        ),
        "the slope counts times (1 − β). That is a running mean, as in Adam; the rule here has "
        "no such factor.": (
            weight + beta * velocity - (1 - beta) * pull,
            beta * velocity - (1 - beta) * pull,
        ),
        "the weight moves by the old velocity. Work out the new one first, then move by it.": (
            weight + velocity,
            new,
        ),
        "the weight moves by βv − η · slope with the new v, so the slope counts twice. It moves "
        "by the new v.": (weight + beta * new - pull, new),
        "the weight moves against its velocity: it goes w + v.": (weight - new, new),
        "that is velocity, weight. The task asks for weight, velocity.": (new, weight + new),
        "it returns the new weight, and the velocity that it was given.": (weight + new, velocity),
        "the velocity is right. Now the weight has to move by it.": (weight, new),
    }
    return new, guesses


def _momentum(function, *arguments):
    """The new weight and velocity, and None; or None and a line on why not."""
    returned, fault = called("momentum_step", function, *arguments)
    if fault:
        return None, fault
    if not isinstance(returned, tuple | list | np.ndarray) or len(returned) != 2:
        return None, wrong(
            "momentum_step: it should return two values, the new weight and the new velocity."
        )
    values = [as_number(value) for value in returned]
    if None in values:
        return None, wrong("momentum_step: it should return two numbers for numbers.")
    return values, None


@exercise("05-momentum", "write momentum_step")
def momentum(momentum_step: Callable):
    results = []
    for case in CASES:
        values, fault = _momentum(momentum_step, *case)
        if fault:
            yield fault
            return
        results.append(values)
    found, guesses = np.array(results), [_momentum_guesses(*case) for case in CASES]
    rule = np.array([(case[0] + new, new) for case, (new, _) in zip(CASES, guesses, strict=True)])
    if near(found, rule, 1e-5):
        yield right("downhill: the slope is taken away.")
        yield right("a ball: the velocity of the step before counts.")
        yield _judge_defaults(momentum_step)
        return
    for text in guesses[0][1]:
        if near(found, np.array([values[text] for _, values in guesses]), 1e-5):
            yield wrong(f"momentum_step: {text}")
            return
    if np.isclose(found, rule, rtol=1e-5).all(axis=1).any():
        yield wrong(
            "momentum_step: right for some values and not for others. Does it use all of its "
            "arguments, rate and beta too?"
        )
        return
    yield wrong(
        "momentum_step: this is neither rule. First the velocity, from the old velocity and the "
        "slope; then the weight, moved by the new velocity."
    )


def _judge_defaults(function):
    case = CASES[0]
    values, fault = _momentum(function, *case[:3])
    if fault:
        return wrong(
            f"defaults: without rate and beta it fails. {fault[1].removeprefix('momentum_step: ')}"
        )
    new, _ = _momentum_guesses(*case[:3], 0.1, 0.9)
    return judged(
        near(values, [case[0] + new, new], 1e-5),
        "defaults: a rate of 0.1 and β of 0.9, unless told otherwise.",
        "defaults: called without rate and beta it gives something else than with those that the "
        "task names.",
    )


# --- 3. A staircase ---------------------------------------------------------------

STEPS = 375  # an epoch of 48,000 images in batches of 128
ASKED = (0, 1, 100, 374, 375, 376, 749, 750, 1125, 1500, 2249)


@exercise("05-schedule", "make schedule")
def schedule(schedule: object):
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        yield wrong(
            "schedule: this should be one of Keras's schedules. A plain function will not do: "
            "an optimizer calls it without telling it the step."
            if callable(schedule) and not isinstance(schedule, type)
            else "schedule: this should be one of Keras's schedules, made with its settings."
        )
        return
    rates = {}
    for step in ASKED:
        try:
            rates[step] = as_number(schedule(step))
        except Exception as error:
            yield wrong(f"schedule: asked for step {step} it stops with {told(error)}.")
            return
        if rates[step] is None:
            yield wrong(f"schedule: for step {step} it gives no number.")
            return
    if not close(rates[0], 0.01):
        yield wrong(f"start: {rates[0]:g} at the first step; the task asks for 0.01.")
        return
    yield right("start: 0.01.")
    if close(rates[1], 0.005) or close(rates[1], 0.02) or rates[100] < 0.002:
        yield wrong(
            f"steps: after 100 steps, long before the first epoch is over, it is {rates[100]:.2g}. "
            "A schedule counts steps and not epochs. How many steps has an epoch?"
        )
        return
    yield from _judge_fall(rates)


def _judge_fall(rates):
    expected = {step: 0.01 * 0.5 ** (step // STEPS) for step in ASKED}
    if all(close(rates[step], expected[step]) for step in ASKED):
        yield right("epochs: the rate stays for 375 steps, then is halved.")
    elif all(close(rates[step], 0.01) for step in ASKED):
        yield wrong(
            "steps: it never falls in six epochs. decay_steps counts steps and not images; and "
            "decay_rate is what the rate is multiplied by."
        )
    elif rates[2249] > rates[0]:
        yield wrong("decay: it rises. decay_rate is what the rate is multiplied by.")
    elif not close(rates[100], 0.01) and close(rates[375], 0.005):
        yield wrong(
            "staircase: halved by the end of the epoch, but bit by bit with every step. It should "
            "stay throughout the epoch, then fall."
        )
    elif close(rates[374], 0.01) and close(rates[375], 0.005):
        first = next(step for step in ASKED if not close(rates[step], expected[step]))
        yield wrong(
            f"decay: halved after the first epoch, as asked; but at step {first:,} it is "
            f"{rates[first]:.3g}. It should be halved again after every epoch."
        )
    elif close(rates[374], 0.01) and not close(rates[375], 0.01):
        yield wrong(
            f"decay: after one epoch it is {rates[375] / rates[0]:.2g} times what it was; the task "
            "asks for half, in every epoch."
        )
    else:
        yield wrong(
            f"steps: {rates[374]:.2g} after 374 steps and {rates[375]:.2g} after 375. It should "
            "fall where the first epoch ends: 48,000 images in batches of 128."
        )


# --- 4. Four short fits -----------------------------------------------------------

CAUSES = LOW, HIGH, UNSETTLED, OVERFITTING = (
    "rate too low",
    "rate far too high",
    "steps too long to settle",
    "overfitting",
)
TRIES = LONGER, SHORTER, AFRESH, REMEDY, EPOCHS = (
    "ten times the rate",
    "a lower rate",
    "a lower rate and a new model",
    "dropout or early stopping",
    "more epochs",
)
# For each fit: what is right, then what to say of each mistake.
DIAGNOSES = {
    "A": (
        {HIGH},
        {
            LOW: "short steps do not take a loss to 172, far above knowing nothing.",
            UNSETTLED: "steps that cannot settle still learn. Has this one learned anything?",
            OVERFITTING: "the training loss would be low. It stands at that of knowing nothing.",
        },
        {AFRESH},
        {
            LONGER: "that would throw the weights further still.",
            SHORTER: "it is, but what are these weights worth after such a start? Think of the "
            "dead units.",
            REMEDY: "against overfitting. Is there anything that it has learned by heart?",
            EPOCHS: "it stands still, with units that no step can wake.",
        },
    ),
    "B": (
        {LOW},
        {
            HIGH: "no step leaps here: the loss falls evenly. How fast?",
            UNSETTLED: "nothing jumps about here: the loss falls evenly. How fast?",
            OVERFITTING: "the validation loss falls as well.",
        },
        {LONGER},
        {
            SHORTER: "it falls slowly enough. That would make it slower still.",
            AFRESH: "it falls slowly enough. That would make it slower still.",
            REMEDY: "against overfitting. Is the training loss low?",
            EPOCHS: "at this pace it would take hundreds. Something is cheaper.",
        },
    ),
    "C": (
        {OVERFITTING},
        {
            HIGH: "the training loss falls to almost nothing. What does the validation loss do?",
            LOW: "the training loss falls fast. What does the validation loss do?",
            UNSETTLED: "the training loss has settled, close to 0.",
        },
        {REMEDY},
        {
            LONGER: "the training loss needs no help. Which loss rises?",
            SHORTER: "the training loss is near 0: these steps do settle, on what they learn from. "
            "What keeps a network from learning by heart?",
            AFRESH: "the training loss is near 0: these steps do settle, on what they learn from. "
            "What keeps a network from learning by heart?",
            EPOCHS: "the validation loss rises already. More of the same would not turn it.",
        },
    ),
    "D": (
        {UNSETTLED},
        {
            HIGH: "too high it is, but not so far that nothing is learned. Which words say what "
            "the training loss does after the first epoch?",
            LOW: "the first epoch gets far. And then?",
            OVERFITTING: "the training loss would go on falling. Look at it from the second epoch "
            "on.",
        },
        {SHORTER, AFRESH},
        {
            LONGER: "longer steps settle even less.",
            REMEDY: "against overfitting. But the training loss itself stays high.",
            EPOCHS: "the training loss stopped falling epochs ago.",
        },
    ),
}


def _words(value):
    return " ".join(value.lower().replace(",", " ").strip(" .").split())


@exercise("05-diagnose", "fill in diagnosis")
def diagnose(diagnosis: dict):
    for name, (causes, of_causes, tries, of_tries) in DIAGNOSES.items():
        entry = diagnosis.get(name)
        if (
            not isinstance(entry, tuple | list)
            or len(entry) != 2
            or not all(isinstance(value, str) for value in entry)
        ):
            yield wrong(f"{name}: this should be two texts, the cause and what to try first.")
            continue
        cause, first = map(_words, entry)
        if cause in TRIES and first in CAUSES:
            yield wrong(f"{name}: the other way round: first the cause, then what to try.")
            continue
        yield _judge_choice(f"{name}, cause", cause, causes, of_causes, "causes")
        yield _judge_choice(f"{name}, first try", first, tries, of_tries, "tries")


def _judge_choice(what, choice, answers, hints, listed):
    if not choice.strip("_"):
        return wrong(f"{what}: still to fill in.")
    if choice not in answers and choice not in hints:
        return wrong(f"{what}: {choice!r} is not in the list {listed}.")
    return judged(choice in answers, f"{what}: {choice}.", f"{what}: {hints.get(choice)}")


# --- 5. Three epochs ----------------------------------------------------------------

GOAL = 0.09
LAYERS = [("Dense", 128, "relu"), ("Dense", 10, "softmax")]


@exercise("05-three", "fit my_model for three epochs, and keep what fit returns as my_history")
def three_epochs(
    my_model: keras.Model,
    my_history: keras.callbacks.History,
    train_images: object,
    train_digits: object,
    val_images: object,
    val_digits: object,
):
    found = [
        (type(layer).__name__, getattr(layer, "units", None), activation)
        for layer, activation in unfolded(my_model)
    ]
    if found != LAYERS or my_model.count_params() != 101_770:
        yield wrong(
            "my_model: this is another network. The task is to get the most out of the one that "
            "create_model makes."
        )
        return
    epochs = len(getattr(my_history, "epoch", ()))  # one that never ran has none
    if not epochs:
        yield wrong("my_history is empty: this fit has not run.")
        return
    if my_history.model is not my_model:
        yield wrong(
            "my_history belongs to another model than my_model: keep the two that fit returns."
        )
        return
    asked = epochs * (my_history.params.get("steps") or 0)
    if epochs > 3:
        yield wrong(f"epochs: {epochs}; there are three to spend.")
        return
    if asked and steps_taken(my_model) > asked:
        yield wrong(
            f"epochs: my_model has taken {steps_taken(my_model):,} steps, more than this fit's "
            f"{asked:,}. A second fit goes on where the first one stopped; begin with a new model."
        )
        return
    yield right(f"epochs: {epochs}, from the start.")
    yield from _judge_reached(my_model, train_images, train_digits, val_images, val_digits)


def _judge_reached(model, train_images, train_digits, val_images, val_digits):
    validation = cross_entropy(model, val_images, val_digits)
    if validation is None:
        yield changed("val_images", "val_digits")
        return
    training = cross_entropy(model, train_images, train_digits, first=12_000)
    if training is None:
        yield changed("train_images", "train_digits")
        return
    if validation < GOAL and validation < 1.1 * training:
        yield wrong(
            f"validation: {validation:.3f}, but {training:.3f} on the training images. A network "
            "does better on what it has learned from. Were the validation images among that?"
        )
    elif validation < GOAL:
        yield right(f"goal: a validation loss of {validation:.3f}, below {GOAL:g}.")
    else:
        yield wrong(f"goal: a validation loss of {validation:.3f}; it should be below {GOAL:g}. "
                    f"{_what_next(training, validation)}")  # fmt: skip


def _what_next(training, validation):
    if validation > 1:
        return "It has learned next to nothing: find a rate for this optimizer first (section 3)."
    if validation > 0.15:
        return "The way is still long: is the rate on the floor of its valley?"
    if training < validation / 2:
        return "The training loss is far lower: fewer, or calmer, steps may be enough."
    return "Close. What lets weights settle in the last epoch?"
