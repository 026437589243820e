"""What the notebooks use and do not teach: data, curves, saved fits, checks."""

from lesson import _workers, _quiet  # isort: skip  (before Keras: interrupts, its start-up log)
from lesson import _torch_steps
from lesson.checks import check
from lesson.datasets import (
    BOSTON_FEATURES,
    CIFAR10_CLASSES,
    DataError,
    decode_review,
    load_boston,
    load_cifar10,
    load_imdb,
    load_mnist,
)
from lesson.outputs import (
    load_history,
    load_model,
    load_table,
    save_history,
    save_model,
    save_table,
)
from lesson.plots import (
    LiveCurves,
    describe,
    plot_confusion,
    plot_histories,
    plot_history,
    show_images,
)

__all__ = [
    "BOSTON_FEATURES",
    "CIFAR10_CLASSES",
    "DataError",
    "LiveCurves",
    "check",
    "decode_review",
    "describe",
    "load_boston",
    "load_cifar10",
    "load_history",
    "load_imdb",
    "load_mnist",
    "load_model",
    "load_table",
    "plot_confusion",
    "plot_histories",
    "plot_history",
    "save_history",
    "save_model",
    "save_table",
    "show_images",
]

del _quiet, _torch_steps, _workers
