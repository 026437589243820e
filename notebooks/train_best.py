"""Train the best network of notebook 10: one command, two cores, no graphics processor.

    python train_best.py                    on all 50,000 training images
    python train_best.py --validate         on 40,000; the other 10,000 measure it
    python train_best.py --seed 2           from other random weights
    python train_best.py --without skips    one part left out; more parts: --without width skips
    python train_best.py --ablation         all runs for the table of notebook 10

The network that is stored is that of --without skips with seed 1; seeds 2 and 3 stand beside it.

Run it in the folder notebooks/. Every epoch is saved. If the machine stops, run
the same command again: it goes on, and only the epoch in flight is lost.

At the end the model, its history and a record of how it was made are in
fit_outputs/, as model_best.keras, history_best.csv and model_best.json, and its
score beside those of other seeds in best_seeds.csv. A run on 40,000 images adds
its row to ablation.csv instead.

Network and settings follow airbench94_muon by Keller Jordan
(https://github.com/KellerJordan/cifar10-airbench), with skips added.
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
from muon import Muon

EPOCHS = 12
ABLATION_EPOCHS = 10
BATCH = 1000
SHIFT = 2  # pixels, in each direction
WIDTHS = (64, 256, 256)
RATE = 0.17  # of the filters, at the first step
# What can be left out, to see what it is worth.
PARTS = ("width", "skips", "augmentation", "normalisation", "smoothing", "schedule", "whitening")
# The table of notebook 10. Half as wide, a run takes about a third of the time: the other parts
# are taken from the narrow network.
ABLATION = [("width",), *(("width", part) for part in PARTS[1:]), ()]
TRAIN = 40_000  # images, when the other 10,000 measure
KEPT = 2  # checkpoints: should the newest be damaged, the one before it is used

# Mean and standard deviation of the training pixels' red, green and blue, from 0 to 1.
MEAN = (0.4914, 0.4822, 0.4465)
DEVIATION = (0.2470, 0.2435, 0.2616)
# Uniform between plus and minus 1 / √(a filter's weights).
KERNELS = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def one_hot(labels):
    return keras.utils.to_categorical(labels, 10)


def build_model(images, without=(), widths=WIDTHS):
    """The network: input `(32, 32, 3)`, floats from 0 to 1; ten probabilities.

    Args:
        images: uint8 array of shape `(n, 32, 32, 3)`, to compute the first layer from.
        without: the parts to leave out, of `PARTS`. "width" halves the number of filters.
        widths: filters of the three blocks.

    Returns:
        A `keras.Model`, not compiled.
    """
    if "width" in without:
        widths = [width // 2 for width in widths]
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Normalization(mean=MEAN, variance=np.square(DEVIATION))(inputs)
    whiten = keras.layers.Conv2D(24, 2, use_bias=False, name="whiten")
    whiten.trainable = "whitening" in without
    x = keras.layers.Activation("gelu")(whiten(x))
    for width in widths:
        x = convolution(x, width, without, pool=True)
        y = convolution(x, width, without)
        x = y if "skips" in without else keras.layers.Add()([x, y])
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(3)(x))
    # Small weights, small outputs: else the first predictions are too sure.
    small = keras.initializers.RandomNormal(stddev=0.28)
    x = keras.layers.Dense(10, use_bias=False, kernel_initializer=small)(x)
    x = keras.layers.Rescaling(1 / 72)(x)
    model = keras.Model(inputs, keras.layers.Activation("softmax")(x), name="model_best")
    if not whiten.trainable:
        whiten.set_weights([whitening(images[:5000])])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer is not whiten:
            start_as_identity(layer)
    return model


def convolution(x, filters, without=(), pool=False):
    """Convolution, pooling if asked for, batch normalisation, GELU."""
    plain = "normalisation" in without
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=plain, kernel_initializer=KERNELS)(
        x
    )
    if pool:
        x = keras.layers.MaxPooling2D()(x)
    if not plain:
        x = keras.layers.BatchNormalization(momentum=0.6, scale=False)(x)
    return keras.layers.Activation("gelu")(x)


def whitening(images):
    """Filters whose outputs on small patches are uncorrelated and of equal size.

    They are the eigenvectors of the patches' second moments, each divided by the root of its
    eigenvalue, and their negatives.

    Args:
        images: uint8 array of shape `(n, 32, 32, 3)`.

    Returns:
        float32 array of shape `(2, 2, 3, 24)`.
    """
    pixels = (images / np.float32(255) - np.float32(MEAN)) / np.float32(DEVIATION)
    patches = sliding_window_view(pixels, (2, 2), axis=(1, 2))  # (n, 31, 31, 3, 2, 2)
    patches = patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 12)
    values, vectors = np.linalg.eigh(patches.T @ patches / len(patches))
    filters = vectors / np.sqrt(values + 5e-4)
    return np.concatenate([filters, -filters], axis=1).reshape(2, 2, 3, 24)


def start_as_identity(layer):
    """Let the first filters of a convolution pass each input channel on as it is."""
    kernel, *bias = layer.get_weights()
    channels = min(kernel.shape[2:])
    kernel[..., :channels] = 0
    kernel[1, 1, range(channels), range(channels)] = 1
    layer.set_weights([kernel, *bias])


def compile_model(model, steps, without=()):
    """Compile for a fit of so many steps, over which the rate falls to nothing."""
    rate = RATE
    if "schedule" not in without:
        rate = keras.optimizers.schedules.PolynomialDecay(RATE, steps, end_learning_rate=0)
    model.compile(
        optimizer=Muon(rate, momentum=0.6, rest=440, rest_momentum=0.85, weight_decay=0.08),
        loss=keras.losses.CategoricalCrossentropy(
            label_smoothing=0 if "smoothing" in without else 0.2
        ),
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
        augment: whether to shift and mirror.
    """

    def __init__(self, images, labels, seed, epoch, augment=True):
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
        if not augment:
            self.shifts[:] = SHIFT
            self.mirrored[:] = False

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
        """Load the newest whole checkpoint into the model; return its rows of history.

        Where there is none, the model stays as it is.
        """
        model.optimizer.build(model.trainable_variables)
        variables = [*model.variables, *model.optimizer.variables]
        fresh = [keras.ops.convert_to_numpy(variable) for variable in variables]
        files = self.files()
        for file in files:
            epoch = int(file.name[6:9])
            try:
                rows = pd.read_csv(self.history).to_dict("records")[:epoch]
                model.load_weights(file)
            except (OSError, ValueError, KeyError) as error:
                print(f"{file.name} cannot be used ({error}); trying the one before it.")
            else:
                print(f"Going on after epoch {epoch}, from {file}.")
                return rows
        if files:
            # A damaged file may have been loaded in part.
            for variable, value in zip(variables, fresh, strict=True):
                variable.assign(value)
            print("No checkpoint can be used: beginning again with fresh weights.")
        return []

    def delete(self):
        for file in [*self.files(), self.history]:
            file.unlink(missing_ok=True)
        self.folder.rmdir()


def train(model, images, labels, seed, epochs, checkpoints, augment=True):
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
            Epoch(images, labels, seed, epoch, augment),
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


def predict_views(model, images):
    """The mean prediction over six views: as they are and shifted by a pixel, each mirrored too.

    Args:
        images: floats from 0 to 1, shape `(n, 32, 32, 3)`.

    Returns:
        float32 array of shape `(n, 10)`: probabilities.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    views = [padded[:, i : i + 32, i : i + 32] for i in range(3)]
    views += [view[:, :, ::-1] for view in views]
    return np.mean([model.predict(view, batch_size=BATCH, verbose=0) for view in views], axis=0)


def measure(model, images, labels):
    """Accuracy, the same with averaged views, and loss, as a dict; images as uint8."""
    images, labels = images.astype("float32") / 255, labels.reshape(-1)
    predicted = model.predict(images, batch_size=BATCH, verbose=0)
    of_label = predicted[np.arange(len(labels)), labels].clip(1e-7)  # as in Keras
    averaged = predict_views(model, images)
    found = {
        "accuracy": np.mean(predicted.argmax(axis=1) == labels),
        "accuracy_views": np.mean(averaged.argmax(axis=1) == labels),
        "loss": np.mean(-np.log(of_label)),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def count_flops(model, images, epochs):
    """Multiplications and additions of a fit, in convolutions and dense layers, to two digits.

    A step backward takes twice as many as one forward.
    """
    forward = 0
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            places = np.prod(layer.output.shape[1:-1], dtype=int)  # 1 for a dense layer
            forward += 2 * int(places) * int(np.prod(layer.kernel.shape))
    return float(f"{3 * forward * images * epochs:.1e}")


def write_record(name, command, seed, rows, measured):
    """Write `fit_outputs/<name>.json`: enough to make the model again, and how it did."""
    used = re.compile(rf"(keras|numpy|{keras.backend.backend()}([-_]cpu)?)$")
    names = {d.metadata["Name"]: d.version for d in distributions()}
    facts = {
        "command": command,
        "seed": seed,
        "epochs": len(rows),
        "minutes": minutes(rows),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {n: names[n] for n in sorted(names) if used.match(n)},
        **measured,
    }
    with replacing(outputs_folder() / f"{name}.json") as temporary:
        Path(temporary).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=2))


def minutes(rows):
    return round(sum(row["seconds"] for row in rows) / 60, 1)


def add_row(name, row, keys):
    """Add a row to a saved table, in place of an earlier one with the same keys."""
    table = pd.DataFrame([row])
    path = outputs_folder() / f"{name}.csv"
    if path.is_file():
        table = pd.concat([pd.read_csv(path), table]).drop_duplicates(keys, keep="last")
    save_table(table, name)


def has_row(name, row):
    path = outputs_folder() / f"{name}.csv"
    if not path.is_file():
        return False
    table = pd.read_csv(path)
    return (table[list(row)] == list(row.values())).all(axis=1).any()


def run(options, without=()):
    """Train, measure and save one network; `options` has seed, epochs and validate."""
    seed, epochs = options.seed, options.epochs
    (images, labels), held_out = load_cifar10()
    if options.validate:
        held_out, images, labels = (images[TRAIN:], labels[TRAIN:]), images[:TRAIN], labels[:TRAIN]
    keras.utils.set_random_seed(seed)
    model = build_model(images, without)
    compile_model(model, epochs * -(-len(images) // BATCH), without)
    name = "-without-".join(
        ["model_best_validated" if options.validate else "model_best", *without]
    )
    checkpoints = Checkpoints(
        outputs_folder() / "checkpoints" / f"{name}-seed-{seed}-epochs-{epochs}"
    )
    augment = "augmentation" not in without
    rows = train(model, images, one_hot(labels), seed, epochs, checkpoints, augment)
    found = measure(model, *held_out)
    if options.validate:
        row = {"without": " ".join(without) or "nothing", "seed": seed, "epochs": epochs}
        row |= {f"validation_{what}": value for what, value in found.items()}
        row |= {"loss": round(rows[-1]["loss"], 4), "minutes": minutes(rows)}
        print(row)
        add_row("ablation", row, ["without", "seed", "epochs"])
    else:
        measured = {f"test_{what}": value for what, value in found.items()}
        flops = count_flops(model, len(images), epochs)
        # Another optimizer, for the file: the state of the one used is as large as the weights.
        model.compile(
            "sgd", "categorical_crossentropy", metrics=[keras.metrics.CategoricalAccuracy()]
        )
        save_model(model, "model_best")
        save_history(pd.DataFrame(rows), "history_best")
        command = f"python train_best.py --seed {seed} --epochs {epochs}"
        if without:
            command += f" --without {' '.join(without)}"
        write_record("model_best", command, seed, rows, measured | {"flops": flops})
        row = {"without": " ".join(without) or "nothing", "seed": seed, "epochs": epochs}
        add_row("best_seeds", row | measured | {"minutes": minutes(rows)}, list(row))
    checkpoints.delete()


def run_ablation(options):
    """Make the rows of the ablation table that are not there yet."""
    for without in ABLATION:
        row = {"without": " ".join(without) or "nothing"}
        if has_row("ablation", row | {"seed": options.seed, "epochs": options.epochs}):
            print(f"Without {row['without']}: done before.")
        else:
            print(f"Without {row['without']}:", flush=True)
            run(options, without)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="for weights and data (default 1)")
    parser.add_argument(
        "--epochs", type=int, help=f"(default {EPOCHS}; {ABLATION_EPOCHS} for the ablation)"
    )
    parser.add_argument("--validate", action="store_true", help="leave the test set closed")
    parser.add_argument(
        "--without",
        nargs="+",
        choices=PARTS,
        default=[],
        help="leave parts out",
    )
    parser.add_argument("--ablation", action="store_true", help="all runs of the ablation table")
    options = parser.parse_args(arguments)
    if options.epochs is None:
        options.epochs = ABLATION_EPOCHS if options.ablation else EPOCHS
    if options.epochs < 1 or options.seed < 0:
        parser.error("--epochs counts from 1, --seed from 0")
    if options.ablation and options.without:
        parser.error("--ablation leaves out each part in turn: give it no --without")
    options.validate |= options.ablation
    if options.ablation:
        run_ablation(options)
    else:
        run(options, options.without)


if __name__ == "__main__":
    main()
