"""Train the residual network of notebook 10: one command, two cores, no graphics processor.

    python train_best.py               on all 50,000 training images
    python train_best.py --validate    on 40,000; the other 10,000 measure it
    python train_best.py --seed 2      from other random weights

Run it in the folder notebooks/. Every epoch is saved. If the machine stops, run
the same command again: it goes on, and only the epoch in flight is lost.

At the end the model, its history and a record of how it was made are in
fit_outputs/, as model_best.keras, history_best.csv and model_best.json, and its
score beside those of other seeds in best_seeds.csv.
"""

import argparse
import json
import os
import platform
import re
import sys
import time
from importlib.metadata import distributions
from pathlib import Path

import lesson  # noqa: F401  isort: skip  (first: it keeps the backend's start-up log quiet)
import keras
import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from lesson.datasets import load_cifar10
from lesson.histories import duration
from lesson.outputs import outputs_folder, replacing, save_history, save_model, save_table

EPOCHS = 20
BATCH = 512
SHIFT = 2  # pixels, in each direction
PEAK_RATE = 0.4
TRAIN = 40_000  # images, when the other 10,000 measure
KEPT = 2  # checkpoints: should the newest be damaged, the one before it is used

# Mean and standard deviation of the training pixels' red, green and blue, from 0 to 1.
MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = (0.2470, 0.2435, 0.2616)


def one_hot(labels):
    return keras.utils.to_categorical(labels, 10)


def build_model(widths=(24, 64, 192, 256)):
    """The residual network: input `(32, 32, 3)`, floats from 0 to 1; ten probabilities.

    Returns:
        A `keras.Model`, not compiled.
    """
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Normalization(mean=MEAN, variance=np.square(DEVIATION))(inputs)
    x = convolution(x, widths[0], size=2, padding="valid")
    for width in widths[1:]:
        x = convolution(x, width, pool=True)
        x = keras.layers.Add()([x, convolution(x, width)])
    x = keras.layers.GlobalMaxPooling2D()(x)
    x = keras.layers.Dense(10)(x)
    x = keras.layers.Rescaling(1 / 8)(x)  # else the first predictions are too sure
    return keras.Model(inputs, keras.layers.Activation("softmax")(x), name="model_best")


def convolution(x, filters, pool=False, size=3, padding="same"):
    """Convolution, pooling if asked for, batch normalisation, ReLU."""
    x = keras.layers.Conv2D(
        filters, size, padding=padding, use_bias=False, kernel_initializer="he_normal"
    )(x)
    if pool:
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.Activation("relu")(x)


def compile_model(model, steps, peak_rate=PEAK_RATE):
    """Compile for a fit of so many steps: the rate rises to its peak, then falls to nothing."""
    warm_up = steps // 5
    rate = keras.optimizers.schedules.CosineDecay(
        peak_rate / 50, steps - warm_up, warmup_target=peak_rate, warmup_steps=warm_up
    )
    model.compile(
        optimizer=keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=1e-2),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        metrics=[keras.metrics.CategoricalAccuracy()],
    )


class Epoch(keras.utils.PyDataset):
    """The batches of one epoch: images in a new order, each shifted, half of them mirrored.

    All chance comes from seed and epoch, so an epoch that is begun again after a
    crash is the same epoch.

    Args:
        images: uint8 array of shape `(n, 32, 32, 3)`.
        labels: one-hot rows, shape `(n, 10)`.
        seed, epoch: integers; epochs count from 0.
    """

    def __init__(self, images, labels, seed, epoch):
        # Two threads of Keras's own. With one, tf.data runs the epoch, and its autotuning
        # lets an epoch end only after 82 seconds, 142, 202 ...
        super().__init__(workers=2)
        self.images, self.labels = images, labels
        chance = np.random.default_rng([seed, epoch])
        self.order = chance.permutation(len(images))
        self.shifts = chance.integers(0, 2 * SHIFT + 1, (2, len(images)))
        # Mirrored in every second epoch: in two epochs each image is seen both ways.
        self.mirrored = np.random.default_rng(seed).random(len(images)) < 0.5
        if epoch % 2:
            self.mirrored = ~self.mirrored

    def __len__(self):
        return -(-len(self.images) // BATCH)

    def __getitem__(self, step):
        rows = self.order[step * BATCH : (step + 1) * BATCH]
        images = self.images[rows].astype("float32") / 255
        images[self.mirrored[rows]] = images[self.mirrored[rows], :, ::-1]
        edge = (SHIFT, SHIFT)
        padded = np.pad(images, ((0, 0), edge, edge, (0, 0)), mode="reflect")
        windows = sliding_window_view(padded, (32, 32), axis=(1, 2))
        shifted = windows[np.arange(len(rows)), *self.shifts[:, rows]]
        return np.moveaxis(shifted, 1, -1), self.labels[rows]


class Checkpoints:
    """What is saved of a training run after every epoch, in a folder of its own.

    One file an epoch holds the weights and the optimizer's state. A file appears
    whole or not at all; one that was cut short all the same is passed over.
    """

    def __init__(self, folder):
        self.folder = folder
        self.history = folder / "history.csv"

    def files(self):
        """The checkpoints, newest first."""
        return sorted(self.folder.glob("epoch-[0-9]*.weights.h5"), reverse=True)

    def save(self, model, rows):
        with replacing(self.history) as temporary:
            pd.DataFrame(rows).to_csv(temporary, index=False, lineterminator="\n")
        with replacing(self.folder / f"epoch-{len(rows):03d}.weights.h5") as temporary:
            model.save_weights(temporary)
        for old in self.files()[KEPT:]:
            old.unlink()

    def restore(self, model):
        """Load the newest whole checkpoint into the model; return its rows of history."""
        model.optimizer.build(model.trainable_variables)
        for file in self.files():
            epoch = int(file.name[6:9])
            try:
                rows = pd.read_csv(self.history).to_dict("records")[:epoch]
                model.load_weights(file)
            except (OSError, ValueError, KeyError) as error:
                print(f"{file.name} cannot be used ({error}); trying the one before it.")
            else:
                print(f"Going on after epoch {epoch}, from {file}.")
                return rows
        return []

    def delete(self):
        for file in [*self.files(), self.history]:
            file.unlink(missing_ok=True)
        self.folder.rmdir()


def train(model, images, labels, seed, epochs, checkpoints):
    """Fit, epoch by epoch, from the last checkpoint on.

    Returns:
        The history: a list of dicts, one an epoch, `seconds` among them.
    """
    rows = checkpoints.restore(model)
    # Makes the metrics. Else `fit` makes them from a first look at the batches, and on
    # JAX and PyTorch Keras's threads then begin its first epoch with the second batch.
    model.test_on_batch(images[:1] / 255, labels[:1])
    for epoch in range(len(rows), epochs):
        start = time.monotonic()
        history = model.fit(
            Epoch(images, labels, seed, epoch),
            shuffle=False,  # Keras would shuffle the batches, otherwise after a restart
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=1 if sys.stdout.isatty() else 2,
        )
        row = {name: values[0] for name, values in history.history.items()}
        rows.append(row | {"seconds": round(time.monotonic() - start, 1)})
        checkpoints.save(model, rows)
        spent = sum(r["seconds"] for r in rows)
        left = spent / len(rows) * (epochs - len(rows))
        done = f"Saved epoch {epoch + 1} of {epochs}"
        print(f"{done}; {duration(spent)} so far, about {duration(left)} left.", flush=True)
    return rows


def write_record(name, options, rows, measured):
    """Write `fit_outputs/<name>.json`: enough to make the model again, and how it did."""
    used = re.compile(rf"(keras|numpy|{keras.backend.backend()}([-_]cpu)?)$")
    names = {d.metadata["Name"]: d.version for d in distributions()}
    facts = {
        "command": f"python train_best.py --seed {options.seed} --epochs {options.epochs}"
        + " --validate" * options.validate,
        "seed": options.seed,
        "epochs": len(rows),
        "minutes": round(sum(row["seconds"] for row in rows) / 60, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {n: names[n] for n in sorted(names) if used.match(n)},
        **measured,
    }
    with replacing(outputs_folder() / f"{name}.json") as temporary:
        Path(temporary).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=2))
    return facts


def note_seed(facts):
    """Add the run to `best_seeds.csv`, a row for each seed, in place of an earlier one."""
    row = pd.DataFrame([facts])[["seed", "epochs", "test_accuracy"]]
    path = outputs_folder() / "best_seeds.csv"
    if path.is_file():
        row = pd.concat([pd.read_csv(path), row]).drop_duplicates(["seed", "epochs"], keep="last")
    save_table(row.sort_values(["seed", "epochs"]), "best_seeds")


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="for weights and data (default 1)")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"(default {EPOCHS})")
    parser.add_argument("--validate", action="store_true", help="leave the test set closed")
    options = parser.parse_args(arguments)
    if options.epochs < 1 or options.seed < 0:
        parser.error("--epochs counts from 1, --seed from 0")

    (images, labels), held_out = load_cifar10()
    name, what = "model_best", "test"
    if options.validate:
        name, what = "model_best_validated", "validation"
        held_out, images, labels = (images[TRAIN:], labels[TRAIN:]), images[:TRAIN], labels[:TRAIN]
    keras.utils.set_random_seed(options.seed)
    model = build_model()
    compile_model(model, options.epochs * -(-len(images) // BATCH))
    folder = f"{name}-seed-{options.seed}-epochs-{options.epochs}"
    checkpoints = Checkpoints(outputs_folder() / "checkpoints" / folder)
    rows = train(model, images, one_hot(labels), options.seed, options.epochs, checkpoints)

    # Another optimizer, for the file: the state of the one used is as large as the weights.
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.CategoricalAccuracy()])
    loss, accuracy = model.evaluate(
        held_out[0].astype("float32") / 255, one_hot(held_out[1]), batch_size=BATCH, verbose=0
    )
    save_model(model, name)
    save_history(pd.DataFrame(rows), name.replace("model", "history"))
    measured = {f"{what}_accuracy": round(accuracy, 4), f"{what}_loss": round(loss, 4)}
    facts = write_record(name, options, rows, measured)
    if not options.validate:
        note_seed(facts)
    checkpoints.delete()


if __name__ == "__main__":
    main()
