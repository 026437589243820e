"""Checks of notebook 07, Fighting overfitting."""

from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    as_number,
    called,
    changed,
    close,
    cross_entropy,
    curves,
    judged,
    note,
    number,
    right,
    unfolded,
    wrong,
)

# --- 1. Which curve is whose? -----------------------------------------------------------

# The curves as the notebook draws them: units, what is seen, and what to look at.
CURVES = {
    "units_a": (
        512,
        "quick at first, and the steepest climb after it.",
        "how low is it after one epoch, and how high after ten?",
    ),
    "units_b": (
        4,
        "the slowest.",
        "how far has it come after the first epochs, beside the others?",
    ),
    "units_c": (
        16,
        "between the two others.",
        "it lies between the others, in speed and in what follows.",
    ),
}


@exercise("07-curves", "set units_a, units_b and units_c")
def whose_curve(units_a: Real, units_b: Real, units_c: Real):
    given = (units_a, units_b, units_c)
    if sorted(given) != [4, 16, 512]:
        yield wrong("Each of 4, 16 and 512 belongs to one curve.")
        return
    for (name, (units, seen, hint)), answer in zip(CURVES.items(), given, strict=True):
        yield judged(answer == units, f"{name}: {seen}", f"{name}: {hint}")


# --- 2. A penalty by hand -----------------------------------------------------------------

WEIGHTS, PRICE = np.array([0.5, -1.0, 3.0, 0.0]), 0.01


@exercise("07-penalty", "set penalty_l2, penalty_l1 and pull_l2")
def penalty(penalty_l2: Real, penalty_l1: Real, pull_l2: Real):
    squares, sizes, large = np.sum(WEIGHTS**2), np.sum(np.abs(WEIGHTS)), WEIGHTS.max()
    yield number(
        "penalty_l2",
        penalty_l2,
        PRICE * squares,
        "λ times the sum of the squares.",
        {
            "that is the sum of the squares; λ is missing.": squares,
            "that is half of it. Some books put a half before λ; Keras does not.": (
                PRICE * squares / 2
            ),
            "that is an average over the weights; the penalty is a sum.": PRICE * squares / 4,
            "no root is taken: each square counts as it is.": PRICE * np.sqrt(squares),
            "square each weight first, then add. You squared the sum.": PRICE * sum(WEIGHTS) ** 2,
            "λ counts once; it is not squared.": PRICE**2 * squares,
            "that is without squares: the penalty of L1.": PRICE * sizes,
            "the square of a negative weight is positive: it adds.": (
                PRICE * (squares - 1),
                PRICE * (squares - 2),
            ),
        },
        "square each weight, add the squares, multiply by λ.",
        tolerance=1e-3,
    )
    yield number(
        "penalty_l1",
        penalty_l1,
        PRICE * sizes,
        "λ times the sum of the sizes.",
        {
            "a negative weight counts without its sign: it adds too.": PRICE * sum(WEIGHTS),
            "that is the sum of the sizes; λ is missing.": sizes,
            "that is an average over the weights; the penalty is a sum.": PRICE * sizes / 4,
            "those are squares: the penalty of L2.": PRICE * squares,
        },
        "take each weight without its sign, add, multiply by λ.",
        tolerance=1e-3,
    )
    yield number(
        "pull_l2",
        pull_l2,
        2 * PRICE * large,
        "the slope of λw² is 2λw.",
        {
            "that is λw. What is the slope of w²?": PRICE * large,
            "that is the penalty of this weight. How steeply does it rise there?": (
                PRICE * large**2
            ),
            "the slope of w² is not a square any more.": 2 * PRICE * large**2,
            "λ is missing.": 2 * large,
            "the slope is positive: a larger weight is a larger penalty. The step goes against "
            "it.": -2 * PRICE * large,
            "that is the pull of L1.": PRICE,
        },
        f"what is the slope of λw² at w = {large:g}?",
        tolerance=1e-3,
    )


# --- 3. The model with L2 -------------------------------------------------------------------


@exercise("07-l2", "build model_l2")
def l2(model_l2: keras.Model):
    model = model_l2
    if not model.built:
        yield wrong(
            "model_l2 has no weights yet: begin it with keras.Input(shape=(10_000,)), as the "
            "others do."
        )
        return
    found = unfolded(model)
    dense = [layer for layer, _ in found if isinstance(layer, keras.layers.Dense)]
    shapes = [tuple(layer.kernel.shape) for layer in dense]
    if shapes != [(10_000, 16), (16, 16), (16, 1)]:
        units = "-".join(str(shape[1]) for shape in shapes) or "none"
        yield wrong(
            f"layers: the task is the 16-16-1 network for 10,000 inputs; its dense layers are "
            f"{units} in yours."
        )
        return
    yield _judge_rest(found, dense)
    for place, layer in zip(("first", "second"), dense[:2], strict=True):
        yield _judge_l2(place, layer)
    yield judged(
        dense[2].kernel_regularizer is None and _unpenalised(dense[2]),
        "output layer: no penalty.",
        "output layer: it has a penalty; the task gives one to the two hidden layers only.",
    )


def _judge_rest(found, dense):
    if others := [type(layer).__name__ for layer, _ in found if layer not in dense]:
        return wrong(f"layers: there is {others[0]} too. Then the models differ in two things.")
    if not all(layer.use_bias for layer in dense):
        return wrong("layers: the others have biases. Then the models differ in two things.")
    activations = [name for _, name in found]
    return judged(
        activations == ["relu", "relu", "sigmoid"],
        "layers: 16, 16 and 1 units, as in the other models.",
        f"activations: relu, relu, sigmoid in the others; yours are {', '.join(activations)}.",
    )


def _unpenalised(layer):
    return layer.bias_regularizer is None and layer.activity_regularizer is None


def _judge_l2(place, layer):
    head = f"{place} hidden layer: "
    penalty = layer.kernel_regularizer
    if penalty is None:
        if layer.bias_regularizer is not None:
            return wrong(
                head + "bias_regularizer penalises its 16 biases. It is the many weights of the "
                "kernel that memorise."
            )
        if layer.activity_regularizer is not None:
            return wrong(
                head + "activity_regularizer penalises the outputs of the layer; the task asks "
                "for its kernel."
            )
        return wrong(head + "its kernel has no penalty.")
    # What it computes tells, whatever it was made of.
    costs = []
    for size in (1, 2):
        weights = keras.ops.full((2, 2), float(size))
        cost, fault = called(f"{head}kernel_regularizer", penalty, weights)
        costs.append(as_number(cost))
        if fault or costs[-1] is None:
            return fault or wrong(head + "kernel_regularizer gives no number as a penalty.")
    ones, twos = costs
    if not ones > 0:
        return wrong(head + "with this penalty a weight of 1 costs nothing. Is λ above 0?")
    if close(twos, 2 * ones):
        return wrong(head + "twice the weights cost twice as much: that is L1. L2 squares them.")
    if not close(twos, 4 * ones):
        return wrong(head + "this penalty is more than L2: is there some L1 in it?")
    price = ones / 4
    if not close(price, 0.002):
        is_default = close(price, 0.01)
        default = " (Keras's default when none is given)" if is_default else ""
        return wrong(head + f"L2, but with λ = {price:g}{default}; the task asks for 0.002.")
    if not _unpenalised(layer):
        return wrong(head + "its kernel is right, but its biases or outputs have a penalty too.")
    return right(head + "L2 with λ = 0.002 on its kernel.")


# --- 4. Compare fairly --------------------------------------------------------------------


@exercise("07-fair", "set lowest_base and lowest_l2")
def fair(
    history_base: keras.callbacks.History,
    history_l2: keras.callbacks.History,
    lowest_base: Real,
    lowest_l2: Real,
):
    needed = ("loss", "val_loss", "cross_entropy", "val_cross_entropy")
    base, l2 = (
        curves(history, name, needed, "run its fit above once more.")
        for name, history in (("history_base", history_base), ("history_l2", history_l2))
    )
    yield base[1] or _judge_lowest("lowest_base", lowest_base, base[0], l2[0])
    yield l2[1] or _judge_lowest("lowest_l2", lowest_l2, l2[0], base[0])


def _judge_lowest(name, given, found, other):
    others = other["val_cross_entropy"].min() if other else ()
    curve = found["val_cross_entropy"]
    return number(
        name,
        given,
        curve.min(),
        "validation reviews, no penalty.",
        {
            "that is the lowest val_loss, and the penalty is in it.": found["val_loss"].min(),
            "that is the value after the last epoch; the task asks for the lowest.": curve[-1],
            "that is about the training reviews, which the model may know by heart.": (
                found["cross_entropy"].min(),
                found["loss"].min(),
            ),
            "that is an epoch; the task asks for the value there.": int(np.argmin(curve)) + 1,
            "that is the highest; less cross-entropy is better.": curve.max(),
            "that is the lowest of the other model.": others,
        },
        "look for the lowest point of the validation metric that has no penalty in it.",
        tolerance=0,
        within=0.0006,
    )


# --- 5. Stop in time ------------------------------------------------------------------------


@exercise("07-early", "make stopper")
def early(stopper: keras.callbacks.Callback):
    if not isinstance(stopper, keras.callbacks.EarlyStopping):
        yield wrong(f"stopper is a {type(stopper).__name__}; the task asks for EarlyStopping.")
        return
    yield _judge_monitor(stopper)
    yield judged(
        stopper.patience == 3,
        "patience: 3 epochs.",
        f"patience: yours is {stopper.patience!r}; the task asks for 3."
        + (" With 0 the first wobble ends the fit." if stopper.patience == 0 else ""),
    )
    yield judged(
        bool(stopper.restore_best_weights),
        "weights: the best are put back.",
        "weights: the model would keep those of its last epoch, some epochs after the best. Ask "
        "for the best back.",
    )
    if stopper.min_delta:
        yield note(f"min_delta is {abs(stopper.min_delta):g}: smaller improvements do not count.")
    if stopper.baseline is not None:
        yield wrong(
            "baseline: with it, the fit ends unless the curve gets below that soon. Leave it out."
        )
    if stopper.start_from_epoch:
        yield note(f"It does not watch before epoch {stopper.start_from_epoch + 1}.")


MONITORS = {
    "val_loss": "with a penalty, val_loss has that in it. One name in the history has not.",
    "loss": "that is the training loss, which goes on falling: it would never stop.",
    "cross_entropy": "that is the one of the training reviews, which goes on falling.",
    "val_accuracy": "the models here are compiled without an accuracy.",
    "accuracy": "the models here are compiled without an accuracy.",
}


def _judge_monitor(stopper):
    name = stopper.monitor
    if not isinstance(name, str):
        return wrong("monitor: it should be a name from the history, as text, and only one.")
    if name != "val_cross_entropy":
        text = MONITORS.get(name, f"no {name!r} in these histories. Mind the spelling.")
        return wrong(f"monitor: {text}")
    return judged(
        stopper.mode != "max",
        "monitor: the validation curve, without any penalty.",
        "mode: a cross-entropy is better when it is lower, so not 'max'.",
    )


# --- 6. Hold it yourself ----------------------------------------------------------------------

HIGHEST, WIDEST = 0.42, 0.30
LEARNED_WITH_MORE = 0.34  # no model of these gets there from 1,000 reviews


@exercise("07-few", "make and fit model_few")
def few(
    model_few: keras.Model,
    few_reviews: object,
    few_labels: object,
    val_reviews: object,
    val_labels: object,
    train_reviews: object,
    train_labels: object,
):
    if not _are_reviews(few_reviews, few_labels, 1_000):
        yield changed("few_reviews", "few_labels")
    elif not _are_reviews(train_reviews, train_labels) or len(train_labels) < 2_000:
        yield changed("train_reviews", "train_labels")
    elif not _are_reviews(val_reviews, val_labels, 10_000):
        yield changed("val_reviews", "val_labels")
    elif not model_few.built or model_few.input_shape != (None, 10_000):
        yield wrong(
            "model_few: it is not built for these reviews. Begin it with "
            "keras.Input(shape=(10_000,))."
        )
    elif model_few.output_shape != (None, 1):
        yield wrong("model_few: it should end in one unit, the probability of a positive review.")
    else:
        yield from _judge_few(
            cross_entropy(model_few, few_reviews, few_labels),
            cross_entropy(model_few, val_reviews[:5_000], val_labels[:5_000]),
            cross_entropy(model_few, val_reviews[5_000:], val_labels[5_000:]),
            cross_entropy(model_few, train_reviews[1_000:6_000], train_labels[1_000:6_000]),
        )


def _are_reviews(reviews, labels, count=None):
    if not all(isinstance(a, np.ndarray) and a.dtype.kind in "uif" for a in (reviews, labels)):
        return False
    rows = (count,) if count else labels.shape[:1]
    return (reviews.shape, labels.shape) == ((*rows, 10_000), (*rows, 1))


def _judge_few(training, validation, others, more):
    """`more`: the loss on training reviews that the task leaves out."""
    if None in (training, validation, others, more):
        yield wrong(
            "model_few: its answers should be probabilities, from 0 to 1: is the last activation "
            "a sigmoid?"
        )
    elif validation < min(others, training) - 0.08:
        yield wrong(
            f"reviews: it is at {validation:.2f} on the validation reviews of the task, and at "
            f"{others:.2f} on the other 5,000. Has it learned from validation reviews?"
        )
    elif more < min(validation, others) - 0.03:  # else at most 0.008 lower, on two backends
        yield wrong(
            f"reviews: it is at {more:.2f} on training reviews that the task leaves out, and at "
            f"{validation:.2f} on validation reviews. Fit it on few_reviews and few_labels alone."
        )
    elif validation < LEARNED_WITH_MORE:
        yield wrong(
            f"reviews: {validation:.2f} takes more reviews than 1,000. Fit it on few_reviews and "
            "few_labels alone."
        )
    else:
        yield from _judge_reached(training, validation)


def _judge_reached(training, validation):
    gap = validation - training
    if training > 0.6:
        yield wrong(
            f"training: {training:.2f}, little better than 0.69, always answering a half. Was it "
            "fitted, and long enough?"
        )
        return
    if gap > WIDEST:
        hint = "It has learned its reviews too well. What slows that down, or stops it in time?"
    else:
        hint = "It could still learn more before it overfits."
    yield judged(
        validation < HIGHEST,
        f"validation: {validation:.2f}, below {HIGHEST}.",
        f"validation: {validation:.2f}; the goal is below {HIGHEST}. {hint}",
    )
    yield judged(
        gap < WIDEST,
        f"distance: less than {WIDEST:.2f} from the reviews it has learned from.",
        f"distance: {gap:.2f}, as training is at {training:.2f}; the goal is less than "
        f"{WIDEST:.2f}. What keeps training back?",
    )
