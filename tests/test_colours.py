"""Colours that everyone can tell from the page and from one another, computed.

WCAG 2.1 asks for a contrast of 4.5 to 1 for text and of 3 to 1 for lines that mean
something. Colours are compared as people see them whose eyes lack one kind of cones
(Machado and others 2009), by their distance in CAM02-UCS: 1 is just noticed, 10 is plain.
"""

import itertools
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from colorspacious import cspace_convert
from matplotlib.colors import to_rgb
from seaborn.utils import relative_luminance

import drawing
from lesson.plots import PALETTE, plot_confusion, plot_histories, plot_history
from notebook_files import code, every_notebook, read

mpl.use("Agg")
LACKING = ("deuteranomaly", "protanomaly", "tritanomaly")  # at 100, the cones are missing


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def contrast(one, other="white"):
    """Of two colours, by WCAG 2.1: from 1 to 21."""
    darker, lighter = sorted(relative_luminance(to_rgb(colour)) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def seen(colours, lacking=None):
    """Colours as points of CAM02-UCS, its first number the lightness from 0 to 100."""
    rgb = np.array([to_rgb(c) for c in colours])
    if lacking:
        eye = {"name": "sRGB1+CVD", "cvd_type": lacking, "severity": 100}
        rgb = np.clip(cspace_convert(rgb, eye, "sRGB1"), 0, 1)
    return cspace_convert(rgb, "sRGB1", "CAM02-UCS")


def nearest(points):
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2))


def test_contrast_is_that_of_the_standard():
    assert contrast("black") == pytest.approx(21)
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)  # the lightest grey for text


def test_every_curve_stands_out_from_the_page():
    assert min(contrast(colour) for colour in PALETTE) >= 3


@pytest.mark.parametrize("lacking", [None, *LACKING])
def test_colours_are_told_apart(lacking):
    assert nearest(seen(PALETTE, lacking)) > 10
    assert nearest(seen(PALETTE[:4], lacking)) > 20


def test_four_colours_are_told_apart_in_grey():
    assert nearest(seen(PALETTE[:4])[:, :1]) > 10


def signs(figure):
    """What tells a curve without its colour."""
    return [(one.get_linestyle(), one.get_marker()) for one in figure.axes[-1].lines]


def test_colour_is_never_the_only_sign():
    curves = {"loss": np.linspace(2, 1, 30), "val_loss": np.linspace(2, 1.2, 30)}
    scores = [np.arange(10) / n for n in range(10, 40)]
    for figure, count in (
        (plot_history(curves), 2),
        (plot_history({"f1": scores, "val_f1": scores}), 20),
        (plot_histories({f"model {n}": curves for n in range(10)}, ["loss", "val_loss"]), 20),
    ):
        assert len(set(signs(figure))) == count


def test_counts_of_a_confusion_matrix_are_read_on_every_blue():
    matrix = np.array([[n, 100 - n] for n in range(0, 101, 2)])
    matrix = np.pad(matrix, ((0, 0), (0, len(matrix) - 2)))
    axes = plot_confusion(matrix, range(len(matrix))).axes[0]
    fields = axes.collections[0].get_facecolors()
    found = [contrast(t.get_color(), f) for t, f in zip(axes.texts, fields, strict=True)]
    assert min(found) >= 4.5


def test_letters_on_figures_stand_out_from_the_page():
    figure = plot_histories({str(n): {"val_loss": [2, 1 + n]} for n in range(6)}, title="Six")
    figure.canvas.draw()
    texts = [t for t in figure.findobj(mpl.text.Text) if t.get_text()]
    assert len(texts) > 15
    assert min(contrast(t.get_color(), figure.get_facecolor()) for t in texts) >= 4.5


def test_what_a_learner_draws_has_these_colours():
    assert [to_rgb(c) for c in mpl.rcParams["axes.prop_cycle"].by_key()["color"]] == PALETTE


def test_colours_of_diagrams_stand_out_from_the_page():
    names = ("BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "BROWN", "GREY", "BLACK", "DIM")
    pale = {name for name in names if contrast(getattr(drawing, name)) < 3}
    assert not pale, f"in fig/drawing.py: {pale}"


@every_notebook
def test_colours_written_in_a_notebook_stand_out_from_the_page(path):
    """But for greys of 0.8 and lighter, which are background and mean nothing."""
    for cell in code(read(path)):
        for colour in re.findall(r'"(#[0-9a-f]{6}|0\.[0-7]\d*)"', cell.source):
            assert contrast(colour) >= 3, f"{path.stem}, cell {cell.id}: {colour}"
