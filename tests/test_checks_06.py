"""The checks of notebook 06: solutions and other right answers, wrong ones, and junk."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from answers import answer, is_right
from lesson import decode_review

layers, losses, metrics, optimizers = (
    keras.layers, keras.losses, keras.metrics, keras.optimizers,
)  # fmt: skip
WORD_IDS = {decode_review([i]): i for i in range(4, 10_000)}


JUNK = [
    None,
    ...,
    True,
    0,
    7,
    -1.5,
    float("nan"),
    float("inf"),
    "",
    "16",
    b"bytes",
    [],
    {},
    (None,),
    [[]],
    np.zeros(0),
    np.zeros((2, 2)),
    np.array(3),
    object(),
    print,
    keras.Model,
    keras.Sequential(),
    keras.callbacks.History(),
]


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: type(junk).__name__)
def test_junk_is_answered_and_never_right(capsys, junk):
    names = {
        "06-encode": ("own_text", "own_ids"),
        "06-opposites": ("one_text", "other_text"),
        "06-model": ("create_model_imdb",),
        "06-steps": ("steps_per_epoch", "last_batch"),
        "06-retrain": ("history_imdb", "best_epoch", "model_best"),
    }
    for exercise, needs in names.items():
        told = answer(capsys, exercise, **dict.fromkeys(needs, junk))
        assert told.strip()
        assert not is_right(told)
    assert not is_right(answer(capsys, "06-encode", own_text="a good film", own_ids=junk))


# ----------------------------------------------------------------- 1: encode

TEXT = "The plot is thin but it is a good film"
WORDS = TEXT.lower().split()
IDS = [1] + [WORD_IDS[word] for word in WORDS]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (TEXT, IDS),
        (TEXT, tuple(IDS)),
        (TEXT, np.array(IDS)),
        (TEXT, np.array(IDS, "float32")),
        (TEXT, [np.int64(i) for i in IDS]),
        ("The plot is thin; but it is a GOOD film!", IDS),
        ("It’s good", [1, WORD_IDS["it's"], WORD_IDS["good"]]),
        ("good sci-fi", [1, WORD_IDS["good"], WORD_IDS["sci"], WORD_IDS["fi"]]),
        ("a good xyzzy", [1, WORD_IDS["a"], WORD_IDS["good"], 2]),
    ],
)
def test_encode_right(capsys, text, ids):
    told = answer(capsys, "06-encode", own_text=text, own_ids=ids)
    assert is_right(told), told
    assert ("xyzzy" in told) == ("xyzzy" in text)


@pytest.mark.parametrize(
    ("text", "ids", "reason"),
    [
        (TEXT, IDS[1:], "begins with"),
        (TEXT, [0, *IDS[1:]], "begins with"),
        (TEXT, [1, *(i - 3 for i in IDS[1:])], "3 too small"),
        (TEXT, [i - 3 for i in IDS[1:]], "3 too small"),
        (TEXT, [1, *(i - 4 for i in IDS[1:])], "4 too small"),
        (TEXT, [1, *(WORD_IDS.get(w, 2) for w in TEXT.split())], "capital letters"),
        ("a good film!", [1, 6, 52, 2], "punctuation"),
        ("a good xyzzy", [1, 6, 52], "left out"),
        ("a good xyzzy", [1, 6, 52, 0], "'xyzzy' is not in the vocabulary"),
        ("a good xyzzy", [1, 6, 52, None], "None among them"),
        (TEXT, [1, *IDS[:0:-1]], "another order"),
        (TEXT, sorted(set(IDS)), "twice"),
        (TEXT, IDS[:-2], "own_text has 10 words"),
        (TEXT, [*IDS[:-1], 99], "99 is not the id of 'film'"),
        (TEXT, ["[start]", *WORDS], "words among them"),
        (TEXT, TEXT, "that is text"),
        (TEXT, [IDS], "one review"),
        (TEXT, [i + 0.5 for i in IDS], "not a whole number"),
        (TEXT, np.zeros(10_000), "multi-hot row"),
        (TEXT, [], "begins with"),
        ("____", [1], "no word yet"),
        ("?!", [1], "no word yet"),
    ],
)
def test_encode_wrong(capsys, text, ids, reason):
    told = answer(capsys, "06-encode", own_text=text, own_ids=ids)
    assert reason in told
    assert not is_right(told)


# -------------------------------------------------------------- 2: opposites


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "I loved the book but I hated the film",
            "I hated the book but I loved the film",
        ),
        ("Good? No: bad!", "bad, no, good."),
        ("it is good and not bad", "it is bad it is bad and not good"),
    ],
)
def test_opposites_right(capsys, one, other):
    assert is_right(answer(capsys, "06-opposites", one_text=one, other_text=other))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ("a good film", "a bad film", "Only one of the two has: bad, good"),
        ("a good film", "A good film!", "same order"),
        ("a good xyzzy", "a good plugh", "the vocabulary lacks some words: plugh, xyzzy"),
        ("good", "bad", "three words"),
        ("____", "____", "three words"),
        ("it is not bad it is good", "It is not good, it is bad", "pair of your own"),
    ],
)
def test_opposites_wrong(capsys, one, other, reason):
    told = answer(capsys, "06-opposites", one_text=one, other_text=other)
    assert reason in told
    assert not is_right(told)


# ------------------------------------------------------------------ 3: model


def creator(
    units=(16, 16, 1),
    activations=("relu", "relu", "sigmoid"),
    size=10_000,
    optimizer="rmsprop",
    loss="binary_crossentropy",
    metric="binary_accuracy",
):
    def create_model_imdb():
        model = keras.Sequential(
            [
                keras.Input((size,)),
                *(
                    layers.Dense(n, activation=name)
                    for n, name in zip(units, activations, strict=True)
                ),
            ]
        )
        model.compile(optimizer=optimizer, loss=loss, metrics=[metric])
        return model

    return create_model_imdb


def functional():
    inputs = keras.Input((10_000,))
    x = layers.Dense(16, activation="relu")(inputs)
    x = layers.Activation("relu")(layers.Dense(16)(x))
    x = layers.Activation("sigmoid")(layers.Dense(1)(x))
    model = keras.Model(inputs, x)
    model.compile(
        optimizers.RMSprop(), losses.binary_crossentropy, metrics=[metrics.BinaryAccuracy()]
    )
    return model


@pytest.mark.parametrize(
    "create",
    [
        creator(),
        functional,
        creator(optimizer=optimizers.RMSprop(), loss=losses.BinaryCrossentropy()),
        lambda: creator()(),
    ],
)
def test_model_right(capsys, create):
    told = answer(capsys, "06-model", create_model_imdb=create)
    assert is_right(told), told


def test_model_with_another_name_for_accuracy(capsys):
    told = answer(capsys, "06-model", create_model_imdb=creator(metric="accuracy"))
    assert is_right(told)
    assert "'accuracy' in the history" in told


def without_input():
    model = keras.Sequential([layers.Dense(16), layers.Dense(1)])
    model.compile("rmsprop", "binary_crossentropy")
    return model


def uncompiled():
    return keras.Sequential([keras.Input((10_000,)), layers.Dense(1)])


def fails():
    return keras.layers.Dense("sixteen")


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        (creator(activations=("relu", "relu", "softmax")), "a single one is always 1"),
        (creator(activations=("relu", "relu", None)), "a score of any size"),
        (creator(activations=("relu", "relu", "tanh")), "from -1 to 1"),
        (creator(units=(16, 16, 2)), "2 units"),
        (creator(units=(32, 16, 1)), "32 units"),
        (creator(activations=(None, "relu", "sigmoid")), "16 units with linear"),
        (creator(units=(16, 1), activations=("relu", "sigmoid")), "2 dense ones"),
        (creator(size=9_999), "(9999,)"),
        (creator(optimizer="adam"), "yours is Adam"),
        (creator(optimizer=optimizers.RMSprop(0.01)), "learning rate 0.01"),
        (creator(loss="mse"), "loss: yours is"),
        (creator(loss="categorical_crossentropy"), "one output, for yes or no"),
        (creator(loss=losses.BinaryCrossentropy(from_logits=True)), "from_logits=True"),
        (creator(loss=None), "loss: none"),
        (creator(loss="binary_crossentropi"), "Keras knows none"),
        (creator(metric="mae"), "no accuracy for two classes"),
        (creator(metric=metrics.Accuracy()), "to the last digit"),
        (creator()(), "is a model"),
        (lambda: None, "return model"),
        (lambda: "model", "returns a str"),
        (lambda size: None, "fails: TypeError"),
        (fails, "fails: ValueError"),
        (without_input, "Begin with keras.Input"),
        (uncompiled, "compile: not done"),
    ],
)
def test_model_wrong(capsys, create, reason):
    told = answer(capsys, "06-model", create_model_imdb=create)
    assert reason in told
    assert not is_right(told)


# ------------------------------------------------------------------ 4: steps


@pytest.mark.parametrize("steps", [30, 30.0, np.int64(30)])
def test_steps_right(capsys, steps):
    assert is_right(answer(capsys, "06-steps", steps_per_epoch=steps, last_batch=152))


@pytest.mark.parametrize(
    ("steps", "last", "reason"),
    [
        (15_000 / 512, 152, "taken or not"),
        (29, 152, "What of the rest"),
        (49, 152, "25,000 / 512"),
        (20, 152, "10,000 validation reviews"),
        (600, 152, "all twenty epochs"),
        (31, 152, "until all reviews were used"),
        (30, 512, "multiple of 512"),
        (30, 360, "missing from the last batch"),
        (30, 0, "after all the full batches"),
    ],
)
def test_steps_wrong(capsys, steps, last, reason):
    told = answer(capsys, "06-steps", steps_per_epoch=steps, last_batch=last)
    assert reason in told
    assert not is_right(told)
    assert "1 of 2" in told


# ---------------------------------------------------------------- 5: retrain

RNG = np.random.default_rng(0)
TRAIN_ROWS = RNG.integers(0, 2, (15_000, 4)).astype("uint8")
TRAIN_LABELS = TRAIN_ROWS[:, 0].astype("int64")
VAL_ROWS, VAL_LABELS = TRAIN_ROWS[:2_000], TRAIN_LABELS[:2_000]


def small_model():
    keras.utils.set_random_seed(6)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="sigmoid")])
    model.compile("rmsprop", "binary_crossentropy", steps_per_execution=30)
    return model


def fitted(epochs, rows=TRAIN_ROWS, labels=TRAIN_LABELS, batch_size=512):
    model = small_model()
    model.fit(rows, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def before_retrain():
    """As after the fit of the notebook, with a curve whose lowest point is epoch 4."""
    history = keras.callbacks.History()
    history.set_model(small_model())
    lowest = fitted(4).evaluate(VAL_ROWS, VAL_LABELS, verbose=0)
    history.history = {
        "loss": list(np.linspace(0.6, 0.1, 20)),
        "val_loss": [lowest + abs(epoch - 4) * 0.01 for epoch in range(1, 21)],
        "val_binary_accuracy": [0.8 - abs(epoch - 7) * 0.01 for epoch in range(1, 21)],
    }
    return {
        "history_imdb": history,
        "model_imdb": history.model,
        "create_model_imdb": small_model,
        "train_rows": TRAIN_ROWS,
        "train_labels": TRAIN_LABELS,
        "val_rows": VAL_ROWS,
        "val_labels": VAL_LABELS,
    }


@pytest.fixture(scope="module")
def kernel():
    return {**before_retrain(), "best_epoch": 4, "model_best": fitted(4)}


def test_retrain_right(capsys, kernel):
    told = answer(capsys, "06-retrain", **kernel)
    assert is_right(told), told
    assert is_right(answer(capsys, "06-retrain", **kernel | {"best_epoch": np.int64(4)}))


@pytest.mark.parametrize(
    ("epoch", "reason"),
    [
        (3, "counts from 0"),
        (20, "training loss is lowest"),
        (7, "validation accuracy is highest"),
        (12, "dashed curve"),
        (float("nan"), "dashed curve"),
    ],
)
def test_retrain_epoch_wrong(capsys, kernel, epoch, reason):
    told = answer(capsys, "06-retrain", **kernel | {"best_epoch": epoch})
    assert reason in told
    assert "✗ best_epoch" in told


def fitted_twice():
    model = fitted(20)
    model.fit(TRAIN_ROWS, TRAIN_LABELS, batch_size=512, epochs=4, verbose=0)
    return model


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (small_model, "not fitted yet"),
        (lambda: fitted(5), "fitted for 5 epochs"),
        (lambda: fitted(20), "fitted for 20 epochs"),
        (fitted_twice, "second fit"),
        (lambda: fitted(4, batch_size=1_000), "512 at a time"),
        (lambda: fitted(8, batch_size=1_000), "512 at a time"),
        (lambda: fitted(4, *(np.resize(x, (25_000, *x.shape[1:])) for x in
                             (TRAIN_ROWS, TRAIN_LABELS))), "49 steps an epoch"),
        (lambda: fitted(4, labels=1 - TRAIN_LABELS), "fitted on train_rows"),
        (lambda: keras.Sequential([keras.Input((4,)), layers.Dense(1)]), "not compiled"),
    ],
)  # fmt: skip
def test_retrain_model_wrong(capsys, kernel, make, reason):
    told = answer(capsys, "06-retrain", **kernel | {"model_best": make()})
    assert reason in told
    assert not is_right(told)


def test_retrain_wants_a_new_model(capsys, kernel):
    told = answer(capsys, "06-retrain", **kernel | {"model_best": kernel["model_imdb"]})
    assert "build a new one" in told


def test_retrain_needs_a_history_of_a_fit(capsys, kernel):
    told = answer(capsys, "06-retrain", **kernel | {"history_imdb": keras.callbacks.History()})
    assert "✗" in told
    history = keras.callbacks.History()
    history.history = {"loss": [1.0]}
    history.set_model(SimpleNamespace())
    told = answer(capsys, "06-retrain", **kernel | {"history_imdb": history})
    assert "no validation loss" in told


def test_nothing_to_check_yet(capsys):
    for exercise in ("encode", "opposites", "model", "steps", "retrain"):
        told = answer(capsys, f"06-{exercise}")
        assert told.startswith("Nothing to check yet: ")
        assert len(told.splitlines()) == 1


# What the solutions need; see test_checks.py.
PREPARE = {
    "06-encode": ["load-data", "word-ids"],
    "06-opposites": [],
    "06-model": [],
    "06-steps": [],
    "06-retrain": before_retrain,
}
