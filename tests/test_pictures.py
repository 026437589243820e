"""What a notebook keeps of a figure: a picture, its words where each viewer reads them, a table."""

import base64
import html
import io
import re
from html.parser import HTMLParser

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbval.plugin import get_sanitize_patterns
from PIL import Image

from lesson.pictures import bundle, describe, folded_table, smaller
from lesson.plots import plot_histories, plot_history, show_images
from notebook_files import ROOT

mpl.use("Agg")
NAN = float("nan")
LOUD = 'Loss <falls> & "rises".'


class Reader(HTMLParser):
    """What a browser makes of a piece of HTML: tags with their attributes, text, what is open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.unclosed = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "img":
            self.unclosed.append(tag)

    def handle_endtag(self, tag):
        assert self.unclosed.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.unclosed[-1] if self.unclosed else "", data))

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag):
        return [data for name, data in self.texts if name == tag]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def decoded(text):
    return base64.b64decode(text, validate=True)


def one_line(words=LOUD, values=(1, 2), **settings):
    figure = Figure(**settings)
    figure.add_subplot(xlim=(0, 2), ylim=(0, 2)).plot(values)
    return describe(figure, words)


@pytest.mark.parametrize("lasting", [True, False])
def test_words_stand_where_each_viewer_reads_them(lasting):
    data, metadata = bundle(one_line(), lasting)
    (image,) = Reader(data["text/html"]).of("img")  # JupyterLab, nbconvert, VS Code, Colab
    assert image["alt"] == metadata["image/png"]["alt"] == data["text/plain"] == LOUD
    for side in ("width", "height"):
        assert int(image[side]) == metadata["image/png"][side]


@pytest.mark.parametrize("lasting", [True, False])
def test_both_copies_are_the_same_picture(lasting):
    data, metadata = bundle(one_line(), lasting)
    kind, source = re.fullmatch(
        r"data:image/(\w+);base64,(.*)", Reader(data["text/html"]).of("img")[0]["src"]
    ).groups()
    image = Image.open(io.BytesIO(decoded(source)))
    assert image.format == kind.upper()
    assert image.width // 1.5 == metadata["image/png"]["width"]
    np.testing.assert_array_equal(pixels(decoded(source)), pixels(decoded(data["image/png"])))


def test_two_copies_weigh_less_than_one_as_it_is_drawn():
    curves = {"loss": np.geomspace(2, 0.5, 30), "val_loss": np.geomspace(2, 0.7, 30)}
    figure = plot_history(curves)
    (drawn, _), (stored, _) = bundle(figure, lasting=False), bundle(figure)
    assert len(stored["text/html"]) + len(stored["image/png"]) < 0.9 * len(drawn["image/png"])


def drawn(figure):
    return decoded(bundle(figure, lasting=False)[0]["image/png"])


def test_lines_keep_their_colours():
    curves = {f"model {i}": {"loss": np.sin(i + np.arange(9))} for i in range(7)}
    png = drawn(plot_histories(curves, "loss"))
    small = smaller(png)
    assert Image.open(io.BytesIO(small)).mode == "P"
    change = np.abs(pixels(small) - pixels(png)).max(axis=-1)
    assert (change > 8).mean() < 0.01
    assert pixels(small)[2, 2].tolist() == [255, 255, 255]


def test_photographs_are_not_touched():
    photographs = np.random.default_rng(0).random((4, 32, 32, 3))
    png = drawn(show_images(photographs))
    np.testing.assert_array_equal(pixels(smaller(png)), pixels(png))


def test_transparent_figure_has_a_white_page():
    """On a dark page dark letters would not be seen."""
    assert pixels(smaller(drawn(one_line(facecolor="none"))))[0, 0].tolist() == [255, 255, 255]


# --- The numbers as a table ---------------------------------------------------------


def epochs(count, **columns):
    index = pd.Index(range(1, count + 1), name="epoch")
    return pd.DataFrame(columns or {"loss": np.linspace(2, 1, count)}, index=index)


def test_table_is_folded_and_read_aloud_with_its_heads():
    page = Reader(folded_table(epochs(2, **{"a < b": [0.123456, NAN], "loss": [12345.6, 1000]})))
    assert page.unclosed == []
    assert page.of("details") == [{}]
    assert page.text("summary") == ["The numbers as a table"]
    assert page.text("caption") == ["Every epoch"]
    heads = [{"scope": "col"}] * 3 + [{"scope": "row"}] * 2
    assert page.of("th") == heads
    assert page.text("th") == ["epoch", "a < b", "loss", "1", "2"]
    assert page.text("td") == ["0.1235", "1.235e+04", "–", "1000"]
    # Each theme has a look for tables of this class, and there is no other.
    assert page.of("table") == [{"class": "dataframe"}]
    assert not [a for tag, a in page.tags if a and tag not in ("table", "th")]


@pytest.mark.parametrize(
    ("count", "listed", "caption"),
    [
        (1, [1], "Every epoch"),
        (20, list(range(1, 21)), "Every epoch"),
        (21, list(range(1, 22, 2)), "One epoch in 2, and the last"),
        (40, [*range(1, 41, 3)], "One epoch in 3, and the last"),
        (100, [*range(1, 98, 6), 100], "One epoch in 6, and the last"),
    ],
)
def test_long_histories_are_thinned_out(count, listed, caption):
    page = Reader(folded_table(epochs(count)))
    assert [int(text) for text in page.text("th")[2:]] == listed
    assert page.text("caption") == [caption]


def test_table_has_at_most_twenty_rows():
    for count in range(1, 400):
        rows = [int(n) for n in re.findall(r'"row">(\d+)<', folded_table(epochs(count)))]
        assert len(rows) <= 20
        assert (rows[0], rows[-1]) == (1, count)


CURVES = {"loss": [2.0, 1.0], "val_loss": [2.5, 1.5], "accuracy": [0.25, 0.5]}


def numbers(figure):
    page = Reader(bundle(figure)[0]["text/html"])
    return page.text("th"), page.text("td")


def test_curves_of_one_model_have_their_numbers():
    heads, values = numbers(plot_history(CURVES))
    assert heads == ["epoch", "training loss", "validation loss", "training accuracy", "1", "2"]
    assert values == ["2.000", "2.500", "0.2500", "1.000", "1.500", "0.5000"]


def test_curves_of_several_models_have_their_numbers():
    """One that ran longer, one whose epochs have other numbers: a row for each epoch there is."""
    later = pd.DataFrame({"loss": [9.0, 8.0]}, index=pd.Index([3, 2], name="epoch"))
    heads, values = numbers(plot_histories({"a": CURVES, "b": later}, "loss"))
    assert heads == ["epoch", "a, training loss", "b, training loss", "1", "2", "3"]
    assert values == ["2.000", "–", "1.000", "8.000", "–", "9.000"]


def test_histories_whose_epochs_repeat_have_their_numbers():
    twice = pd.DataFrame({"loss": [9.0, 8.0]}, index=pd.Index([1, 1], name="epoch"))
    assert numbers(plot_histories({"a": CURVES, "b": twice}, "loss"))[1] == [
        "2.000",
        "8.000",
        "1.000",
        "–",
    ]


def test_other_figures_and_passing_drawings_have_no_table():
    assert "<details>" not in bundle(one_line())[0]["text/html"]
    assert "<details>" not in bundle(plot_history(CURVES), lasting=False)[0]["text/html"]


# --- How nbval compares -------------------------------------------------------------


def test_nbval_compares_the_words_and_not_the_bytes():
    def compared(figure):
        text = bundle(figure)[0]["text/html"]
        for regex, replacement in get_sanitize_patterns((ROOT / "tests" / "nbval.cfg").read_text()):
            text = re.sub(regex, replacement, text)
        return text

    stored = compared(one_line())
    assert stored.startswith(f'<img alt="{html.escape(LOUD)}" width=')
    assert compared(one_line(values=(2, 1))) == stored
    assert compared(one_line("Another.")) != stored
