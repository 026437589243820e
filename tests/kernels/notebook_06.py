"""What the exercises of notebook 06 find in the kernel, and what attempts are made of."""

import functools

import keras
import numpy as np

from lesson import decode_review

layers, losses, metrics, optimizers = (
    keras.layers,
    keras.losses,
    keras.metrics,
    keras.optimizers,
)

WORD_IDS = {decode_review([i]): i for i in range(4, 10_000)}

TEXT = "The plot is thin but it is a good film"

WORDS = TEXT.lower().split()

IDS = [1] + [WORD_IDS[word] for word in WORDS]


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


def of_layers(*more, use_bias=True):
    """The right model, each activation made in another way, with more layers before the last."""
    model = keras.Sequential(
        [
            keras.Input((10_000,)),
            layers.Dense(16, activation=layers.ReLU()),
            layers.Dense(16, activation=lambda x: keras.ops.maximum(x, 0), use_bias=use_bias),
            *more,
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["binary_accuracy"])
    return model


def without_input():
    model = keras.Sequential([layers.Dense(16), layers.Dense(1)])
    model.compile("rmsprop", "binary_crossentropy")
    return model


def uncompiled():
    return keras.Sequential([keras.Input((10_000,)), layers.Dense(1)])


def fails():
    return keras.layers.Dense("sixteen")


RNG = np.random.default_rng(0)

TRAIN_ROWS = RNG.integers(0, 2, (15_000, 4)).astype("uint8")

TRAIN_LABELS = TRAIN_ROWS[:, 0].astype("int64")

VAL_ROWS, VAL_LABELS = TRAIN_ROWS[:2_000], TRAIN_LABELS[:2_000]


def small_model():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, activation="sigmoid")])
    model.compile("rmsprop", "binary_crossentropy", steps_per_execution=30)
    return model


def fitted(epochs, rows=TRAIN_ROWS, labels=TRAIN_LABELS, batch_size=512, seed=6):
    keras.utils.set_random_seed(seed)
    model = small_model()
    model.fit(rows, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


@functools.cache
def fitted_for(epochs):
    """As the task asks, for so many epochs; made once, as it takes a second."""
    return fitted(epochs)


@functools.cache
def lowest():
    return fitted_for(4).evaluate(VAL_ROWS, VAL_LABELS, batch_size=500, verbose=0)


def before_retrain():
    """As after the fit of the notebook, with a curve whose lowest point is epoch 4."""
    history = keras.callbacks.History()
    history.set_model(small_model())
    history.history = {
        "loss": list(np.linspace(0.6, 0.1, 20)),
        "val_loss": [lowest() + abs(epoch - 4) * 0.01 for epoch in range(1, 21)],
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


def fitted_twice():
    model = fitted(20)
    model.fit(TRAIN_ROWS, TRAIN_LABELS, batch_size=512, epochs=4, verbose=0)
    return model


# --- 06-ninety: reviews of a few words, of which pairs tell more than words ------------------

# What a review says of its label: how often rightly, in training and in validation reviews.
WORD, PAIR, LEARNED_BY_HEART = (0.80, 0.80), (0.95, 0.92), (0.99, 0.75)

PLACES = 2**22


def small_reviews(validation=10_000, training=4_000, rng=RNG):
    """Lists of ids: a word, a pair of words and a rare pair speak for the label, or against it."""
    count = validation + training
    truth = rng.integers(0, 2, count)

    def says(shares):
        of_training, of_validation = shares
        share = np.where(np.arange(count) < validation, of_validation, of_training)
        return np.where(rng.random(count) < share, truth, 1 - truth)

    word, pair, rare = says(WORD), says(PAIR), says(LEARNED_BY_HEART)
    first, second = np.where(pair, 6, 7), np.where(pair, 7, 6)
    filler = rng.integers(10, 9_000, count)  # no two pairs of filler words alike
    ids = np.stack([np.ones(count, int), 4 + word, first, second, 8 + rare, filler], axis=1)
    return np.array([*map(list, ids.tolist()), None], object)[:-1], truth


SMALL_REVIEWS, SMALL_LABELS = small_reviews()


def multi_hot(reviews, dtype="uint8"):
    matrix = np.zeros((len(reviews), 10_000), dtype)
    for row, ids in zip(matrix, reviews, strict=True):
        row[ids] = 1
    return matrix


def pairs(reviews):
    ids = np.concatenate(reviews)
    rows = np.repeat(np.arange(len(reviews)), [len(review) for review in reviews])
    inside = rows[:-1] == rows[1:]
    return rows[1:][inside], ((ids[:-1] * 10_000 + ids[1:]) % PLACES)[inside]


def create_unit(columns=10_000):
    model = keras.Sequential([keras.Input((columns,)), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.RMSprop(0.01), "binary_crossentropy", metrics=["binary_accuracy"])
    return model


def signs(*which):
    """A function that makes a few columns of reviews, 1 or −1 each, by what they say."""

    def own_rows(reviews):
        ids = np.array(list(reviews))
        columns = {"word": ids[:, 1] - 4, "pair": ids[:, 2] == 6, "rare": ids[:, 4] - 8}
        return np.stack([2.0 * columns[name] - 1 for name in which], axis=1)

    return own_rows


def almost(reviews):
    """The pair's column, turned round in one review of forty."""
    column = signs("pair")(reviews)
    column[::40] *= -1
    return column


def weighing(*weights, activation="sigmoid", compiled=True):
    """A model of one unit with such weights."""
    model = keras.Sequential([keras.Input((len(weights),)), layers.Dense(1, activation=activation)])
    model.set_weights([np.array(weights, "float32")[:, None], np.zeros(1, "float32")])
    if compiled:
        model.compile("rmsprop", "binary_crossentropy")
    return model


def two_outputs(weight):
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2, activation="softmax")])
    model.set_weights([np.array([[-weight, weight]], "float32"), np.zeros(2, "float32")])
    return model


def before_ninety():
    """As after the pairs: those that the reviews above hold, with their tones."""
    rows, places = pairs(SMALL_REVIEWS)
    train = rows >= 10_000
    counts = [
        np.bincount(places[train & (SMALL_LABELS[rows] == side)], minlength=PLACES)
        for side in (0, 1)
    ]
    shares = [(count + 1) / (count + 1).sum() for count in counts]
    return {
        "reviews": SMALL_REVIEWS,
        "labels": SMALL_LABELS,
        "train_labels": SMALL_LABELS[10_000:],
        "pair_negative": counts[0],
        "pair_positive": counts[1],
        "pair_tone": np.log(shares[1] / shares[0]),
    }


PREPARE = {
    "06-encode": ["load-data", "word-ids"],
    "06-opposites": [],
    "06-model": [],
    "06-retrain": before_retrain,
    "06-ninety": before_ninety,
}
