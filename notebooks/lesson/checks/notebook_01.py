"""Checks of notebook 01, Keras building blocks."""

import warnings
from numbers import Real

import keras
import numpy as np

from lesson.checks.engine import exercise
from lesson.checks.judges import (
    changed,
    close,
    judged,
    number,
    right,
    wrong,
)

# --- 1. Count the weights ---------------------------------------------------------

BIASES = {
    "the biases are missing: each unit has one more number, which is added.": 0,
    "each unit has a bias of its own, not the layer one for all.": 1,
}


@exercise("01-count", "set count_hidden, count_output and count_all to your numbers")
def count(count_hidden: Real, count_output: Real, count_all: Real):
    inputs = 32 * 32 * 3
    yield number(
        "count_hidden",
        count_hidden,
        (inputs + 1) * 64,
        "one weight for each input and a bias, for each unit.",
        {text: inputs * 64 + biases for text, biases in BIASES.items()}
        | {
            "the biases belong to the units, not to the inputs.": inputs * 64 + inputs,
            "that is for one channel; a colour photograph has three.": (32 * 32 + 1) * 64,
            "that is for one channel and without biases; there are three channels.": 32 * 32 * 64,
            "how many numbers is one photograph, written as a long vector?": (32 + 1) * 64,
            "that is for MNIST's pictures, with 784 pixels.": (784 + 1) * 64,
        },
        "how many inputs has a unit, and how many units?",
    )
    yield number(
        "count_output",
        count_output,
        (64 + 1) * 10,
        "its inputs are the units of the layer before.",
        {text: 64 * 10 + biases for text, biases in BIASES.items()}
        | {
            "the biases belong to the units, not to the inputs.": 64 * 10 + 64,
            "what goes into the last layer is what the layer before it gives.": (inputs + 1) * 10,
        },
        "how many inputs has a unit, and how many units?",
    )
    yield number(
        "count_all",
        count_all,
        197_322,
        "Flatten adds none.",
        {
            "Flatten only gives them another shape. What has it to learn?": (
                count_hidden + count_output + inputs
            )
        },
        "the sum of what every layer has to learn.",
        follows=(count_hidden + count_output, "other two"),
    )


# --- 2. The functional twin -------------------------------------------------------


@exercise("01-twin", "build model_graph")
def twin(model_graph: keras.Model, model_chain: keras.Model):
    chain, graph = model_chain, model_graph
    if not chain.built or not getattr(chain, "inputs", None):
        yield changed("model_chain")
        return
    if isinstance(graph, keras.Sequential):
        yield wrong(
            "form: model_graph is a Sequential model. Call each layer on what the one before it "
            "gave, and make a keras.Model of the two ends."
        )
        return
    if not getattr(graph, "inputs", None):  # a model with a `call` of its own
        yield wrong("form: model_graph has no inputs. Begin with keras.Input.")
        return
    yield right("form: functional.")
    shape = graph.inputs[0].shape[1:]
    if len(graph.inputs) != 1 or shape != chain.inputs[0].shape[1:]:
        hint = " Does model_chain take whole pictures, or long vectors?"
        yield wrong(f"input: one sample of yours has shape {shape}.{hint}")
        return
    yield right("input: pictures of 28 × 28 pixels.")
    sizes, wanted = ([w.shape for w in m.get_weights()] for m in (graph, chain))
    if sizes != wanted:
        yield wrong(f"layers: the shapes of your weights are {sizes}; those of model_chain are "
                    f"{wanted}.")  # fmt: skip
        return
    if graph.outputs[0].shape != chain.outputs[0].shape:
        yield wrong(f"output: yours has shape {graph.outputs[0].shape}, that of model_chain "
                    f"{chain.outputs[0].shape}.")  # fmt: skip
        return
    yield _judge_answers(chain, graph)


def _judge_answers(chain, graph):
    pictures = np.random.default_rng(0).random((16, *chain.inputs[0].shape[1:])).astype("float32")
    with warnings.catch_warnings(action="ignore"):  # inputs may be a list of one
        theirs, yours = (np.asarray(m.predict(pictures, verbose=0)) for m in (chain, graph))
    pairs = zip(chain.get_weights(), graph.get_weights(), strict=True)
    copied = all(np.allclose(one, other) for one, other in pairs)
    otherwise = (
        "answers: the weights are the same, and the answers are not. Compare the activations."
        if copied
        else "answers: they differ, since the weights are other random numbers. Put the weights "
        "of model_chain into model_graph."
    )
    same = np.allclose(theirs, yours, atol=1e-5)
    return judged(same, "answers: the same as those of model_chain.", otherwise)


# --- 3. One step of learning ------------------------------------------------------


@exercise("01-update", "set slope_at_3 and new_weight to your numbers")
def update(slope_at_3: Real, new_weight: Real):
    yield number(
        "slope_at_3",
        slope_at_3,
        5,
        "how fast the loss rises there.",
        {
            "that is the change of the loss. Divide it by the nudge.": (0.0005, 0.005, 0.05),
            "the sign is the other way round: the new loss minus the old one, by the nudge.": -5,
            "that is the loss at 3. Nudge the weight, and see how the loss changes.": 7,
            "that nudge is large, and the slope changes on the way. Take 0.001, or less.": (5.1, 6),
            "that is for a weight of 0; the weight is 3.": -1,
            "the loss has a second part, + weight, and it has a slope too.": 4,
        },
        "nudge the weight a little, take the change of the loss, and divide it by the nudge.",
        within=0.04,
    )
    yield number(
        "new_weight",
        new_weight,
        2.5,
        "a tenth of the slope, against it.",
        {
            "that goes up the slope, and the loss rises. Against it: minus.": 3.5,
            "that is the weight minus the whole slope. How large is the learning rate?": -2,
            "that is the change. What is the weight after it?": (0.5, -0.5),
        },
        "new weight = weight − learning rate × slope.",
        follows=(3 - 0.1 * slope_at_3, "slope_at_3"),
        within=0.005,
    )


# --- 4. Count the steps -----------------------------------------------------------


@exercise("01-steps", "set steps_per_epoch, last_batch and weight_changes to your numbers")
def steps(steps_per_epoch: Real, last_batch: Real, weight_changes: Real):
    yield number(
        "steps_per_epoch",
        steps_per_epoch,
        391,
        "one for each batch, the last and smaller one too.",
        {
            "then the pictures left over would never be used.": 390,
            "a part of a step cannot be: what is left over makes a step of its own.": 390.625,
            "that is all 60,000 pictures; 10,000 are set apart for validation.": 469,
            "that is the size of a batch. How many of them do 50,000 pictures fill?": 128,
            "that would be one picture a step.": 50_000,
            "that is with batches of 32.": 1563,
            "those are the epochs.": 3,
        },
        "how many batches of 128 do 50,000 pictures fill?",
    )
    yield number(
        "last_batch",
        last_batch,
        80,
        "what is left over after the full batches.",
        {
            "a full batch; but 50,000 is no multiple of 128.": 128,
            "50,000 is no multiple of 128: some are left over after the full batches.": 0,
            "that many are missing from a full batch.": 48,
        },
        "how many images are left over after the full batches?",
    )
    yield number(
        "weight_changes",
        weight_changes,
        1173,
        "one for each step, in three epochs.",
        {
            "one for each epoch? An iteration is a step, not an epoch.": 3,
            "each epoch has a smaller last batch of its own, and that is a step too.": 1172,
            "that counts every weight. How often do all of them change together?": (
                1173 * 669_706,
                391 * 669_706,
            ),
            "that is one epoch; there are three.": steps_per_epoch,
            "the weights change once for each batch, not for each picture.": 150_000,
            "the weights change once for each batch, whatever its size.": 3 * 128,
        },
        "each step changes the weights once; how many are there in all?",
        follows=(3 * steps_per_epoch, "steps_per_epoch"),
    )


# --- 5. Choose --------------------------------------------------------------------

# Outputs before the activation, and labels, on which wrong choices give other values.
SCORES = np.random.default_rng(4).normal(0, 2, size=(24, 12)).astype("float32")
PLACES = np.arange(24) % 4
TAGS = (SCORES + np.random.default_rng(5).normal(0, 1, SCORES.shape) > 0).astype("float32")
YES_NO = TAGS[:, :1]
DEGREES = np.linspace(-12, 31, 24 * 3).reshape(24, 3).astype("float32")

TASKS = {"fraud": 1, "season": 4, "tags": 12, "weather": 3}  # units


@exercise("01-choose", "make choices, a dict with four entries")
def choose(choices: dict):
    for name in TASKS:
        choice = choices.get(name)
        if choice is None or choice is ...:
            yield wrong(f"{name}: not in choices yet.")
        elif not isinstance(choice, tuple | list) or len(choice) != 4:
            yield wrong(f"{name}: four things in brackets: units, activation, loss, metric.")
        else:
            fault = _fault(name, *choice)
            yield judged(
                not fault, f"{name}: units, activation, loss and metric fit.", f"{name}: {fault}"
            )


def _fault(name, units, activation, loss, metric):
    """What is wrong with a choice, or None."""
    fault = _fault_of_names(activation, loss, metric) or _fault_of_units(name, units)
    if fault:
        return fault
    bend, logits = keras.activations.get(activation), _wants_logits(loss)
    if name == "weather":
        return _fault_of_regression(bend, loss, metric)
    kind = "season" if name == "fraud" and units == 2 else name  # one of two classes
    fault = _fault_of_activation(kind, bend, logits)
    if fault:
        return fault
    scores = SCORES[:, : int(units)]
    labels = {"fraud": YES_NO, "season": PLACES % int(units), "tags": TAGS}[kind]
    if kind == "season":
        shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        cost = -np.log(shares[np.arange(24), labels]).mean()
        hits = (scores.argmax(axis=1) == labels).mean()
    else:
        shares = 1 / (1 + np.exp(-scores))
        cost = -np.log(np.where(labels == 1, shares, 1 - shares)).mean()
        hits = ((scores > 0) == labels).mean()
    outputs = _bent(bend, scores)
    if not _gives(cost, labels, outputs, loss=loss):
        return _fault_of_loss(kind, loss, logits)
    if kind != "season" and _kind(metric) in SHARES:
        return None
    if not _gives(hits, labels, outputs, metric=metric):
        return _fault_of_metric(kind, metric, logits)
    return None


# For yes-or-no questions these say more than the accuracy.
SHARES = {"auc", "precision", "recall", "f1score", "fbetascore"}


def _fault_of_names(activation, loss, metric):
    tries = {
        "activation": (activation, keras.activations.get),
        "loss": ("mse" if _is_word(loss, "crossentropy", "ce") else loss, keras.losses.get),
        "metric": ("mse" if _is_word(metric, "accuracy", "acc") else metric, _metric),
    }
    for what, (name, get) in tries.items():
        if name is None and what == "activation":
            continue
        try:
            known = callable(get(name))
        except Exception:  # also for what is no name at all
            known = False
        if not known:
            return f"Keras knows no {what} called {name!r}. Mind the spelling."
    return None


def _is_word(thing, *words):
    """Whether it is a name that Keras reads by the shapes of labels and outputs."""
    return isinstance(thing, str) and thing.lower() in words


def _metric(given):
    return keras.metrics.get(_alone(given))


def _alone(given):
    """What is given, also as a list of one."""
    return given[0] if isinstance(given, list) and len(given) == 1 else given


def _fault_of_units(name, units):
    if not isinstance(units, Real) or isinstance(units, bool):
        return f"the first of the four is the number of units; yours is {units!r}."
    if units == TASKS[name] or (name == "fraud" and units == 2):
        return None
    return f"units: {units}. How many numbers must come out of the last layer?"


def _wants_logits(loss):
    if _is_word(loss, "crossentropy", "ce"):
        return False
    loss = keras.losses.get(loss)
    return isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits"))


def _kind(thing):
    thing = _alone(thing)
    name = thing if isinstance(thing, str) else getattr(thing, "__name__", type(thing).__name__)
    return name.replace("_", "").lower()


def _any_loss(labels, outputs):
    return keras.ops.mean(outputs, axis=-1)


def _measured(labels, outputs, loss=_any_loss, metric=None):
    """A loss or a metric as Keras computes it for these outputs, None where it refuses."""
    metric = _alone(metric)
    model = keras.Sequential([keras.Input(outputs.shape[1:]), keras.layers.Activation("linear")])
    try:
        with warnings.catch_warnings(action="ignore"):  # an unsuitable one says so
            model.compile(loss=loss, metrics=None if metric is None else [metric], run_eagerly=True)
            values = model.test_on_batch(outputs, labels, return_dict=True)
    except Exception:  # it wants labels of another form
        return None
    values = [float(np.mean(v)) for k, v in values.items() if (k == "loss") == (metric is None)]
    return values[0] if values else None


def _gives(wanted, labels, outputs, **what):
    value = _measured(labels, outputs, **what)
    return value is not None and close(value, wanted, within=1e-4)


def _bent(bend, values):
    return keras.ops.convert_to_numpy(bend(keras.ops.convert_to_tensor(values)))


def _fault_of_activation(kind, bend, logits):
    if np.allclose(_bent(bend, SCORES), SCORES) and logits:
        return None  # the loss applies what is missing
    softmax = np.allclose(_bent(bend, SCORES).sum(axis=1), 1, atol=1e-4)
    sigmoid = np.allclose(_bent(bend, SCORES), 1 / (1 + np.exp(-SCORES)), atol=1e-4)
    if kind == "season":
        if softmax:
            return None
        if sigmoid:
            return ("activation: this judges each class on its own, so all could be likely at "
                    "once, or none. Exactly one is right.")  # fmt: skip
    else:
        if sigmoid:
            return None
        if softmax and kind == "tags":
            return ("activation: this makes the twelve add up to 1, so two tags can never both be "
                    "above one half.")  # fmt: skip
        if softmax:
            return ("activation: this makes the outputs add up to 1, and there is one output: it "
                    "would always be 1.")  # fmt: skip
    return "activation: the outputs are to be read as probabilities. This one gives other numbers."


def _fault_of_loss(kind, loss, logits):
    name = _kind(loss)
    if logits:
        return ("loss: from_logits=True says that nothing was done to the sums yet; your "
                "activation has turned them into probabilities already.")  # fmt: skip
    if "focal" in name:
        return ("loss: a focal loss makes little of answers that are nearly right, which is for "
                "classes of very unequal size. Take the plain one of its family.")  # fmt: skip
    if "crossentropy" not in name:
        return ("loss: it charges a sure mistake little more than an unsure one. Section 4 shows "
                "one that charges far more.")  # fmt: skip
    return {
        "fraud": "loss: this one compares several outputs, one for each class. Here is one.",
        "season": "loss: it does not suit labels such as 3. How are labels for it written?"
        if name == "categoricalcrossentropy"
        else "loss: exactly one of the classes is right; this one is for another kind of task.",
        "tags": "loss: it asks for the one right class. Here each tag is a question of its own.",
    }[kind]


def _fault_of_metric(kind, metric, logits):
    name = _kind(metric)
    if "accuracy" not in name and "crossentropy" not in name:
        return "metric: it says little of how often the answers are right."
    if kind == "tags" and name in ("accuracy", "acc") and isinstance(metric, str):
        return "metric: for rows of 0 and 1 Keras takes this word for another accuracy. See above."
    if logits and "accuracy" in name:
        return ("metric: it takes the outputs for probabilities; yours, with from_logits, are "
                "not.")  # fmt: skip
    return "metric: it is for another kind of labels, or of task."


def _fault_of_regression(bend, loss, metric):
    out = _bent(bend, DEGREES)
    if not np.allclose(out, DEGREES, atol=1e-4):
        lowest, highest = out.min(), out.max()
        if np.allclose(out.sum(axis=1), 1, atol=1e-4):
            return "activation: this makes the three outputs add up to 1. Temperatures do not."
        if highest <= 1 + 1e-6:
            return f"activation: it gives nothing above {highest:.0f}. Temperatures do."
        if lowest > -1.2:
            return "activation: it gives no temperature below zero, or hardly one."
        return "activation: it bends the numbers; a temperature may be any number."
    if "logarithmic" in _kind(loss):
        return "loss: it takes logarithms, and there is none of a temperature below -1."
    off = [_measured(DEGREES, DEGREES + error, loss=loss) for error in (0, -1, 1, -4, 4)]
    if (
        None in off
        or not np.isfinite(off).all()
        or abs(off[0]) > 1e-6
        or not (off[0] < off[1] < off[3] and off[0] < off[2] < off[4])
    ):
        return ("loss: it should be 0 for a perfect answer and the larger the further off. Which "
                "ones compare numbers?")  # fmt: skip
    if _kind(metric) == "r2score":
        return None
    off = [_measured(DEGREES, DEGREES + error, metric=metric) for error in (0, -1, 1)]
    if None in off or abs(off[0]) > 1e-6 or not (off[0] < off[1] and off[0] < off[2]):
        if "accuracy" in _kind(metric) or _kind(metric) == "acc":
            return "metric: an accuracy counts right classes. Here are no classes, but distances."
        return "metric: it should tell how far off the temperatures are."
    return None
