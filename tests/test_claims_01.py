"""Claims of notebook 01, Keras building blocks, and that its tables say what its cells do."""

import keras
import numpy as np
import pandas as pd
import pytest

from claims import claim, history, reason, seen_on_tensorflow, stated, table
from notebook_files import NOTEBOOKS, code, read


@pytest.fixture(scope="module")
def notebook():
    return next(read(path) for path in NOTEBOOKS if path.name.startswith("01-"))


@pytest.fixture(scope="module")
def curves():
    return history("history_digits")


@pytest.fixture(scope="module")
def evaluated():
    return table("digits_evaluated").set_index("when")


# --- That what was judged is what the prose describes --------------------------------


def test_evaluate_gives_the_last_point_of_the_curves(curves, evaluated):
    """As section 8 says it must: the same images, and the weights as they were left."""
    assert list(curves.index) == [1, 2, 3]
    for name in ("loss", "accuracy"):
        assert evaluated[name]["after"] == pytest.approx(curves[f"val_{name}"][3], rel=1e-4)


# --- 1. A whole program ---------------------------------------------------------------


@claim(
    "After one pass through 50,000 images it reads 95% of the others correctly (with each of five "
    "seeds)."
)
def test_first_program_reads_digits():
    """0.949 to 0.954."""
    assert 0.93 < table("digits_first")["accuracy"][0] < 0.97


def test_first_program_has_at_most_eight_lines(notebook):
    cells = {c.id: c for c in code(notebook)}
    assert len(cells["first-program"].source.splitlines()) <= 8
    assert [c.id for c in code(notebook)].index("first-program") == 1


# --- 2. The data ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scales():
    return table("digits_unscaled").set_index("pixels")


@seen_on_tensorflow("elsewhere Keras cuts a probability off at 1e-7: a loss of 13.6, and 47% right")
@claim("Unscaled, the same program gets 87% right (84 to 87% over five seeds), against 95%.")
def test_unscaled_pixels_cost_accuracy(scales):
    """0.840 to 0.873 against 0.949 to 0.954."""
    assert 0.78 < scales["accuracy"]["unscaled"] < 0.91
    assert scales["accuracy"]["scaled"] - scales["accuracy"]["unscaled"] > 0.04


@seen_on_tensorflow("elsewhere Keras cuts a probability off at 1e-7: a loss of 13.6, and 47% right")
@claim("It starts from a loss of more than 50.")
@reason(
    "One reason is the start: sums of numbers up to 255 make the untrained network sure of "
    "wrong answers, and learning first has to undo that."
)
def test_unscaled_pixels_start_from_wild_answers(scales):
    """Untrained 125 and 199 (scaled: 2.36 and 2.41). With the first weights divided by 255, and
    all else the same, unscaled pixels end at 0.921 and 0.924: most of the difference is gone."""
    assert scales["untrained loss"]["unscaled"] > 50
    assert scales["untrained loss"]["scaled"] < 3


@reason("(At random because units of a layer that start equal are changed equally, and so stay")
@pytest.mark.parametrize("start", ["ones", "glorot_uniform"])
def test_units_that_start_equal_stay_equal(start):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(2, "relu", kernel_initializer=start),
         keras.layers.Dense(1, kernel_initializer=start)]
    )  # fmt: skip
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
    x = np.random.default_rng(1).random((64, 5), dtype="float32")
    model.fit(x, x[:, :1], epochs=3, verbose=0)
    kernel = model.get_weights()[0]
    assert np.ptp(kernel[:, 0]) > 0, "it has learned"
    assert np.allclose(kernel[:, 0], kernel[:, 1], atol=1e-6) == (start == "ones")


# --- 5. How a network learns --------------------------------------------------------------


@reason(
    "Where the network is confident and wrong, squared error charges 1 at most, and raising the "
    "score hardly changes it: its slope there is −0.02, so learning would hardly push."
)
def test_squared_error_hardly_pushes_where_the_network_is_confident_and_wrong():
    """Slopes in the score, by differences: as section 5 draws them."""
    p, step = np.array([0.01, 0.5, 0.9]), 1e-6

    def slope(cost):
        score = np.log(p / (1 - p))
        return (cost(1 / (1 + np.exp(-(score + step)))) - cost(p)) / step

    assert slope(lambda p: (1 - p) ** 2) == pytest.approx([-0.0196, -0.25, -0.018], abs=1e-3)
    assert slope(lambda p: -np.log(p)) == pytest.approx([-0.99, -0.5, -0.1], abs=1e-3)


@reason("new weight = weight − learning rate × slope")
def test_a_step_against_the_slope_lowers_the_loss():
    """Keras's plainest optimizer does this, and nothing else."""
    weight = keras.Variable(3.0)
    keras.optimizers.SGD(0.1).apply([keras.ops.convert_to_tensor(5.0)], [weight])
    moved = float(keras.ops.convert_to_numpy(weight))
    assert moved == pytest.approx(3 - 0.1 * 5)
    assert (moved - 1) ** 2 + moved < (3 - 1) ** 2 + 3  # the loss of exercise 3; its slope is 5


# --- 7. Fit ---------------------------------------------------------------------------------


@seen_on_tensorflow("other random numbers")
@claim("The untrained network gets 6% right (6 to 14% over five seeds).")
def test_untrained_network_guesses(evaluated):
    """0.059 to 0.144."""
    assert 0 < evaluated["accuracy"]["before"] < 0.25


@claim("It gives 41% of all images the same answer (21 to 41% over five seeds).")
def test_untrained_network_favours_a_few_digits():
    """0.21 to 0.41 of all images get the same answer; 6 to 9 digits more than 1 in 100."""
    assert table("digits_untrained")["most"][0] > 0.15


# --- 8. Evaluate and predict ---------------------------------------------------------


@claim(
    "After three epochs the network gets 97% of the validation images right (97 to 98% over five "
    "seeds)."
)
@reason(
    "It has not learned from the validation images, so what it learned holds for images that are "
    "new to it:"
)
def test_trained_network_reads_digits(curves, evaluated):
    """0.969 to 0.977; in training 0.983 to 0.985."""
    assert 0.96 < evaluated["accuracy"]["after"] < 0.99
    # It has not learned from them: then its training accuracy would be no higher.
    assert evaluated["accuracy"]["after"] < curves["accuracy"][3]


@claim("Its training loss falls from each epoch to the next.")
def test_training_loss_falls(curves):
    """0.24, 0.09, 0.05."""
    assert (curves["loss"].diff().dropna() < 0).all()


@claim("Its validation loss ends below one tenth of what it was before the fit.")
def test_validation_loss_falls(evaluated):
    """At 0.03 to 0.05 of what it was."""
    assert evaluated["loss"]["after"] < evaluated["loss"]["before"] / 10


# --- 9. Other tasks, other endings ---------------------------------------------------


def test_chooser_rows_are_what_keras_accepts(notebook):
    """Binary, multiclass twice, multilabel, and two kinds of regression: a step of each, with
    the labels that the notebook prints, lowers the loss."""
    cells = {c.id: c.source for c in code(notebook)}
    names = {"pd": pd, "np": np, "keras": keras}
    for cell in ("chooser-table", "chooser-labels"):
        exec(cells[cell], names)
    chooser, labels = names["chooser"], names["made_labels"]
    assert list(chooser["task"]) == [
        "binary", "multiclass", "multiclass", "multilabel", "scalar regression",
        "vector regression",
    ]  # fmt: skip
    for row in chooser.itertuples():
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [keras.Input(shape=(8,)), keras.layers.Dense(row.units, activation=row.activation)]
        )
        model.compile(keras.optimizers.SGD(0.01), loss=row.loss, metrics=[row.metric])
        losses = model.fit(
            names["samples"], labels[row.labels].astype("float32"),
            batch_size=64, epochs=2, verbose=0,
        ).history["loss"]  # fmt: skip
        assert losses[1] < losses[0], row.task


def test_accuracy_by_that_name_is_wrong_for_multilabel():
    """Outputs that agree with all six labels: 1 by `binary_accuracy`, 0 by `accuracy`."""
    labels = np.array([[1, 0, 1], [0, 0, 0]], "float32")
    outputs = np.array([[0.8, 0.1, 0.9], [0.1, 0.3, 0.2]], "float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", "binary_accuracy"])
    found = model.evaluate(outputs, labels, verbose=0, return_dict=True)
    assert (found["accuracy"], found["binary_accuracy"]) == (0, 1)


# --- What follows from arithmetic --------------------------------------------------------


def dense_network(inputs, *units):
    layers = [keras.layers.Dense(count) for count in units]
    return keras.Sequential([keras.Input(shape=(inputs,)), *layers])


@stated("Of all weights, 99.7% are in the first dense layer: its 3,072 *inputs* make it large.")
def test_nearly_all_weights_are_in_the_first_layer():
    model = dense_network(3_072, 64, 10)
    share = model.layers[0].count_params() / model.count_params()
    assert share == pytest.approx(0.997, abs=0.0005)


@stated("Nudging computes the loss once more for every weight: 669,706 times for a single step")
def test_weights_to_nudge():
    assert dense_network(784, 512, 512, 10).count_params() == 669_706


@stated("0 is perfect, 2.3 is what ten equal probabilities cost.")
def test_loss_of_ten_equal_probabilities():
    loss = keras.losses.SparseCategoricalCrossentropy()
    assert float(loss(np.array([3]), np.full((1, 10), 0.1))) == pytest.approx(2.3, abs=0.05)
    assert float(loss(np.array([3]), np.eye(10)[[3]])) == pytest.approx(0, abs=1e-5)
