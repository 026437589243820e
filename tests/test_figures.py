"""The diagrams in fig/ are what fig/drawing.py draws, and are fit to be shown."""

import functools
import importlib.metadata
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib import ft2font
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text

import drawing
from figures_03 import descend

FIG = Path(__file__).resolve().parents[1] / "fig"
SVG = "{http://www.w3.org/2000/svg}"

drawing.load_figures()
each_figure = pytest.mark.parametrize("name", drawing.FIGURES)


def saved(name):
    """The committed file, as git stores it (a checkout may have CRLF)."""
    return (FIG / f"{name}.svg").read_bytes().replace(b"\r\n", b"\n")


def as_locked():
    """Whether what places every line and letter is what requirements.txt installs."""
    lock = (FIG.parent / "requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))
    here = {(name, importlib.metadata.version(name)) for name in ("matplotlib", "numpy")}
    # FreeType draws the letters. The one inside the wheels changes only with Matplotlib.
    return here <= pinned and ft2font.__freetype_build_type__ == "local"


@functools.cache
def drawn(name):
    """The figure, drawn once for all tests, and its alternative text."""
    figure, alt = drawing.make(name)
    figure.set_dpi(72)
    with drawing.styled():
        FigureCanvasAgg(figure).draw()
    return figure, alt


def start(out, **environment):
    """Start to draw all figures; say where."""
    command = [sys.executable, FIG / "drawing.py", "--out", out]
    return out, subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory):
    """All figures, drawn by two processes that could disagree."""
    folder = tmp_path_factory.mktemp("figures")
    settings = folder / "matplotlibrc"
    settings.write_text("axes.linewidth: 5\nfont.style: italic\nxtick.direction: in\n")
    both = (
        start(folder / "one", PYTHONHASHSEED="1"),
        start(folder / "two", PYTHONHASHSEED="2", MATPLOTLIBRC=str(settings)),
    )
    assert [process.wait() for _, process in both] == [0, 0]
    return [{file.stem: file.read_bytes() for file in out.iterdir()} for out, _ in both]


def test_folder_holds_what_the_script_draws(redrawn):
    here = {file.name for file in FIG.iterdir() if file.name != "__pycache__"}
    modules = {f"figures_{name[:2]}" for name in drawing.FIGURES}
    figures = {f"{name}.svg" for name in drawing.FIGURES}
    assert here == {"drawing.py", "jupyterlab.png"} | {f"{one}.py" for one in modules} | figures
    assert set(redrawn[0]) == set(drawing.FIGURES)
    for name, (_, function) in drawing.FIGURES.items():
        assert function.__module__ == f"figures_{name[:2]}", name


@each_figure
def test_two_runs_draw_the_same(name, redrawn):
    one, two = redrawn
    assert one[name] == two[name]


# Another Matplotlib may place a letter elsewhere. What the figure says is compared below.
@pytest.mark.skipif(not as_locked(), reason="Matplotlib or NumPy is not requirements.txt's")
@each_figure
def test_redrawn_figure_is_the_saved_one(name, redrawn):
    same = redrawn[0][name] == saved(name)
    assert same, f"run `python fig/drawing.py {name}` and look at what changed"


@each_figure
def test_file_is_small_and_says_what_it_shows(name):
    assert len(saved(name)) < 100_000
    root = ElementTree.fromstring(saved(name))
    title, alt = root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-label") == title == drawing.FIGURES[name][0]
    assert alt == drawn(name)[1]
    assert 100 < len(alt) <= 500
    assert re.fullmatch(r'[^\n\[\]"]+\.', alt), "does not paste into ![...](...)"


@each_figure
def test_file_needs_nothing_else(name):
    root = ElementTree.fromstring(saved(name))
    assert not list(root.iter(f"{SVG}text")), "letters should be drawn as paths"
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    links = re.findall(rb'(?:href="|url\()([^")]*)', saved(name))
    assert {link.decode() for link in links} <= {f"#{one}" for one in ids}


@each_figure
def test_words_are_large_enough_and_do_not_collide(name):
    figure, _ = drawn(name)
    assert figure.get_size_inches()[0] * 72 == pytest.approx(drawing.WIDTH)
    words = [
        (text, text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text()
    ]
    assert words
    for text, place in words:
        assert text.get_fontsize() >= drawing.SMALL, text
        inside = place.x0 >= 0 and place.y0 >= 0
        inside &= place.x1 <= figure.bbox.x1 and place.y1 <= figure.bbox.y1
        assert inside, f"{text.get_text()!r} leaves the figure"
    for (text, place), (other, its_place) in combinations(words, 2):
        pair = f"{text.get_text()!r} and {other.get_text()!r} overlap"
        assert not place.padded(-1).overlaps(its_place.padded(-1)), pair


@each_figure
def test_words_are_easy_to_read(name):
    """Contrast of at least 4.5 to 1 on white."""
    for text in drawn(name)[0].findobj(Text):
        color = to_hex(text.get_color())
        assert drawing.ink(color) == color, f"{text.get_text()!r} is too pale: use ink()"


def test_learning_rates_do_what_the_figure_says():
    def slope(weight):
        return 2 * weight

    def end(rate):
        return abs(descend(slope, 4, rate, 8)[-1])

    assert end(0) == 4
    assert end(0.5) == 0
    assert descend(slope, 4, 0.25, 2).tolist() == [4, 2, 1]
    assert end(0.25) < 0.1 < 2 < end(0.02) < 4 < end(1.03)


def test_command_line_prints_the_alternative_text(tmp_path):
    name = next(iter(drawing.FIGURES))

    def call(*arguments):
        command = [sys.executable, FIG / "drawing.py", *arguments]
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)

    assert call("--alt", name).stdout.strip() == drawn(name)[1]
    assert "no figure 'nothing'" in call("nothing", "--out", tmp_path).stderr
    assert not list(tmp_path.iterdir())
