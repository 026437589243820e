"""What `make bench` measures: each case done our way and the textbook way.

A way is a generator function. What comes before its `yield` is preparation and is not timed;
what comes after it is the work. It returns a number that tells whether the ways did the same.
"""

import contextlib
import importlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))
# Raw arrays, written by `raw_files` before the first run.
RAW = ROOT / "build" / "bench"


@dataclass
class Case:
    """Ways to do one thing. The first is the textbook's; the others are compared with it.

    With sizes, each way is called with one, and it is asked how its time grows.
    """

    title: str
    note: str = ""
    ways: dict = field(default_factory=dict)
    rounds: int = 5
    tolerance: float | None = 0  # how far results may differ, relatively; None: not compared
    sizes: tuple = ()
    unit: str = ""  # of a size


CASES = {}


def megabytes(usage):
    """The peak memory in what `resource` or `os.wait4` says of a process."""
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def case(key, title, note="", **options):
    CASES[key] = Case(title, note, **options)


def way(key, name):
    """Add the function below to a case."""

    def add(function):
        CASES[key].ways[name] = function
        return function

    return add


def cells(number, *names, **given):
    """Run cells of a notebook, by their ids, with some variables given; return all variables."""
    (path,) = NOTEBOOKS.glob(f"{number}-*.ipynb")
    sources = {c.id: c.source for c in nbformat.read(path, as_version=4).cells}
    variables = dict(given)
    for name in names:
        source = sources[name]
        if source.startswith("%%"):
            source = source.partition("\n")[2]
        with contextlib.redirect_stdout(io.StringIO()):
            exec(source, variables)
    return variables


def raw_files():
    """Write each data set as a file of arrays as they are used: `numpy.load` is the floor."""
    from lesson import load_boston, load_cifar10, load_imdb, load_mnist

    RAW.mkdir(parents=True, exist_ok=True)
    for load in (load_cifar10, load_mnist, load_imdb, load_boston):
        path = RAW / f"{load.__name__[5:]}.npz"
        if not path.exists():
            (x, y), (test_x, test_y) = load()
            np.savez(path, x_train=x, y_train=y, x_test=test_x, y_test=test_y)


# --- Importing and loading -----------------------------------------------------------------

case("import", "import what a notebook needs",
     "the same libraries, imported one by one, and through the helper")  # fmt: skip


@way("import", "the libraries")
def _():
    yield
    for name in ("keras", "numpy", "pandas", "matplotlib.pyplot", "seaborn", "IPython.display"):
        importlib.import_module(name)


@way("import", "ours")
def _():
    yield
    import lesson  # noqa: F401


def _numpy_load(name):
    def load():
        yield
        with np.load(RAW / f"{name}.npz", allow_pickle=name == "imdb") as arrays:
            loaded = [arrays[part] for part in ("x_train", "y_train", "x_test", "y_test")]
        return len(loaded[0]) + int(loaded[1].sum())

    return load


def _load(name):
    def load():
        import lesson

        yield
        (x, y), _ = getattr(lesson, f"load_{name}")()
        return len(x) + int(y.sum())

    return load


for _name, _title in (
    ("cifar10", "CIFAR-10"), ("mnist", "MNIST"), ("imdb", "IMDB"), ("boston", "Boston housing")
):  # fmt: skip
    case(f"load-{_name}", f"load {_title}",
         "`numpy.load` of the arrays, not compressed and not checked: the floor")  # fmt: skip
    CASES[f"load-{_name}"].ways = {"numpy.load": _numpy_load(_name), "ours": _load(_name)}

case("cifar10-ready", "CIFAR-10 ready in a new kernel: import, load, scale",
     "the raw arrays, unchecked: what `keras.datasets` does after its download")  # fmt: skip


@way("cifar10-ready", "keras, numpy.load")
def _():
    yield
    import keras

    with np.load(RAW / "cifar10.npz") as arrays:
        images, labels = arrays["x_train"], arrays["y_train"]
        scaled = images.astype("float32") / 255
    return len(scaled) + int(keras.utils.to_categorical(labels, 10).sum())


@way("cifar10-ready", "ours")
def _():
    yield
    import keras

    from lesson import load_cifar10

    (images, labels), _ = load_cifar10()
    scaled = images.astype("float32") / 255
    return len(scaled) + int(keras.utils.to_categorical(labels, 10).sum())


# --- IMDB ------------------------------------------------------------------------------------

case("multi-hot", "25,000 reviews as rows of zeros and ones",
     "a loop over the rows of a float64 matrix, as textbooks have it")  # fmt: skip


def by_rows(reviews):
    matrix = np.zeros((len(reviews), 10_000))
    for row, ids in enumerate(reviews):
        matrix[row, ids] = 1
    return matrix


@way("multi-hot", "row by row")
def _():
    from lesson import load_imdb

    (reviews, _), _ = load_imdb()
    yield
    return float(by_rows(reviews).sum(dtype="float64"))


@way("multi-hot", "ours")
def _():
    from lesson import load_imdb

    (reviews, _), _ = load_imdb()
    multi_hot = cells("06", "imports", "multi-hot-function")["multi_hot"]
    yield
    return float(multi_hot(reviews).sum(dtype="float64"))


case("imdb-fit", "06's network: 20 epochs on 15,000 reviews, 10,000 to validate",
     "the same network, batches and seed; rows made in the way's own form",
     rounds=3, tolerance=0.1)  # fmt: skip


def _imdb_fit(rows_of, **options):
    import keras

    from lesson import load_imdb

    (reviews, labels), _ = load_imdb()
    yield
    rows = rows_of(reviews)
    keras.utils.set_random_seed(6)
    model = keras.Sequential([
        keras.Input(shape=(10_000,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile("rmsprop", "binary_crossentropy", metrics=["binary_accuracy"], **options)
    history = model.fit(
        rows[10_000:], labels[10_000:].astype("float32"), batch_size=512, epochs=20,
        validation_data=(rows[:10_000], labels[:10_000].astype("float32")), verbose=0,
    )  # fmt: skip
    return min(history.history["val_loss"])


@way("imdb-fit", "float64 rows")
def _():
    return (yield from _imdb_fit(by_rows))


@way("imdb-fit", "ours: uint8 rows")
def _():
    multi_hot = cells("06", "imports", "multi-hot-function")["multi_hot"]
    return (yield from _imdb_fit(multi_hot))


# --- An epoch of 03 -------------------------------------------------------------------------

case("epoch-03", "an epoch of 03: 40,000 images in batches of 32",
     "the second epoch; the first compiles", rounds=3, tolerance=0.02)  # fmt: skip


def _epoch_03(images=40_000, **options):
    import keras

    from lesson import load_cifar10

    (x, y), _ = load_cifar10()
    x, y = x[:images].astype("float32") / 255, keras.utils.to_categorical(y[:images], 10)
    keras.utils.set_random_seed(3)
    model = cells("03", "imports", "create-model")["create_model_intro"]()
    model.compile("adam", "categorical_crossentropy", metrics=["categorical_accuracy"], **options)
    model.fit(x, y, batch_size=32, verbose=0)
    yield
    return model.fit(x, y, batch_size=32, verbose=0).history["loss"][0]


@way("epoch-03", "one step a call")
def _():
    return (yield from _epoch_03())


@way("epoch-03", "ours: 125 steps a call")
def _():
    return (yield from _epoch_03(steps_per_execution=125))


case("limit-03", "the same work as large matrix products: what the machine can do",
     "as many multiplications as an epoch of 03", rounds=3, tolerance=None)  # fmt: skip


def flops_of_intro():
    """Multiplications and additions of one image through 03's network, forward and back."""
    places = 30 * 30, 13 * 13, 1
    weights = 27 * 16, 9 * 16 * 32, 6 * 6 * 32 * 10
    return 3 * sum(2 * p * w for p, w in zip(places, weights, strict=True))


@way("limit-03", "numpy, float32 matrices of 2,000 × 2,000")
def _():
    one = np.random.default_rng(0).random((2000, 2000), dtype="float32")
    times = round(40_000 * flops_of_intro() / (2 * 2000**3))
    one @ one
    yield
    for _ in range(times):
        one @ one
    return times


# --- Boston, K-fold -------------------------------------------------------------------------

EPOCHS = 10
case("k-fold", f"Boston: 4 folds × {EPOCHS} epochs, one row a step",
     "the same weights at the start, the same order of rows; the mean of the last MAEs",
     rounds=3, tolerance=0.05)  # fmt: skip


def _folds(epochs=EPOCHS):
    """For each fold the arguments of `fit_fold`."""
    v = cells("12", "imports", "data", "network", "start-weights")
    orders = v["new_orders"](epochs)
    parts = zip(v["train_x"], v["train_y"], v["val_x"], v["val_y"], strict=True)
    return [(v["start_weights"], *part, orders) for part in parts]


def fit_fold(start, x, y, val_x, val_y, orders, **options):
    """Fit one fold with Keras; return its MAE after each epoch."""
    import keras

    model = keras.Sequential([
        keras.Input(shape=(13,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(1),
    ])  # fmt: skip
    model.set_weights(start)
    model.compile("rmsprop", "mse", metrics=["mae"], **options)
    order = orders.ravel()
    return model.fit(
        x[order], y[order], shuffle=False, batch_size=1, steps_per_epoch=303,
        epochs=len(orders), validation_data=(val_x, val_y), validation_batch_size=101, verbose=0,
    ).history["val_mae"]  # fmt: skip


def fit_fold_303(arguments):
    return fit_fold(*arguments, steps_per_execution=303)


def _mean_of_last(maes):
    return float(np.mean([mae[-1] for mae in maes]))


def _in_turn(**options):
    folds = _folds()
    yield
    return _mean_of_last([fit_fold(*fold, **options) for fold in folds])


@way("k-fold", "a loop over the folds")
def _():
    return (yield from _in_turn())


@way("k-fold", "303 steps a call")
def _():
    return (yield from _in_turn(steps_per_execution=303))


@way("k-fold", "303 steps, Keras's compiler")
def _():
    return (yield from _in_turn(steps_per_execution=303, jit_compile=True))


@way("k-fold", "303 steps, two processes")
def _():
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    folds = _folds()
    yield
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        return _mean_of_last(list(pool.map(fit_fold_303, folds)))


@way("k-fold", "303 steps, Dask with two workers")
def _():
    from distributed import Client

    folds = _folds()
    yield
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        return _mean_of_last(client.gather(client.map(fit_fold_303, folds)))


def _program(epochs):
    """12's compiled program, and its arguments."""
    v = cells(
        "12", "imports", "data", "network", "start-weights", "predict", "rmsprop", "one-step",
        "train", losses_by_hand=[0],
    )  # fmt: skip
    program = v["jax"].jit(v["jax"].vmap(v["train"], in_axes=(None, 0, 0, 0, 0, None)))
    orders = v["new_orders"](epochs)
    named = ("start_weights", "train_x", "train_y", "val_x", "val_y")
    return program, (*(v[name] for name in named), orders)


@way("k-fold", "one compiled program")
def _():
    program, arguments = _program(EPOCHS)
    yield
    _, maes = program(*arguments)
    return _mean_of_last(np.asarray(maes))


# --- How the time grows ---------------------------------------------------------------------

case("grow-multi-hot", "rows of zeros and ones", sizes=(3000, 6000, 12_000, 24_000), unit="reviews")


@way("grow-multi-hot", "row by row")
def _(count):
    from lesson import load_imdb

    reviews = load_imdb()[0][0][:count]
    yield
    by_rows(reviews)


@way("grow-multi-hot", "ours")
def _(count):
    from lesson import load_imdb

    reviews = load_imdb()[0][0][:count]
    multi_hot = cells("06", "imports", "multi-hot-function")["multi_hot"]
    yield
    multi_hot(reviews)


case("grow-fit", "an epoch of 03", sizes=(4000, 8000, 16_000, 32_000), unit="images", rounds=3)


@way("grow-fit", "one step a call")
def _(count):
    yield from _epoch_03(count)


@way("grow-fit", "ours: 125 steps a call")
def _(count):
    yield from _epoch_03(count, steps_per_execution=125)


case("grow-k-fold", "four folds, one row a step", sizes=(5, 10, 20, 40), unit="epochs", rounds=3)


@way("grow-k-fold", "303 steps a call")
def _(epochs):
    folds = _folds(epochs)
    yield
    for fold in folds:
        fit_fold_303(fold)


@way("grow-k-fold", "one compiled program")
def _(epochs):
    program, arguments = _program(epochs)
    yield
    np.asarray(program(*arguments)[1])


case("grow-curves", "draw a history", sizes=(10, 100, 1000, 10_000), unit="epochs", rounds=3)


@way("grow-curves", "pandas's plot")
def _(epochs):
    import matplotlib.pyplot as plt
    import pandas as pd

    curves = pd.DataFrame(_history(epochs))
    yield
    curves.plot().figure.savefig(io.BytesIO(), format="png")
    plt.close()


@way("grow-curves", "ours")
def _(epochs):
    from lesson import plot_history

    yield
    plot_history(_history(epochs)).savefig(io.BytesIO(), format="png")


def _history(epochs):
    falling = 1 / np.arange(1, epochs + 1)
    return {"loss": falling, "val_loss": falling + 0.1}
