"""The pen: how every diagram in this folder looks, and the command that draws them.

    python fig/drawing.py                    all of them, into this folder
    python fig/drawing.py 03-data-split      one, or several
    python fig/drawing.py --out DIR          somewhere else
    python fig/drawing.py --alt NAME         its alternative text, to paste

The diagrams of notebook NN are in figures_NN.py, which is found by its name. The
same code gives the same bytes, so `git diff` shows what a change did to a figure.
To add one, write a function `fig_NN_some_name` there under `@figure("Title")`, which
returns the Matplotlib figure and its alternative text; it is saved as
`NN-some-name.svg`. What looks like data must be computed there, and numbers in
the alternative text must come from the same variables as the drawing.

Sizes are in points. A figure is 600 points wide, which a browser shows as 800
pixels, so that a font size here is the size that a learner sees.
"""

import argparse
import importlib
import io
import re
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Outline
from seaborn.utils import relative_luminance

HERE = Path(__file__).resolve().parent

# ---------------------------------------------------------------- the look

# After seaborn's "colorblind" palette, whose orange and brown are too pale on white: each
# stands out by 3 to 1 (tests/test_colours.py).
BLUE, ORANGE, GREEN, RED = "#0173b2", "#c17700", "#029e73", "#d55e00"
PURPLE, BROWN, GREY = "#cc78bc", "#937860", "#949494"
BLACK, DIM = "#1a1a1a", "#595959"

# One meaning, one colour, in every figure.
TRAINING, VALIDATION, TEST = BLUE, RED, GREY

WIDTH = 600
SMALL, LARGE = 11, 13  # nothing is written smaller than SMALL

STYLE = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib
    "font.size": SMALL,
    "text.color": BLACK,
    "axes.titlesize": SMALL,
    "axes.labelsize": SMALL,
    "axes.labelcolor": BLACK,
    "axes.edgecolor": DIM,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "lines.linewidth": 2,
    "figure.dpi": 72,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "figures",
}


def tint(color, strength=0.2):
    """The colour mixed with white: a background to write on."""
    return to_hex([1 - strength * (1 - c) for c in to_rgb(color)])


def ink(color):
    """The colour darkened until text in it is easy to read on white (4.5 to 1)."""
    rgb = np.array(to_rgb(color))
    while True:
        if 1.05 / (relative_luminance(rgb) + 0.05) >= 4.5:
            return to_hex(rgb)
        rgb = rgb * 0.97


# ------------------------------------------------------- registry and saving

FIGURES = {}  # file name without ".svg": (title, function)


def figure(title):
    """Registers `fig_NN_some_name`, which is saved as `NN-some-name.svg`."""

    def register(function):
        name = function.__name__.removeprefix("fig_").replace("_", "-")
        FIGURES[name] = title, function
        return function

    return register


def load_figures():
    """Fill FIGURES: import every figures_NN.py."""
    for file in sorted(HERE.glob("figures_[0-9][0-9].py")):
        importlib.import_module(file.stem)


def styled():
    """The style of every figure, whatever the user's own Matplotlib settings."""
    return matplotlib.style.context(["default", STYLE])


def make(name):
    """The Matplotlib figure and its alternative text."""
    with styled():
        return FIGURES[name][1]()


def render(name):
    """The figure as SVG (a string)."""
    drawing, alt = make(name)
    unsaid = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    file = io.StringIO()
    with styled():
        FigureCanvasSVG(drawing).print_svg(file, metadata=unsaid)
    return _tidy(file.getvalue(), FIGURES[name][0], alt)


def _tidy(svg, title, alt):
    """Adds title and description; makes the file small and its bytes steady.

    Hundredths of a point cannot be seen, and rounding to them hides the last
    digits in which one processor's arithmetic differs from another's. For the
    same reason ids are counted instead of derived from such digits.
    """

    def shorter(match):
        return re.sub(
            r"-?\d+\.\d+",
            lambda number: f"{round(float(number[0]), 2) + 0.0:g}",  # never -0
            match[0],
        )

    svg = re.sub(r' (?:d|x|y|width|height)="[^"]*"', shorter, svg)
    svg = re.sub(r"translate\([^)]*\)", shorter, svg)
    for count, old in enumerate(re.findall(r'id="([a-z][0-9a-f]{10})"', svg), 1):
        svg = svg.replace(old, f"i{count}")
    words = f"<title>{escape(title)}</title>\n<desc>{escape(alt)}</desc>"
    head = f' role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">\n{words}'
    svg = re.sub(r"(<svg\b[^>]*)>", lambda match: match[1] + head, svg, count=1)
    return "\n".join(line.strip() for line in svg.splitlines()) + "\n"


# ---------------------------------------------------------- drawing helpers


def plots(height, rows=1, columns=1, *, left=46, right=10, top=30, bottom=42, **spec):
    """A figure with axes in rows and columns; margins in points. `spec`: subplots'."""
    drawing = Figure(figsize=(WIDTH / 72, height / 72))
    grid = {
        "left": left / WIDTH,
        "right": 1 - right / WIDTH,
        "top": 1 - top / height,
        "bottom": bottom / height,
        **spec.pop("gridspec_kw", {}),
    }
    return drawing, drawing.subplots(rows, columns, gridspec_kw=grid, **spec)


def canvas(height):
    """A blank sheet to draw on in points: x to the right, y down from the top."""
    drawing = Figure(figsize=(WIDTH / 72, height / 72))
    ax = drawing.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(height, 0))
    ax.axis("off")
    return drawing, ax


def write(ax, x, y, words, *, color=BLACK, ha="center", va="center", **look):
    """Lines of text at a place, their baselines at even distances.

    `va`: "center", "top" or "bottom" of the capitals is at y. `bold=True`,
    `size`, and what else `ax.annotate` takes.
    """
    if look.pop("bold", False):
        look["weight"] = "bold"
    size = look.setdefault("size", SMALL)
    lines = words.split("\n")
    capital, lead = 0.73 * size, 1.4 * size
    rise = {"top": 0, "center": 0.5, "bottom": 1}[va]
    drop = capital - rise * (capital + lead * (len(lines) - 1))
    for count, words in enumerate(lines):
        ax.annotate(
            words,
            (x, y),
            xytext=(0, -drop - count * lead),
            textcoords="offset points",
            color=color,
            ha=ha,
            va="baseline",
            annotation_clip=False,
            **look,
        )


class Box(NamedTuple):
    """A place on a canvas, and the points of it that arrows start and end at."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self):
        return self.x, self.y + self.height / 2

    @property
    def right(self):
        return self.x + self.width, self.y + self.height / 2

    @property
    def top(self):
        return self.x + self.width / 2, self.y

    @property
    def bottom(self):
        return self.x + self.width / 2, self.y + self.height

    @property
    def center(self):
        return self.x + self.width / 2, self.y + self.height / 2


def box(ax, x, y, width, height, head="", note="", color=GREY, **look):
    """A rounded box with a bold head and a note under it; returns its Box."""
    look = {"facecolor": tint(color), "edgecolor": color, "linewidth": 1.5, **look}
    shape = f"round,pad=0,rounding_size={look.pop('rounding', 6)}"
    ax.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, **look))
    place = Box(x, y, width, height)
    words = [head] * bool(head) + note.split("\n") * bool(note)
    for count, text in enumerate(words):
        down = 1.45 * SMALL * (count - (len(words) - 1) / 2)
        bold = bool(head) and count == 0
        write(ax, x + width / 2, y + height / 2 + down, text, bold=bold)
    return place


def arrow(ax, *points, color=DIM, width=1.6, bend=0, **look):
    """An arrow through points: straight, in corners, or (two points) bent."""
    if len(points) > 2:
        route = {"path": Outline(points)}
    else:
        curve = f"arc3,rad={bend}"
        route = {"posA": points[0], "posB": points[1], "connectionstyle": curve}
    look = {"shrinkA": 0, "shrinkB": 0, "joinstyle": "miter", **route, **look}
    head = "-|>,head_length=6,head_width=3"
    ax.add_patch(
        FancyArrowPatch(arrowstyle=head, mutation_scale=1, linewidth=width, color=color, **look)
    )


def bar(ax, x, y, width, height, parts):
    """Parts of a whole side by side, in proportion: (size, words, color) each.

    Returns a Box a part.
    """
    total, boxes = sum(size for size, *_ in parts), []
    for size, words, color in parts:
        place = Box(x, y, width * size / total, height)
        corners = {"facecolor": tint(color, 0.3), "edgecolor": "white", "linewidth": 2}
        box(ax, *place, color=color, rounding=0, **corners)
        write(ax, *place.center, words)
        boxes.append(place)
        x += place.width
    return boxes


def titles(ax, head, *lines, color=BLACK):
    """A bold head above axes, and lines under it: words, or (words, color)."""
    up = 6
    for words in reversed(lines):
        words, shade = words if isinstance(words, tuple) else (words, BLACK)
        _raise(ax, up, words, color=ink(shade))
        up += 17
    _raise(ax, up + 2, head, color=ink(color), weight="bold", size=LARGE)


def _raise(ax, points, words, **look):
    look = {"ha": "center", "textcoords": "offset points", **look}
    ax.annotate(words, (0.5, 1), (0, points), xycoords="axes fraction", **look)


def key(ax, x, y, color, words):
    """A small square of a colour, centred at height y, and what it stands for."""
    box(ax, x, y - 7, 14, 14, color=color, rounding=2)
    write(ax, x + 21, y, words, ha="left")


# --------------------------------------------------------------- command line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="without it: all")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("--alt", action="store_true", help="print alternative texts")
    options = parser.parse_args()
    load_figures()
    for name in options.names:
        if name not in FIGURES:
            parser.error(f"no figure {name!r}; there are: {', '.join(FIGURES)}")
    for name in options.names or FIGURES:
        if options.alt:
            print(make(name)[1])
            continue
        options.out.mkdir(parents=True, exist_ok=True)
        file = options.out / f"{name}.svg"
        file.write_bytes(render(name).encode())
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    # The module that the figures import, and not this one, which is called __main__.
    importlib.import_module("drawing").main()
