"""Checks of notebook 05, Learning rate, batch size, optimizers."""

import keras
import numpy as np
import pandas as pd

from lesson.checks.engine import close, exercise, judge_number, judged, note, right, wrong


def _number(value):
    """A value as a float, whether a number, a NumPy scalar or a tensor; None if none."""
    try:
        array = np.asarray(keras.ops.convert_to_numpy(value))
        array = array.astype("float64") if array.dtype.kind in "iuf" else np.array([])
    except Exception:  # text, None, a list of unequal lengths
        return None
    return float(array.reshape(())) if array.size == 1 and np.isfinite(array).all() else None


# --- 1. One step by hand ----------------------------------------------------------


@exercise(
    "05-step",
    "set slope_by_hand and weight_after",
    slope_by_hand=object,
    weight_after=object,
)
def _step(found):
    slope, weight = (_number(found[name]) for name in ("slope_by_hand", "weight_after"))
    if slope is None or weight is None:
        name = "slope_by_hand" if slope is None else "weight_after"
        yield wrong(f"{name}: this should be one number.")
        return
    yield judge_number(
        "slope_by_hand",
        slope,
        -8,
        "the mean of 2 × x × error over the three examples.",
        {
            8: "the sign is the other way round. The error is the guess minus what it should be.",
            -24: "that is the sum over the examples; the loss is their mean.",
            24: "that is a sum, with its sign turned; the loss is a mean, and an error is the "
            "guess minus y.",
            -4: "the 2 is missing: the slope of error² is 2 × error, times what the weight is "
            "multiplied by.",
            -12: "the 2 is missing, and it is the mean that counts and not the sum.",
            -10 / 3: "each error counts times its x: that is what the weight is multiplied by.",
            -5 / 3: "each error counts times its x, and twice.",
            11 / 3: "that is the loss itself. How does it change when the weight goes up?",
        },
        "for each example 2 × x × (0.5 × x − y); then the mean of the three.",
    )
    if not close(slope, -8) and close(weight, 0.5 - 0.05 * slope):
        yield wrong("weight_after: that follows from your slope, which is not right yet.")
        return
    yield judge_number(
        "weight_after",
        weight,
        0.9,
        "against the slope, by rate × slope.",
        {
            0.1: "that went uphill: the step goes against the slope, so rate × slope is taken "
            "away.",
            0.4: "that is how far it goes. From where?",
            -0.4: "that is how far it goes, with the sign of the slope. From where, and which way?",
            8.5: "the learning rate is missing: a step is rate × slope.",
            -7.5: "the learning rate is missing, and the step goes against the slope.",
            8: "that is the slope without its sign; a step is rate × slope, from 0.5.",
        },
        "weight − learning rate × slope.",
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


@exercise("05-rate", "set chosen_rate", finder=object, chosen_rate=object)
def _rate(found):
    curve = _curve(found["finder"])
    if curve is None:
        yield wrong("finder should be the table of section 3: run its cell once more.")
        return
    rate = _number(found["chosen_rate"])
    if rate is None:
        yield wrong("chosen_rate: this should be one number, a learning rate.")
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
        other = found["finder"]
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


def _called(function, case):
    """What the function returns for a case, as two floats, or a line on why not."""
    weight, velocity, slope, rate, beta = case
    try:
        result = function(weight, velocity, slope, rate=rate, beta=beta)
    except TypeError as error:
        return None, (
            "it could not be called as momentum_step(weight, velocity, slope, rate=…, beta=…): "
            f"{error}."
        )
    except Exception as error:
        return None, f"it stopped with {type(error).__name__}: {error}."
    if result is None:
        return None, "it returns nothing: end it with return."
    if not isinstance(result, tuple | list) or len(result) != 2:
        return None, "it should return two values, the new weight and the new velocity."
    values = [_number(value) for value in result]
    if None in values:
        return None, "it should return two numbers for numbers."
    return values, None


def _pairs_equal(found, expected):
    return all(close(a, b, 1e-5) for a, b in zip(found, expected, strict=True))


@exercise("05-momentum", "write momentum_step", momentum_step=object)
def _momentum(found):
    function = found["momentum_step"]
    if not callable(function):
        yield wrong("momentum_step should be a function: begin with def momentum_step(…).")
        return
    results = []
    for case in CASES:
        values, fault = _called(function, case)
        if fault:
            yield wrong(f"momentum_step: {fault}")
            return
        results.append(values)
    expected = [_momentum_guesses(*case) for case in CASES]
    rules = [(case[0] + new, new) for case, (new, _) in zip(CASES, expected, strict=True)]
    if all(map(_pairs_equal, results, rules)):
        yield right("downhill: the slope is taken away.")
        yield right("a ball: the velocity of the step before counts.")
        return
    for text in expected[0][1]:
        if all(
            _pairs_equal(result, guesses[text])
            for result, (_, guesses) in zip(results, expected, strict=True)
        ):
            yield wrong(f"momentum_step: {text}")
            return
    if any(_pairs_equal(result, rule) for result, rule in zip(results, rules, strict=True)):
        yield wrong(
            "momentum_step: right for some values and not for others. Does it use all of its "
            "arguments, rate and beta too?"
        )
        return
    yield wrong(
        "momentum_step: this is neither rule. First the velocity, from the old velocity and the "
        "slope; then the weight, moved by the new velocity."
    )


# --- 4. A staircase ---------------------------------------------------------------

STEPS = 375  # an epoch of 48,000 images in batches of 128
ASKED = (0, 1, 100, 374, 375, 376, 749, 750, 1125, 1500, 2249)


@exercise("05-schedule", "make schedule", schedule=object)
def _schedule(found):
    schedule = found["schedule"]
    if not callable(schedule) or isinstance(schedule, type):
        yield wrong("schedule: this should be a schedule of Keras, or a function of the step.")
        return
    rates = {}
    for step in ASKED:
        try:
            rates[step] = _number(schedule(step))
        except Exception as error:
            yield wrong(f"schedule: asked for step {step} it stopped with {type(error).__name__}.")
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


@exercise("05-diagnose", "fill in diagnosis", diagnosis=dict)
def _diagnose(found):
    for name, (causes, of_causes, tries, of_tries) in DIAGNOSES.items():
        entry = found["diagnosis"].get(name)
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
