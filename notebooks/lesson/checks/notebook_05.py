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
    judged,
    near,
    note,
    number,
    right,
    told,
    wrong,
)

# --- 1. One step by hand ----------------------------------------------------------


@exercise("05-step", "set slope_by_hand and weight_after")
def step(slope_by_hand: Real, weight_after: Real):
    yield number(
        "slope_by_hand",
        slope_by_hand,
        -8,
        "the mean of 2 × x × error over the three examples.",
        {
            "the sign is the other way round. The error is the guess minus what it should be.": 8,
            "that is the sum over the examples; the loss is their mean.": -24,
            "that is a sum, with its sign turned; the loss is a mean, and an error is the guess "
            "minus y.": 24,
            "the 2 is missing: the slope of error² is 2 × error, times what the weight is "
            "multiplied by.": -4,
            "the 2 is missing, and it is the mean that counts and not the sum.": -12,
            "each error counts times its x: that is what the weight is multiplied by.": -10 / 3,
            "each error counts times its x, and twice.": -5 / 3,
            "that is the loss itself. How does it change when the weight goes up?": 11 / 3,
        },
        "for each example 2 × x × (0.5 × x − y); then the mean of the three.",
        tolerance=1e-3,
    )
    yield number(
        "weight_after",
        weight_after,
        0.9,
        "against the slope, by rate × slope.",
        {
            "that went uphill: the step goes against the slope, so rate × slope is taken away.": (
                0.1
            ),
            "that is how far it goes. From where?": 0.4,
            "that is how far it goes, with the sign of the slope. From where, and which way?": -0.4,
            "the learning rate is missing: a step is rate × slope.": 8.5,
            "the learning rate is missing, and the step goes against the slope.": -7.5,
            "that is the slope without its sign; a step is rate × slope, from 0.5.": 8,
        },
        "weight − learning rate × slope.",
        follows=(0.5 - 0.05 * slope_by_hand, "slope_by_hand"),
        tolerance=1e-3,
    )


# --- 2. Choose a rate -------------------------------------------------------------


def _curve(finder):
    """Rates and losses of RMSprop in the table of the finder, or None."""
    if not isinstance(finder, pd.DataFrame) or not {"optimizer", "rate", "loss"} <= set(finder):
        return None
    one = finder[finder["optimizer"] == "RMSprop"]
    try:
        rates, losses = one["rate"].to_numpy("float64"), one["loss"].to_numpy("float64")
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
        other = finder
        other = other[other["optimizer"] == "SGD"]
        hint = "too high, up on the right slope, or beyond."
        if len(other) and close(rate, other.loc[other["loss"].idxmin(), "rate"], 0.6):
            hint = "that would suit SGD. Look at the other curve."
        yield wrong(f"chosen_rate: {hint}")


# --- 3. Find the bug --------------------------------------------------------------

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


# --- 4. A staircase ---------------------------------------------------------------

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


# --- 5. Three short fits ----------------------------------------------------------

CAUSES = ("rate too low", "rate too high", "overfitting")
LONGER, SHORTER, AFRESH, EPOCHS = TRIES = (
    "ten times the rate",
    "a lower rate",
    "a lower rate and a new model",
    "more epochs",
)
# For each fit: what is right, then what to say of each mistake.
DIAGNOSES = {
    "A": (
        {"rate too high"},
        {
            "rate too low": "short steps do not take a loss to 172, far above knowing nothing.",
            "overfitting": "the training loss would be low. It stands at that of knowing nothing.",
        },
        {AFRESH},
        {
            LONGER: "that would throw the weights further still.",
            SHORTER: "it is, but what are these weights worth after such a start? Think of the "
            "dead units.",
            EPOCHS: "it stands still: from there the slopes no longer show the way back.",
        },
    ),
    "B": (
        {"rate too low"},
        {
            "rate too high": "no step leaps here: the loss falls evenly. How fast?",
            "overfitting": "the validation loss falls as well.",
        },
        {LONGER},
        {
            SHORTER: "it falls by 0.01 an epoch. That would make it slower still.",
            AFRESH: "it falls by 0.01 an epoch. That would make it slower still.",
            EPOCHS: "at 0.01 an epoch it would take hundreds. Something is cheaper.",
        },
    ),
    "C": (
        {"overfitting"},
        {
            "rate too high": "the training loss falls well. What does the validation loss do?",
            "rate too low": "the training loss falls fast. What does the validation loss do?",
        },
        {SHORTER, AFRESH},
        {
            LONGER: "longer steps bring it sooner (section 7).",
            EPOCHS: "the validation loss rises already. More of the same would not turn it.",
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
