"""What notebook 10 says of more than one seed, and what it says of long fits.

    python remedies_seeds.py    in notebooks/; writes to fit_outputs/reference/

It makes `remedies_seeds.csv`, each remedy of the bench with five seeds, a row for an epoch;
`model_classic.keras` and `history_classic.csv`, the classic network on all 40,000 images;
`model_pretrained.keras`, the small network of the section on transfer; and
`transfer_seeds.csv`, that section's comparison with five seeds. About a quarter of an hour on
two cores. What is done is not done again: a run that was stopped goes on where it was.
"""

import sys

from lesson import load_cifar10  # isort: skip  (before Keras: its start-up log)
import keras
import numpy as np
import pandas as pd
from keras import layers

from lesson.histories import history_frame
from lesson.model_files import leave_out_defaults
from lesson.outputs import REFERENCE, extend_table, replacing

SEEDS = (1, 2, 3, 4, 5)
BENCH, CHECKED, BATCH, EPOCHS = 1_000, 1_000, 20, 20
REMEDIES = {  # epochs
    "control": EPOCHS,
    "control 100": 100,  # as many steps as the classic network takes
    "no dropout": EPOCHS,
    "augmentation": EPOCHS,
    "batch norm": EPOCHS,
    "batch norm 0.9": 5,
    "schedule": EPOCHS,
}
OLD_CLASSES, FEW = 7, (30, 150)  # classes to learn from first; images of the other three
FINE = 0.0003  # the low rate of fine-tuning


def create_classic(normalise=None, dropout=True):
    """Notebook 10's classic network; `normalise` is the momentum of batch normalisation."""
    model = keras.Sequential([keras.Input(shape=(32, 32, 3))])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 2, padding="same", use_bias=normalise is None))
        if normalise:
            model.add(layers.BatchNormalization(momentum=normalise))
        model.add(layers.Activation("relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Dropout(0.3 * dropout))
    model.add(layers.Flatten())
    model.add(layers.Dense(500, activation="relu"))
    model.add(layers.Dropout(0.4 * dropout))
    model.add(layers.Dense(10, activation="softmax"))
    return model


def create_augmentation():
    return [
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
    ]


def fit_remedy(data, seed, remedy):
    """One fit on the bench: its rows, one an epoch."""
    x, y, val_x, val_y = data
    epochs, steps = REMEDIES[remedy], -(-BENCH // BATCH)
    keras.utils.set_random_seed(seed)
    momentum = {"batch norm": 0.99, "batch norm 0.9": 0.9}.get(remedy)
    model = create_classic(momentum, dropout=remedy != "no dropout")
    if remedy == "augmentation":
        model = keras.Sequential([keras.Input(shape=(32, 32, 3)), *create_augmentation(), model])
    rate = 0.001
    if remedy == "schedule":
        rate = keras.optimizers.schedules.CosineDecay(rate, epochs * steps)
    model.compile(
        keras.optimizers.Adam(rate), "categorical_crossentropy",
        metrics=["categorical_accuracy"], steps_per_execution=steps,
    )  # fmt: skip
    after = {}  # accuracy on the training images as a prediction has it: without dropout
    measure = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: after.update(
            {epoch: accuracy(model, x[:BENCH], y[:BENCH])} if epoch + 1 == epochs else {}
        )
    )
    history = model.fit(
        x[:BENCH], y[:BENCH], batch_size=BATCH, epochs=epochs,
        validation_data=(val_x[:CHECKED], val_y[:CHECKED]), validation_batch_size=500,
        verbose=0, callbacks=[measure],
    ).history  # fmt: skip
    rows = pd.DataFrame(history)
    rows.insert(0, "epoch", range(1, epochs + 1))
    rows["training_accuracy"] = pd.Series(after)
    return rows


def accuracy(model, images, one_hot):
    answers = model.predict(images, batch_size=500, verbose=0)
    return np.mean(answers.argmax(axis=1) == one_hot.argmax(axis=1))


def fit_classic(data, epochs=8):
    """The classic network on 40,000 images: the model of its best epoch, its history."""
    x, y, val_x, val_y = data
    keras.utils.set_random_seed(10)
    model = create_classic()
    model.compile(
        "adam", "categorical_crossentropy", metrics=["categorical_accuracy"],
        steps_per_execution=25,
    )  # fmt: skip
    best = {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: best.update({epoch: model.get_weights()})
    )
    history = model.fit(
        x, y, batch_size=64, epochs=epochs, validation_data=(val_x, val_y),
        validation_batch_size=400, verbose=0, callbacks=[keep],
    )  # fmt: skip
    model.set_weights(best[int(np.argmax(history.history["val_categorical_accuracy"]))])
    model.compile("sgd", "categorical_crossentropy", metrics=["categorical_accuracy"])
    return model, history_frame(history)


# --- Transfer ---------------------------------------------------------------------------


def create_small(classes):
    """A small network: three times convolution, batch normalisation, ReLU and pooling."""
    inputs = x = keras.Input(shape=(32, 32, 3))
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(2)(x)
    features = layers.Flatten(name="features")(layers.AveragePooling2D(2)(x))
    outputs = layers.Dense(classes, activation="softmax", name="classes")(features)
    return keras.Model(inputs, outputs)


def pretrain(data, epochs=6):
    """Learn the first seven classes; return the network."""
    x, y, val_x, val_y = data
    ours, checked = (labels[:, :OLD_CLASSES].any(axis=1) for labels in (y, val_y))
    keras.utils.set_random_seed(10)
    model = create_small(OLD_CLASSES)
    steps = -(-ours.sum() // 64)
    rate = keras.optimizers.schedules.CosineDecay(0.002, int(epochs * steps))
    model.compile(
        keras.optimizers.Adam(rate), "categorical_crossentropy",
        metrics=["categorical_accuracy"], steps_per_execution=20,
    )  # fmt: skip
    model.fit(
        x[ours], y[ours, :OLD_CLASSES], batch_size=64, epochs=epochs, verbose=2,
        validation_data=(val_x[checked], val_y[checked, :OLD_CLASSES]),
        validation_batch_size=500,
    )  # fmt: skip
    model.compile("sgd", "categorical_crossentropy", metrics=["categorical_accuracy"])
    return model


def new_task(data):
    """The images of the other three classes: to learn from, and to validate with."""
    x, y, val_x, val_y = data
    ours, checked = (~labels[:, :OLD_CLASSES].any(axis=1) for labels in (y, val_y))
    return x[ours], y[ours, OLD_CLASSES:], val_x[checked], val_y[checked, OLD_CLASSES:]


def transfer(data, pretrained, seed, images):
    """Four ways to learn the new task from a few images: rows of validation accuracy."""
    x, y, val_x, val_y = new_task(data)
    chance = np.random.default_rng(seed)
    chosen = np.concatenate(
        [chance.choice(np.flatnonzero(y[:, i]), images // 3, replace=False) for i in range(3)]
    )

    def fit(model, rate, epochs):
        model.compile(
            keras.optimizers.Adam(rate), "categorical_crossentropy", steps_per_execution=3
        )
        model.fit(x[chosen], y[chosen], batch_size=10, epochs=epochs, verbose=0)
        return {"accuracy": accuracy(model, val_x, val_y)}

    rows = []
    for way in ("scratch", "random frozen", "frozen"):
        keras.utils.set_random_seed(seed)
        whole = create_small(OLD_CLASSES)
        if way == "frozen":
            whole.set_weights(pretrained.get_weights())
        base = keras.Model(whole.input, whole.get_layer("features").output)
        if way == "random frozen":
            for _ in range(50):  # so that batch normalisation has statistics that fit
                base(x[chosen], training=True)
        base.trainable = way == "scratch"
        inputs = keras.Input((32, 32, 3))
        # None: as fit has it, so that batch normalisation learns its statistics too.
        features = base(inputs, training=None if way == "scratch" else False)
        model = keras.Model(inputs, layers.Dense(3, activation="softmax")(features))
        rate = 0.001 if way == "scratch" else 0.003
        rows.append({"way": way} | fit(model, rate, epochs=20))
    base.trainable = True
    rows.append({"way": "fine-tuned"} | fit(model, FINE, epochs=10))
    return rows


# --- What there is to do ------------------------------------------------------------------


def write(path, save):
    with replacing(path) as temporary:  # a kill leaves what there was
        save(temporary)
    print(path.name, flush=True)


def write_model(model, name):
    def save(temporary):
        model.save(temporary)
        leave_out_defaults(temporary)

    write(REFERENCE / f"{name}.keras", save)


def main():
    (images, labels), _ = load_cifar10()
    x, y = images.astype("float32") / 255, keras.utils.to_categorical(labels, 10)
    data = x[:40_000], y[:40_000], x[40_000:], y[40_000:]
    if not (REFERENCE / "model_classic.keras").exists():
        model, history = fit_classic(data)
        write(REFERENCE / "history_classic.csv", history.to_csv)
        write_model(model, "model_classic")
    if not (REFERENCE / "model_pretrained.keras").exists():
        write_model(pretrain(data), "model_pretrained")
    for seed in SEEDS:
        for remedy in REMEDIES:
            extend_table(
                REFERENCE / "remedies_seeds.csv",
                {"fit": remedy, "seed": seed},
                lambda seed=seed, remedy=remedy: fit_remedy(data, seed, remedy),
            )
    pretrained = keras.saving.load_model(REFERENCE / "model_pretrained.keras")
    for seed in SEEDS:
        for few in FEW:
            extend_table(
                REFERENCE / "transfer_seeds.csv",
                {"seed": seed, "images": few},
                lambda seed=seed, few=few: transfer(data, pretrained, seed, few),
            )


if __name__ == "__main__":
    sys.exit(main())
