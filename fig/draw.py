"""Draws every diagram that the notebooks show.

    python fig/draw.py                    all of them, into this folder
    python fig/draw.py 03-data-split      one, or several
    python fig/draw.py --out DIR          somewhere else
    python fig/draw.py --alt NAME         its alternative text, to paste

The same code gives the same bytes, so `git diff` shows what a change did to a
figure. To add one, write a function `fig_NN_some_name` under `@figure("Title")`
that returns the Matplotlib figure and its alternative text; it is saved as
`NN-some-name.svg`. What looks like data must be computed here, and numbers in
the alternative text must come from the same variables as the drawing.

Sizes are in points. A figure is 600 points wide, which a browser shows as 800
pixels, so that a font size here is the size that a learner sees.
"""

import argparse
import io
import math
import re
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon
from matplotlib.path import Path as Outline
from numpy.polynomial import Chebyshev

HERE = Path(__file__).resolve().parent

# ---------------------------------------------------------------- the look

# seaborn's "colorblind" palette: colour-blind readers can tell these apart.
BLUE, ORANGE, GREEN, RED = "#0173b2", "#de8f05", "#029e73", "#d55e00"
PURPLE, BROWN, PINK, GREY = "#cc78bc", "#ca9161", "#fbafe4", "#949494"
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
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        if 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5:
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


def shape(ax, *corners, color=GREY, strength=0.2):
    """A filled polygon without an outline."""
    ax.add_patch(Polygon(corners, facecolor=tint(color, strength), linewidth=0))


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


def path(ax, xs, ys, *, color, labels=None, head=14):
    """Steps as dots joined by arrows, on plotted axes.

    `labels`: {step: (words, shift to the right, shift up)}, the shifts in points.
    A step shorter than `head` points has no room for an arrowhead.
    """
    ax.plot(xs, ys, color=color, linewidth=1.2, zorder=3)
    ax.plot(xs, ys, "o", color=color, markersize=5, zorder=4)
    dots = list(zip(xs, ys, strict=True))
    places = ax.transData.transform(dots)
    for step in range(len(dots) - 1):
        if math.dist(places[step], places[step + 1]) >= head:
            look = {"color": color, "width": 1.2, "shrinkB": 3, "zorder": 3}
            arrow(ax, dots[step], dots[step + 1], **look)
    for step, (words, *shift) in (labels or {}).items():
        ax.annotate(
            words,
            dots[step],
            xytext=shift,
            textcoords="offset points",
            ha="center",
            va="center",
            color=ink(color),
            weight="bold",
        )


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


# ------------------------------------------------- 01 Keras building blocks

# The dense network of notebook 01.
DENSE_NET = 784, 512, 512, 10


@figure("Four steps, and what comes after them")
def fig_01_four_steps():
    steps = [
        ("1  data", "samples\nand labels", BLUE),
        ("2  model", "layers and\ntheir weights", GREEN),
        ("3  compile", "loss, optimizer,\nmetrics", PURPLE),
        ("4  fit", "the weights\nlearn", ORANGE),
    ]
    drawing, ax = canvas(214)
    wide, gap, tall = 122, 24, 74
    places = []
    for count, (head, note, color) in enumerate(steps):
        places.append(box(ax, 20 + count * (wide + gap), 20, wide, tall, head, note, color))
    for before, after in zip(places, places[1:], strict=False):
        arrow(ax, before.right, after.left)
    fit, low = places[-1], 134
    predict = box(ax, 20, low, 268, 60, "predict", "new pictures in, answers out")
    evaluate = box(ax, 312, low, 268, 60, "evaluate", "how good on pictures it did not learn from?")
    down = fit.bottom[0], low
    arrow(ax, fit.bottom, down)
    arrow(ax, evaluate.left, predict.right)
    words = [f"{head.split()[1]} ({' '.join(note.split())})" for head, note, _ in steps]
    alt = (
        f"Four steps in a row: {', '.join(words)}. After them, evaluate asks how good the network "
        f"is on pictures it did not learn from, and predict takes new pictures and gives answers."
    )
    return drawing, alt


@figure("The layers of a dense network")
def fig_01_dense_net():
    names = "input", "hidden_1", "hidden_2", "digits"
    notes = "one picture", "ReLU", "ReLU", "softmax"
    colors = GREY, BLUE, BLUE, ORANGE
    drawn = 8, 7, 7, 10  # units drawn of each; a gap stands for the others
    drawing, ax = canvas(316)
    high, low, xs = 78, 250, (76, 226, 376, 526)
    columns = []
    middle = (high + low) / 2
    for x, count, units in zip(xs, drawn, DENSE_NET, strict=True):
        half = (count - 1) * 11 + 7
        ys = np.linspace(middle - half, middle + half, count + 2)
        if units == count:
            ys = np.linspace(high, low, units)
        columns.append([(x, y) for y in ys if units == count or abs(y - middle) > 12])
    for before, after in zip(columns, columns[1:], strict=False):
        for one in before:
            for other in after:
                ax.plot(*zip(one, other, strict=True), color=GREY, linewidth=0.4, zorder=1)
    for column, x, color, units in zip(columns, xs, colors, DENSE_NET, strict=True):
        look = {"markerfacecolor": tint(color, 0.5), "markeredgecolor": color}
        for place in column:
            ax.plot(*place, "o", markersize=11, markeredgewidth=1.4, zorder=3, **look)
        if len(column) == units:
            for unit, (_, y) in enumerate(column):
                write(ax, x + 18, y, str(unit))
            continue
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        write(ax, x, middle, f"… {units} …", zorder=4, bold=True, bbox=white)
    for x, name, note, units in zip(xs, names, notes, DENSE_NET, strict=True):
        write(ax, x, 22, name, bold=True, size=LARGE)
        write(ax, x, 42, note)
        write(ax, x, 282, f"(samples, {units})")
    write(ax, 20, 304, "↑ the shape of what each gives", ha="left", color=DIM)
    alt = (
        f"A network of four columns, each joined to the next by a line from every unit to every "
        f"unit: {DENSE_NET[0]} inputs, the pixels of one picture; {DENSE_NET[1]} units of hidden_1 "
        f"with ReLU; {DENSE_NET[2]} of hidden_2 with ReLU; {DENSE_NET[3]} of digits with softmax. "
        f"What each gives has the shape (samples, {DENSE_NET[0]}), (samples, {DENSE_NET[1]}), "
        f"(samples, {DENSE_NET[2]}) and (samples, {DENSE_NET[3]})."
    )
    return drawing, alt


@figure("Samples, batches, steps and epochs")
def fig_01_epoch(samples=10, batch=4, epochs=2):
    rng = np.random.default_rng(1)
    steps = math.ceil(samples / batch)
    last = samples - (steps - 1) * batch
    drawing, ax = canvas(302)
    side, gap, apart = 34, 4, 26
    write(ax, 20, 20, f"{samples} samples", ha="left", bold=True)
    for number in range(samples):
        x = 120 + number * (side + gap)
        write(ax, *box(ax, x, 6, side, 28, color=BLUE, rounding=3).center, str(number + 1))
    for epoch in range(epochs):
        y = 62 + epoch * 118
        box(ax, 12, y, 576, 104, facecolor="#fafafa", rounding=10)
        write(ax, 24, y + 18, f"epoch {epoch + 1}", ha="left", bold=True, size=LARGE)
        words = "every sample once, shuffled"
        write(ax, 108, y + 18, words, ha="left")
        order, x = rng.permutation(samples) + 1, 24
        for step in range(steps):
            part = order[step * batch : (step + 1) * batch]
            wide = len(part) * side + (len(part) - 1) * gap + 12
            box(ax, x, y + 32, wide, 40, color=GREEN, rounding=5)
            for place, number in enumerate(part):
                spot = x + 6 + place * (side + gap)
                one = box(ax, spot, y + 38, side, 28, color=BLUE, rounding=3)
                write(ax, *one.center, str(number))
            count = epoch * steps + step + 1
            write(ax, x + wide / 2, y + 86, f"step {count}")
            x += wide + apart
        write(ax, 536, y + 52, "each step\nchanges the\nweights once", color=ink(GREEN))
    alt = (
        f"{samples} numbered samples are used in batches of {batch}, for {epochs} epochs. In each "
        f"epoch every sample comes once, shuffled: {steps - 1} batches of {batch} and a last one "
        f"of {last}. Each batch is one step and changes the weights once, so an epoch has {steps} "
        f"steps, and {epochs} epochs have {epochs * steps}."
    )
    return drawing, alt


# ----------------------------------------------------- 02 Convolution by hand

SHADES = {1: BLUE, 0: GREY, -1: ORANGE}  # of a kernel's weights


def _square(ax, x, y, width, height, fill="none", edge=GREY, line=0.8):
    """A rectangle with sharp corners; returns its Box."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    ax.add_patch(Polygon(corners, facecolor=fill, edgecolor=edge, linewidth=line))
    return Box(x, y, width, height)


def _grid(ax, x, y, values, size, color=None):
    """A table of numbers as squares, None an empty one; `color`: a table as large."""
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            shade = color[r][c] if color else GREY
            fill = "white" if shade == GREY else tint(shade, 0.35)
            place = _square(ax, x + c * size, y + r * size, size, size, fill, tint(GREY, 0.7))
            if value is not None:
                write(ax, *place.center, f"{value:g}".replace("-", "−"))


@figure("A kernel of 3 × 3 weights slides over an image of 4 × 4 pixels")
def fig_02_kernel_slides():
    image = np.array([[0, 0, 2, 1], [0, 1, 2, 0], [1, 2, 0, 0], [2, 1, 0, 1]])
    kernel = np.array([[1, 0, -1]] * 3)
    shades = [[SHADES[weight] for weight in row] for row in kernel.tolist()]
    size, wide = 25, 140
    drawing, ax = canvas(410)
    write(ax, 20, 20, "The kernel", ha="left", bold=True, size=LARGE)
    _grid(ax, 20, 36, kernel.tolist(), size, shades)
    words = (
        "Blue pixels are multiplied by 1, orange ones by −1, the rest by 0.\n"
        "The sum of the nine products is the number for this place.\n"
        "Then the kernel moves on by one pixel, and nothing else changes."
    )
    write(ax, 120, 36 + 1.5 * size, words, ha="left")
    done, results = [[None, None], [None, None]], []
    for step, (r, c) in enumerate(np.ndindex(2, 2)):
        x, y = 20 + step * (wide + 5), 132
        patch = image[r : r + 3, c : c + 3]
        results.append(int((patch * kernel).sum()))
        done[r][c] = results[-1]
        colors = [[GREY] * 4 for _ in range(4)]
        for i, j in np.ndindex(3, 3):
            colors[r + i][c + j] = shades[i][j]
        write(ax, x + 2 * size, y, f"Place {step + 1}", bold=True, size=LARGE)
        _grid(ax, x, y + 16, image.tolist(), size, colors)
        _square(ax, x + c * size, y + 16 + r * size, 3 * size, 3 * size, edge=BLACK, line=2.5)
        left, right = (" + ".join(str(n) for n in patch[:, column]) for column in (0, 2))
        low = y + 16 + 4 * size + 20
        write(ax, x + 2 * size, low, f"({left})\n− ({right})")
        equals = f"= {results[-1]}".replace("-", "−")
        write(ax, x + 2 * size, low + 32, equals, bold=True, size=LARGE)
        shown = [[GREEN if n is not None else GREY for n in row] for row in done]
        _grid(ax, x + size, low + 50, done, size, shown)
        _square(ax, x + (1 + c) * size, low + 50 + r * size, size, size, edge=BLACK, line=2.5)
    write(ax, 300, 392, "What comes out, place by place: the feature map", color=ink(GREEN))
    alt = (
        f"A 3 × 3 kernel whose rows are 1, 0, −1 lies on a 4 × 4 image in the four places that it "
        f"can take, drawn side by side. In each place the pixels under its right column are taken "
        f"from those under its left column. That gives {results[0]}, then {results[1]}, then, one "
        f"row down, {results[2]} and {results[3]}: a feature map of 2 × 2 numbers."
    ).replace("-", "−")
    return drawing, alt


def _places(width, kernel, stride, padding):
    """Where a kernel's left edge can stand; the first is −padding."""
    return list(range(-padding, width + padding - kernel + 1, stride))


@figure("Stride and padding: the places that a kernel takes")
def fig_02_stride_padding(width=6, kernel=3):
    cases = [("Stride 1", 1, 0), ("Stride 2", 2, 0), ("Stride 1, padding 1", 1, 1)]
    drawing, ax = canvas(304)
    size, panel, top, said = 18, WIDTH / 3, 70, []
    for number, (head, stride, padding) in enumerate(cases):
        middle = panel * (number + 0.5)
        places = _places(width, kernel, stride, padding)
        left = middle - width * size / 2
        write(ax, middle, 22, head, bold=True, size=LARGE)
        for r, c in np.ndindex(width + 2 * padding, width + 2 * padding):
            x, y = left + (c - padding) * size, top + (r - padding) * size
            inside = all(0 <= place - padding < width for place in (r, c))
            fill = tint(GREY, 0.35) if inside else "white"
            cell = _square(ax, x, y, size, size, fill, tint(GREY, 0.8))
            if not inside:
                write(ax, *cell.center, "0")
        for place, color, inset in ((places[0], BLUE, 0), (places[1], ORANGE, 2)):
            x, y = left + place * size + inset, top + places[0] * size + inset
            side = kernel * size - 2 * inset
            _square(ax, x, y, side, side, edge=color, line=2.5)
        middles = [(place + kernel / 2) * size for place in places]
        for r, c in np.ndindex(len(places), len(places)):
            ax.plot(left + middles[c], top + middles[r], "o", color=BLACK, markersize=3.5)
        unused = width + padding - kernel - places[-1]
        said.append((head.lower(), len(places), unused))
        words = f"{len(places)} × {len(places)} places"
        write(ax, middle, 214, words, bold=True)
        if unused:
            write(ax, middle, 232, "last row and column unused")
    key(ax, 40, 262, BLUE, "the first place")
    key(ax, 170, 262, ORANGE, "the next one")
    ax.plot(300, 262, "o", color=BLACK, markersize=4)
    write(ax, 310, 262, "the middle of a place that is taken", ha="left")
    words = f"Grey: the image, {width} × {width} pixels. White: zeros put around it."
    write(ax, 40, 286, words, ha="left")
    (one, n1, _), (two, n2, unused), (three, n3, _) = said
    assert unused == 1
    alt = (
        f"A {kernel} × {kernel} kernel on an image of {width} × {width} pixels. With {one} it "
        f"moves pixel by pixel and has {n1} × {n1} places. With {two} it moves by two and has "
        f"{n2} × {n2}; the last row and column of the image are never reached. With {three}, a "
        f"frame of zeros around the image, it has {n3} × {n3}, as many as the image has pixels."
    )
    return drawing, alt


def _block(ax, x, y, size, colors, shift=7):
    """Squares one behind the other, the first in front; returns the front's Box."""
    for depth in reversed(range(len(colors))):
        color = colors[depth]
        place = (x + depth * shift, y - depth * shift, size, size)
        front = _square(ax, *place, tint(color, 0.35), ink(color), 1.2)
    return front


@figure("Two filters over a colour image")
def fig_02_colour_depth(width=7, kernel=3, channels=3, filters=2):
    out, weights = width - kernel + 1, kernel * kernel * channels
    drawing, ax = canvas(276)
    for x, head in ((90, "The image"), (310, f"{filters} filters"), (520, "What comes out")):
        write(ax, x, 22, head, bold=True, size=LARGE)
    image = _block(ax, 34, 84, width * 14, [RED, GREEN, BLUE])
    write(ax, 90, 204, f"{width} × {width} × {channels}\nred, green, blue")
    for number, color in enumerate((PURPLE, BROWN)):
        y = 68 + number * 96
        front = _block(ax, 226, y, kernel * 14, [RED, GREEN, BLUE])
        arrow(ax, (156, image.center[1]), (218, front.center[1]))
        words = f"{kernel} × {kernel} × {channels} = {weights} weights\nand 1 bias"
        write(ax, 292, front.center[1] - 4, words, ha="left")
        made = _square(ax, 484, y - 16, out * 14, out * 14, tint(color, 0.35), ink(color), 1.2)
        arrow(ax, (436, front.center[1]), (476, front.center[1]))
        write(ax, *made.center, f"{out} × {out}")
    write(ax, 520, 240, f"together {out} × {out} × {filters}")
    words = f"In each place {weights} products and the bias are added up to one number."
    write(ax, 34, 266, words, ha="left")
    alt = (
        f"A colour image of {width} × {width} × {channels}: red, green and blue. Each of {filters} "
        f"filters has {kernel} × {kernel} × {channels} = {weights} weights, as deep as the image, "
        f"and one bias. In each place the {weights} products and the bias are added up to one "
        f"number, so each filter makes one map of {out} × {out}. The two maps together are "
        f"{out} × {out} × {filters}: the depth that comes out is the number of filters."
    )
    return drawing, alt


# --------------------------------------------------------- 03 Compile and fit

# How notebook 03 uses CIFAR-10.
CIFAR10_GIVEN = 50_000, 10_000
CIFAR10_SPLIT = 40_000, 10_000, 10_000
BATCH, EPOCHS = 32, 10
STEPS = math.ceil(CIFAR10_SPLIT[0] / BATCH)


def descend(gradient, start, rate, steps):
    """Gradient descent on one weight: the weight before and after each step."""
    weights = [start]
    for _ in range(steps):
        weights.append(weights[-1] - rate * gradient(weights[-1]))
    return np.array(weights)


@figure("A learning rate that is too small, right, and too large")
def fig_03_learning_rate():
    best, lowest, start, steps = 2, 1, -2, 8

    def loss(w):
        return (w - best) ** 2 + lowest

    def gradient(w):
        return 2 * (w - best)

    def sides(step):  # the label goes outside the bowl
        return (-9 if step % 2 == 0 else 9), -5

    few = {1: ("1", 9, 7), 2: ("2", 6, 11), steps: (str(steps), 9, 12)}
    runs = [
        ("Too small", 0.02, ORANGE, {steps: (str(steps), -9, -5)}),
        ("About right", 0.25, GREEN, few),
        ("Too large", 1.03, RED, {n: (str(n), *sides(n)) for n in range(1, steps + 1)}),
    ]
    drawing, axes = plots(290, 1, 3, top=50, sharex=True, sharey=True, gridspec_kw={"wspace": 0.1})
    curve = np.linspace(best - 8, best + 8, 150)
    axes[0].set(xlim=(curve[0], curve[-1]), ylim=(0, 47), ylabel="loss")
    ends = []
    for ax, (verdict, rate, color, labels) in zip(axes, runs, strict=True):
        weights = descend(gradient, start, rate, steps)
        losses = loss(weights)
        ends.append(losses[-1])
        ax.plot(curve, loss(curve), color=GREY)
        labels = {0: ("start", -20, -4), **labels}
        path(ax, weights, losses, color=color, labels=labels)
        ax.set(xlabel="weight", xticks=[-4, 0, 4, 8], yticks=range(0, 41, 10))
        change = f"loss {losses[0]:.1f} → {losses[-1]:.1f} in {steps} steps"
        titles(ax, f"{verdict}: {rate}", change, color=color)
    alt = (
        f"Loss against one weight, a bowl, and {steps} steps of gradient descent from "
        f"a loss of {loss(start):.1f} at three learning rates. At {runs[0][1]}, too "
        f"small, short steps reach a loss of only {ends[0]:.1f}. At {runs[1][1]}, "
        f"about right, the steps shorten with the slope and end at the bottom, "
        f"{ends[1]:.1f}. At {runs[2][1]}, too large, each step leaps across the bowl "
        f"and lands higher, at last at {ends[2]:.1f}."
    )
    return drawing, alt


def wave(x):
    """The curve behind the points of the overfitting figure."""
    return np.sin(4 * x) + 0.5 * x


@figure("Underfitting and overfitting")
def fig_03_underfit_overfit(count=18, noise=0.25, seed=164):
    # This seed gives a clear picture; others shift the degrees and are rougher.
    rng = np.random.default_rng(seed)

    def measure():
        x = np.sort(rng.uniform(-1, 1, count))
        return x, wave(x) + rng.normal(0, noise, count)

    train, val = measure(), measure()
    degrees = np.arange(13)
    fits = [Chebyshev.fit(*train, degree, domain=(-1, 1)) for degree in degrees]
    train_loss, val_loss = (
        np.array([np.mean((fit(x) - y) ** 2) for fit in fits]) for x, y in (train, val)
    )
    best, last = int(val_loss.argmin()), int(degrees[-1])
    too_high = val_loss > 1.5 * val_loss[best]
    under, over = degrees[:best][too_high[:best]].max(), degrees[best:][too_high[best:]]
    over = over.min()
    shown = [("Too simple", 1), ("About right", best), ("Too flexible", last)]

    def errors(degree):
        return f"training {train_loss[degree]:.2f}, validation {val_loss[degree]:.2f}"

    drawing, axes = plots(
        500,
        2,
        3,
        left=54,
        top=66,
        gridspec_kw={"hspace": 0.2, "wspace": 0.08, "height_ratios": [1, 1.15]},
    )
    grid = np.linspace(-1, 1, 200)
    for ax, (verdict, degree) in zip(axes[0], shown, strict=True):
        ax.plot(grid, fits[degree](grid), color=BLACK)
        ax.plot(*train, "o", color=TRAINING, markersize=6)
        ax.plot(*val, "D", markerfacecolor="white", color=VALIDATION, markersize=5)
        ax.set(xlim=(-1.08, 1.08), ylim=(-2, 2), xticks=[], yticks=[])
        titles(
            ax,
            f"{verdict}: degree {degree}",
            (f"training error {train_loss[degree]:.2f}", TRAINING),
            (f"validation error {val_loss[degree]:.2f}", VALIDATION),
        )
    write(axes[0, 0], -0.98, 1.5, "training\npoints", color=ink(TRAINING), ha="left")
    place = 0.98, -1.5
    write(axes[0, 0], *place, "validation\npoints", color=ink(VALIDATION), ha="right")

    for ax in axes[1, 1:]:
        ax.remove()
    ax = axes[1, 0]
    ax.set_subplotspec(ax.get_gridspec()[1, :])
    ax.set(yscale="log", xlim=(-0.5, last + 0.5), ylim=(0.012, 2))
    ax.set(xticks=degrees, xlabel="degree of the polynomial: how flexible it is")
    ticks = ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]
    ax.set_yticks([float(tick) for tick in ticks], ticks)
    ax.minorticks_off()
    ax.set_ylabel("mean squared error")
    for name, start, end in (
        ("underfitting", -0.5, under + 0.5),
        ("overfitting", over - 0.5, last + 0.5),
    ):
        ax.axvspan(start, end, color=tint(GREY, 0.25), linewidth=0, zorder=0)
        write(ax, (start + end) / 2, 1.4, name, bold=True)
    ax.plot(degrees, train_loss, "o-", color=TRAINING, markersize=6)
    ax.plot(degrees, val_loss, "D-", mfc="white", color=VALIDATION, markersize=5)
    write(ax, 7, 0.04, "training error", color=ink(TRAINING))
    write(ax, 7, 0.13, "validation error", color=ink(VALIDATION))
    note = best, 0.028
    write(ax, *note, "lowest\nvalidation error", va="top")
    arrow(ax, note, (best, val_loss[best]), shrinkA=5, shrinkB=6, width=1.2)
    alt = (
        f"Polynomials fitted to {count} noisy points, with {count} others to validate. "
        f"Degree {shown[0][1]} is too simple: {errors(shown[0][1])}. Degree {best} is "
        f"about right: {errors(best)}. Degree {last} is too flexible: {errors(last)}. "
        f"Against the degree, training error falls all the way; validation error "
        f"is lowest at degree {best} and far higher at {last}. Up to degree {under} is "
        f"marked underfitting, from {over} overfitting."
    )
    return drawing, alt


@figure("How the images of CIFAR-10 are split")
def fig_03_data_split():
    train, val, test = CIFAR10_SPLIT
    given_train, given_test = CIFAR10_GIVEN
    whole = sum(CIFAR10_SPLIT)
    drawing, ax = canvas(332)
    left, span = 20, WIDTH - 40

    write(ax, left, 18, f"CIFAR-10 as it comes: {whole:,} images", ha="left", bold=True)
    bar(
        ax,
        left,
        30,
        span,
        26,
        [
            (given_train, f"{given_train:,} training", GREY),
            (given_test, f"{given_test:,} test", GREY),
        ],
    )
    words = "The same images as the notebooks use them"
    write(ax, left, 84, words, ha="left", bold=True)
    parts = bar(
        ax,
        left,
        96,
        span,
        44,
        [
            (train, f"{train:,}\ntraining", TRAINING),
            (val, f"{val:,}\nvalidation", VALIDATION),
            (test, f"{test:,}\ntest", TEST),
        ],
    )
    top, tall = 186, 132
    cards = [Box(x, top, wide, tall) for x, wide in ((20, 204), (244, 178), (442, 138))]
    texts = [
        (
            "to learn from",
            "fit changes the\nnetwork's weights so\nthat it does better\non these images",
        ),
        (
            "to ask with",
            "how good is it on\nimages it has not\nlearned from? You\n"
            "choose between\nmodels by these",
        ),
        (
            "once, at the end",
            "the chosen model\nmeets images that\nhad no part in any\n"
            "choice of yours,\nin notebook 09",
        ),
    ]
    colors = TRAINING, VALIDATION, TEST
    for part, card, color, (head, note) in zip(parts, cards, colors, texts, strict=True):
        low, (x, y, wide, _) = part.y + part.height, card
        ends = (part.x + 1, low), (part.x + part.width - 1, low)
        shape(ax, *ends, (x + wide - 5, y), (x + 5, y), color=color, strength=0.12)
        box(ax, *card, color=color, facecolor="white")
        write(ax, x + wide / 2, y + 22, head, bold=True, color=ink(color))
        write(ax, x + wide / 2, y + 40, note, va="top")
    alt = (
        f"CIFAR-10's {whole:,} images come as {given_train:,} given for training and "
        f"{given_test:,} for the test, and are split in three. {train:,} are for training: "
        f"fit changes the network's weights so that it does better on these. {val:,} are for "
        f"validation: they tell how good it is on images it has not learned from, and you "
        f"choose between models by that. {test:,} are for the test: opened once, at the end, "
        f"in notebook 09."
    )
    return drawing, alt


@figure("One training step, one epoch, one fit")
def fig_03_training_loop():
    train, val, _ = CIFAR10_SPLIT
    compiled, given = PURPLE, GREEN
    drawing, ax = canvas(466)
    key(ax, 20, 20, compiled, "chosen in compile: optimizer, loss, metrics")
    key(ax, 330, 20, given, "given to fit: data, batch size, epochs")

    # One step.
    frame = box(ax, 20, 42, 560, 290, facecolor="#fafafa", rounding=10)
    write(ax, 34, 62, "one step", ha="left", bold=True, size=LARGE)
    write(ax, 108, 62, f"with {BATCH} of the {train:,} training images", ha="left")
    tall, high, middle, low = 50, 90, 172, 264
    both = high, middle + tall - high
    batch = box(ax, 34, both[0], 92, both[1], "a batch", color=given)
    write(ax, batch.center[0], high + tall / 2, f"{BATCH} labels")
    write(ax, batch.center[0], middle + tall / 2, f"{BATCH} images")
    model = box(ax, 162, middle, 102, tall, "model", "its weights")
    count = f"10 for each of {BATCH}"
    predictions = box(ax, 298, middle, 112, tall, "predictions", count)
    pair = Box(442, high - 8, 126, both[1] + 16)
    box(ax, *pair, facecolor="white", linestyle=(0, (4, 3)), linewidth=1)
    metrics = box(ax, 450, high, 110, tall, "metrics", "for you to read", compiled)
    loss = box(ax, 450, middle, 110, tall, "loss", "to make small", compiled)
    write(ax, pair.center[0], pair.center[1], "compare", color=DIM)
    gradients = box(ax, 450, low, 110, tall, "gradients", "one per weight")
    optimizer = box(ax, 162, low, 102, tall, "optimizer", "learning rate", compiled)
    arrow(ax, (batch.right[0], metrics.left[1]), (pair.x, metrics.left[1]))
    arrow(ax, (batch.right[0], model.left[1]), model.left)
    arrow(ax, model.right, predictions.left)
    arrow(ax, predictions.right, (pair.x, predictions.right[1]))
    arrow(ax, loss.bottom, gradients.top)
    arrow(ax, gradients.left, optimizer.right)
    write(ax, 357, gradients.left[1] - 13, "which way, how steep")
    arrow(ax, optimizer.top, model.bottom)
    write(ax, 221, (low + middle + tall) / 2, "new weights", ha="left")
    corner = batch.bottom[0], optimizer.left[1]
    arrow(ax, optimizer.left, corner, batch.bottom)
    write(ax, corner[0] + 14, corner[1] + 14, "then the next batch")

    # All epochs.
    wide, strip = frame.width / EPOCHS, 376
    arrow(ax, (frame.x + 20, frame.bottom[1]), (frame.x + 20, strip))
    words = f"{STEPS:,} such steps ({train:,} / {BATCH}) are one epoch; {EPOCHS} epochs are one fit"
    write(ax, 54, 355, words, ha="left")
    for epoch in range(1, EPOCHS + 1):
        parts = (train, str(epoch), TRAINING), (val, "", VALIDATION)
        bar(ax, frame.x + (epoch - 1) * wide, strip, wide, 28, parts)
    key(ax, 20, 424, TRAINING, f"training: {STEPS:,} steps change the weights")
    words = f"validation: loss and metrics of {val:,} images; no weight changes"
    key(ax, 20, 446, VALIDATION, words)
    alt = (
        f"One training step: {BATCH} images go through the model; loss and metrics "
        f"compare its predictions with the labels; the loss gives gradients; from them "
        f"the optimizer makes new weights. {STEPS:,} steps ({train:,} / {BATCH}) are "
        f"an epoch. After each of {EPOCHS} epochs comes validation on {val:,} images, "
        f"with no weight changes. Optimizer, loss and metrics are chosen in compile; "
        f"data, batch size and epochs are given to fit."
    )
    return drawing, alt


# ----------------------------------------------------------------- 04 Dropout


@figure("A network with and without dropout")
def fig_04_dropped_units(inputs=4, hidden=8, outputs=3, rate=0.5, seed=7):
    rng = np.random.default_rng(seed)
    masks = [np.ones(hidden, bool), *(rng.random((2, hidden)) >= rate)]
    heads = ["Prediction", "Training, one step", "Training, the next step"]
    wide, high, gap, top = WIDTH / 3, 26, 60, 84
    drawing, ax = canvas(top + hidden * high + 62)

    def units(count, column, left):
        x = left + wide / 2 + (column - 1) * gap
        first = top + (hidden - count) * high / 2
        return [(x, first + (unit + 0.5) * high) for unit in range(count)]

    counts = []
    for panel, (head, mask) in enumerate(zip(heads, masks, strict=True)):
        left = panel * wide
        before, middle, after = (
            units(count, column, left) for column, count in enumerate((inputs, hidden, outputs))
        )
        alive = [place for place, kept in zip(middle, mask, strict=True) if kept]
        pairs = [(a, b) for a in before for b in alive]
        pairs += [(a, b) for a in alive for b in after]
        for a, b in pairs:
            ax.plot(*zip(a, b, strict=True), color=GREY, linewidth=0.7, zorder=1)
        for place in (*before, *alive, *after):
            color = BLUE if place in alive else GREY
            look = {"markerfacecolor": tint(color, 0.45), "markeredgecolor": color}
            ax.plot(*place, "o", markersize=14, markeredgewidth=1.5, **look)
        for x, y in sorted(set(middle) - set(alive)):
            look = {"markerfacecolor": "white", "markeredgecolor": ORANGE}
            ax.plot(x, y, "o", markersize=14, markeredgewidth=1.2, **look)
            ax.plot(x, y, "x", color=ORANGE, markersize=7, markeredgewidth=1.8)
        dropped = hidden - len(alive)
        scale = 1 / (1 - rate) if panel else 1
        counts.append((dropped, len(pairs)))
        center = left + wide / 2
        write(ax, center, 22, head, bold=True, size=LARGE)
        what = f"{dropped} of {hidden} dropped" if panel else f"all {hidden} units take part"
        write(ax, center, 44, what, color=ink(ORANGE) if panel else BLACK)
        write(ax, center, 62, f"the others × {scale:g}" if panel else "as they are")
        write(ax, center, top + hidden * high + 18, f"{len(pairs)} connections")
    for x in (wide, 2 * wide):
        ax.plot([x, x], [14, top + hidden * high + 24], color=tint(GREY, 0.5), linewidth=1)
    key(ax, 120, top + hidden * high + 46, BLUE, f"units under dropout at rate {rate:g}")
    write(ax, 340, top + hidden * high + 46, "×", color=ink(ORANGE), bold=True, size=LARGE)
    write(ax, 352, top + hidden * high + 46, "dropped: its output is 0", ha="left")
    (_, whole), (one, one_left), (two, two_left) = counts
    alt = (
        f"A network of {inputs}, {hidden} and {outputs} units, drawn three times. When it "
        f"predicts, all {hidden} middle units take part, with {whole} connections. In one "
        f"training step dropout at rate {rate:g} drops {one} of the {hidden}, which leaves "
        f"{one_left} connections; in the next step it drops {two}, others among them, "
        f"which leaves {two_left}. The outputs of those that stay are multiplied by "
        f"{1 / (1 - rate):g}."
    )
    return drawing, alt


# -------------------------------------------------------------- 05 Optimizers


@figure("What each optimizer adds to the one before it")
def fig_05_optimizer_family():
    drawing, ax = canvas(268)
    wide, tall = 122, 66
    x = [14, 164, 314, 464]
    top, middle, low = 14, 101, 188
    sgd = box(ax, x[0], middle, wide, tall, "SGD", "against the slope,\none rate for all", BLUE)
    momentum = box(ax, x[1], top, wide, tall, "momentum", "keeps most of\nits velocity", ORANGE)
    nesterov = box(
        ax, x[2], top, wide, tall, "Nesterov", "takes the slope\nwhere it will be", ORANGE
    )
    adagrad = box(ax, x[1], low, wide, tall, "Adagrad", "divides by size\nof all slopes", GREEN)
    rmsprop = box(ax, x[2], low, wide, tall, "RMSprop", "divides by size\nof recent slopes", GREEN)
    adam = box(ax, x[2] - 36, middle, 92, tall, "Adam", "velocity\nand size", PURPLE)
    adamw = box(ax, x[3], middle, wide, tall, "AdamW", "and decay, kept\napart from both", PURPLE)
    up, down = (sgd.x + wide / 2, sgd.y), (sgd.x + wide / 2, sgd.y + tall)
    arrow(ax, up, (up[0], momentum.left[1]), momentum.left)
    arrow(ax, down, (down[0], adagrad.left[1]), adagrad.left)
    arrow(ax, momentum.right, nesterov.left)
    arrow(ax, adagrad.right, rmsprop.left)
    across = momentum.x + wide - 20
    arrow(ax, (across, top + tall), (across, adam.y + 22), (adam.x, adam.y + 22))
    arrow(ax, (rmsprop.x + 24, low), (rmsprop.x + 24, adam.y + tall))
    arrow(ax, adam.right, adamw.left)
    alt = (
        "A family tree of optimizers. From SGD, which steps against the slope with one rate for "
        "all weights, two branches go out. Momentum keeps most of its velocity; from it comes "
        "Nesterov, which takes the slope where it will be. Adagrad divides by the size of all "
        "slopes so far; from it comes RMSprop, which divides by that of recent ones. Adam joins "
        "momentum and RMSprop. AdamW is Adam with weight decay kept apart."
    )
    return drawing, alt


# --------------------------------------------------- 07 Fighting overfitting


@figure("The four stages of a project")
def fig_07_four_stages():
    epochs, baseline = np.linspace(0, 10, 60), 0.7

    def falling(low, slow):  # from a little above the baseline towards `low`
        return low + (0.8 - low) * np.exp(-epochs / slow)

    turning = falling(0.2, 1.5) + 0.05 * epochs
    stages = [
        ("1  It learns", falling(0.74, 4), None, "training loss\nfalls",
         "another learning\nrate or batch size"),
        ("2  It is of use", falling(0.4, 2.5), falling(0.43, 2.5), "both beat\na baseline",
         "other layers,\nbetter data"),
        ("3  It overfits", falling(0.03, 2), turning, "validation loss\nturns",
         "more units,\nmore epochs"),
        ("4  Regularised", falling(0.2, 2), falling(0.3, 1.7), "validation loss\nstays low",
         "this notebook"),
    ]  # fmt: skip
    drawing, axes = plots(
        316, 1, 4, top=34, bottom=134, left=34, sharey=True, gridspec_kw={"wspace": 0.12}
    )
    axes[0].set_ylabel("loss")
    for ax, (head, training, validation, sign, remedy) in zip(axes, stages, strict=True):
        ax.set(xlim=(0, 10), ylim=(0, 0.9), xticks=[], yticks=[], xlabel="epoch")
        ax.axhline(baseline, color=GREY, linestyle=":")
        ax.plot(epochs, training, color=TRAINING)
        if validation is not None:
            ax.plot(epochs, validation, "--", color=VALIDATION)
        titles(ax, head)
        middle, top = 5, 0.9 / 148  # height of one point in units of the loss
        write(ax, middle, -36 * top, sign, va="top", bold=True)
        write(ax, middle, -76 * top, "how:" if remedy == "this notebook" else "if not, try:",
              va="top")  # fmt: skip
        write(ax, middle, -92 * top, remedy, va="top")
    write(axes[0], 9.8, 0.65, "baseline", ha="right", color=ink(GREY))
    write(axes[2], 9.8, 0.13, "training", ha="right", color=ink(TRAINING))
    write(axes[2], 9.8, 0.4, "validation", ha="right", color=ink(VALIDATION))
    alt = (
        "Loss against epochs in four stages. 1, it learns: training loss falls; if not, "
        "try another learning rate or batch size. 2, it is of use: training and validation "
        "loss beat a baseline; if not, other layers or better data. 3, it overfits: "
        "training loss goes to nothing, validation loss turns and rises; if not, more "
        "units or epochs. 4, regularised: validation loss stays low; how is the subject "
        "of this notebook."
    )
    return drawing, alt


@figure("L1 and L2: penalty, pull, and what they do to a weight")
def fig_07_two_penalties(rate=1 / 16, steps=24):
    weights = np.linspace(-1.5, 1.5, 121)
    left, right = weights[weights < 0], weights[weights > 0]
    one, two = [1.0], [1.0]  # a weight that only its penalty moves, lambda = 1
    for _ in range(steps):
        one.append(one[-1] - rate * np.sign(one[-1]))
        two.append(two[-1] - rate * 2 * two[-1])
    gone = one.index(0)
    drawing, axes = plots(250, 1, 3, top=32, left=34, gridspec_kw={"wspace": 0.28})
    ax = axes[0]
    ax.plot(weights, abs(weights), color=ORANGE)
    ax.plot(weights, weights**2, color=PURPLE)
    ax.set(xlabel="weight", xticks=[-1, 0, 1], yticks=[0, 1, 2], ylim=(-0.05, 2.3))
    titles(ax, "Penalty")
    write(ax, 0, 1.9, "L1: |w|", color=ink(ORANGE))
    write(ax, 0, 1.6, "L2: w²", color=ink(PURPLE))
    ax = axes[1]
    ax.plot(left, np.sign(left), color=ORANGE)
    ax.plot(right, np.sign(right), color=ORANGE)
    ax.plot(weights, 2 * weights, color=PURPLE)
    ax.set(xlabel="weight", xticks=[-1, 0, 1], yticks=[-2, 0, 2], ylim=(-3.2, 3.2))
    titles(ax, "Its slope: the pull")
    write(ax, -0.8, 0.4, "L1: ±1", color=ink(ORANGE))
    write(ax, 0.55, 2.3, "L2: 2w", color=ink(PURPLE))
    ax = axes[2]
    ax.plot(range(steps + 1), one, "o", color=ORANGE, markersize=4)
    ax.plot(range(steps + 1), two, "o", color=PURPLE, markersize=4)
    ax.set(xlabel="step", xticks=[0, 8, 16, 24], yticks=[0, 1], ylim=(-0.05, 1.1))
    titles(ax, "A weight left to it")
    write(ax, 11, 0.62, "L1: to nothing", ha="left", color=ink(ORANGE))
    write(ax, 15, 0.27, "L2: never\nquite", ha="left", color=ink(PURPLE))
    alt = (
        "Three panels compare L1 with L2, both with lambda 1. Penalty against weight: L1 "
        "is a V, the weight without its sign; L2 a bowl, its square. Slope: L1 pulls with "
        "strength 1 however small the weight, L2 with twice the weight. A weight of 1 "
        f"moved by its penalty alone, at learning rate {rate:g}: under L1 it is exactly 0 "
        f"after {gone} steps; under L2 it is still {two[gone]:.2f} then, and never 0."
    )
    return drawing, alt


# ----------------------------------------------------------- 08 Boston: K-fold

BOSTON_ROWS = 404, 102
FOLDS = 4


def _folds(ax, x, y, width, height, held_out):
    """The training rows as a bar of folds, the held-out one in the validation colour."""
    size = BOSTON_ROWS[0] // FOLDS
    parts = [(size, f"{size} train", TRAINING)] * FOLDS
    parts[held_out] = size, f"{size} validate", VALIDATION
    return bar(ax, x, y, width, height, parts)


@figure("K-fold: every row validates once")
def fig_08_k_fold():
    train, test = BOSTON_ROWS
    size = train // FOLDS
    drawing, ax = canvas(322)
    x, width, tall, gap = 76, 360, 34, 46
    write(ax, x + width / 2, 20, f"{train} training rows in {FOLDS} folds", bold=True)
    write(ax, 536, 20, f"{test} test rows", bold=True)
    closed = box(ax, 504, 38, 76, 3 * gap + tall, color=TEST)
    write(ax, *closed.center, "closed\nuntil the\nend")
    for i in range(FOLDS):
        y = 38 + i * gap
        write(ax, 20, y + tall / 2, f"fold {i + 1}", ha="left", bold=True)
        _folds(ax, x, y, width, tall, i)
        write(ax, 444, y + tall / 2, f"MAE {i + 1}", ha="left")
    low = 38 + (FOLDS - 1) * gap + tall
    mean = box(ax, 388, low + 44, 156, 42, "mean of the four", "the K-fold score", color=GREEN)
    arrow(ax, (466, low - 4), (466, mean.y))
    key(ax, x, low + 54, TRAINING, "a new model is trained on these three")
    key(ax, x, low + 76, VALIDATION, "and measured on the fourth")
    alt = (
        f"Boston's {train} training rows are cut into {FOLDS} folds of {size}. In each of "
        f"{FOLDS} rounds another fold validates and a new model is trained on the other "
        f"{train - size} rows, so every row validates exactly once. Each round gives one MAE; "
        f"the mean of the {FOLDS} is the K-fold score. The {test} test rows stay closed until "
        f"the end."
    )
    return drawing, alt


@figure("Where the mean and the standard deviation may come from")
def fig_08_leak():
    train = BOSTON_ROWS[0]
    size = train // FOLDS
    drawing, ax = canvas(372)
    x, width, tall = 20, 340, 32
    panels = (
        (20, "Leak: the yardstick is made from everything", train, RED),
        (206, "No leak: the yardstick is made from the training rows", train - size, GREEN),
    )
    for y, head, rows, color in panels:
        write(ax, x, y, head, ha="left", bold=True, size=LARGE, color=ink(color))
        parts = _folds(ax, x, y + 18, width, tall, 0)
        first = parts[0 if rows == train else 1].x + 3
        last, under = x + width - 3, y + 18 + tall + 12
        ax.plot([first, first, last, last], [under - 6, under, under, under - 6], color=color)
        middle = (first + last) / 2
        made = box(ax, middle - 88, under + 24, 176, 44, "mean, std", f"of {rows} rows", color)
        arrow(ax, (middle, under), made.top, color=color)
        scaled = box(ax, 424, y + 18, 156, tall, note="(rows − mean) / std")
        arrow(ax, (x + width, scaled.left[1]), scaled.left)
        corner = scaled.bottom[0], made.right[1]
        arrow(ax, made.right, corner, scaled.bottom, color=color)
        write(ax, corner[0], corner[1] + 20, "scales all rows", color=DIM)
    alt = (
        f"Two ways to standardise {train} rows in {FOLDS} folds. With a leak, mean and standard "
        f"deviation are computed from all {train} rows, the {size} that validate among them. "
        f"Without a leak they are computed from the {train - size} training rows alone. Both "
        f"times they then scale all the rows."
    )
    return drawing, alt


# ---------------------------------------------------- 09 Evaluate and predict


@figure("Four counts, and which of them each ratio divides by")
def fig_09_four_counts(tp=10, fn=8, fp=22, tn=60):
    drawing, ax = canvas(330)
    left, high, wide, tall, gap = 150, 70, 120, 70, 8
    write(ax, left + wide + gap / 2, 20, "what the model says", bold=True)
    for column, words in enumerate(("tumour", "no tumour")):
        write(ax, left + column * (wide + gap) + wide / 2, 46, words)
    names = (
        (("true positives", tp), ("false negatives", fn)),
        (
            ("false positives", fp),
            ("true negatives", tn),
        ),
    )
    write(ax, 20, 46, "what is true", ha="left", bold=True)
    rows = []
    for row, (words, counts) in enumerate(zip(("tumour", "no tumour"), names, strict=True)):
        y = high + row * (tall + gap)
        write(ax, 20, y + tall / 2, words, ha="left")
        for column, (name, count) in enumerate(counts):
            color = GREEN if row == column else ORANGE
            place = box(ax, left + column * (wide + gap), y, wide, tall, color=color)
            write(ax, place.center[0], place.center[1] - 12, str(count), size=LARGE, bold=True)
            write(ax, place.center[0], place.center[1] + 12, name)
        rows.append(y)
    ratios = {"recall": (tp, fn), "specificity": (tn, fp), "precision": (tp, fp)}
    shares = {name: top / (top + other) for name, (top, other) in ratios.items()}
    end = left + 2 * wide + gap
    for y, name, (top, other) in zip(rows, ratios, ratios.values(), strict=False):
        _bracket(ax, (end + 10, y + 4), (end + 10, y + tall - 4), 8, 0, BLUE)
        first, second = (top, other) if name == "recall" else (other, top)
        words = f"{top} / ({first} + {second}) = {shares[name]:.1%}"
        write(ax, end + 28, y + tall / 2 - 10, name, ha="left", bold=True, color=ink(BLUE))
        write(ax, end + 28, y + tall / 2 + 10, words, ha="left")
    under = rows[1] + tall + 10
    _bracket(ax, (left + 4, under), (left + wide - 4, under), 0, 8, PURPLE)
    words = f"{tp} / ({tp} + {fp}) = {shares['precision']:.2%}"
    write(ax, left, under + 26, "precision", ha="left", bold=True, color=ink(PURPLE))
    write(ax, left, under + 46, words, ha="left")
    note = "A row asks about those who have it, or not; a column about those said to have it."
    write(ax, 20, 315, note, ha="left", color=DIM)
    alt = (
        f"The four counts of {tp + fn + fp + tn} scans. Row tumour: {tp} true positives, {fn} "
        f"false negatives; recall is {tp} of this row’s {tp + fn}, {shares['recall']:.1%}. Row no "
        f"tumour: {fp} false positives, {tn} true negatives; specificity is {tn} of this row’s "
        f"{fp + tn}, {shares['specificity']:.1%}. Column said to have a tumour: {tp} and {fp}; "
        f"precision is {tp} of this column’s {tp + fp}, {shares['precision']:.2%}."
    )
    return drawing, alt


def _bracket(ax, start, end, right, down, color):
    """A bracket from start to end, its back shifted by so much to the right and down."""
    xs = [start[0], start[0] + right, end[0] + right, end[0]]
    ys = [start[1], start[1] + down, end[1] + down, end[1]]
    ax.plot(xs, ys, color=color, linewidth=1.6)


# ------------------------------------------------------------ 06 IMDB reviews

# Ids of some words in IMDB's vocabulary of 10,000.
WORD_IDS = {"start": 1, "a": 6, "is": 9, "it": 12, "film": 22, "not": 24, "good": 52, "bad": 78}


@figure("Reviews as rows of zeros and ones")
def fig_06_multi_hot():
    reviews = ["it is not bad it is good", "it is not good it is bad", "a good film"]
    bags = [{"start", *review.split()} for review in reviews]
    drawing, ax = canvas(236)
    left, high, tall, wide, gap = 196, 76, 34, 33, 16
    write(ax, 20, 22, "the review", ha="left", bold=True)
    write(ax, left, 22, "its row: one column for each of 10,000 ids", ha="left", bold=True)
    write(ax, 20, 64, "id", ha="left", color=DIM)
    for row, (review, bag) in enumerate(zip(reviews, bags, strict=True)):
        y = high + row * (tall + 12)
        write(ax, 20, y + tall / 2, review, ha="left")
        for column, (word, number) in enumerate(WORD_IDS.items()):
            x, there = left + column * (wide + gap), word in bag
            place = box(
                ax, x, y, wide, tall, color=BLUE if there else GREY, rounding=0, linewidth=0
            )
            write(ax, *place.center, str(int(there)), bold=there)
            write(ax, x + wide + gap / 2, y + tall / 2, "…", color=DIM)
            if row == 0:
                write(ax, place.center[0], 48, word)
                write(ax, place.center[0], 64, str(number), color=DIM)
    note = "The first two say opposite things, and have the same row: the order of words is lost."
    write(ax, 20, high + 3 * (tall + 12) + 10, note, ha="left")
    assert bags[0] == bags[1] != bags[2]
    ones = [[str(number) for word, number in WORD_IDS.items() if word in bag] for bag in bags]
    alt = (
        f"Three short reviews and their rows of 10,000 zeros and ones. “{reviews[0]}” has a "
        f"1 in the columns {', '.join(ones[0])} and 0 elsewhere. “{reviews[1]}” has its 1s "
        f"in the same columns, so the same row, though it says the opposite. "
        f"“{reviews[2]}” has its 1s in the columns {', '.join(ones[2])}."
    )
    return drawing, alt


# ----------------------------------------------------- 10 Beyond ninety percent


def _shape_label(size, channels):
    return f"{size} × {size} × {channels}"


@figure("A residual block, for equal shapes and for different ones")
def fig_10_residual_block(size=16, channels=64, filters=128):
    drawing, ax = canvas(322)
    panels = (
        (10, "without a skip", None, channels),
        (206, "with a skip", False, channels),
        (402, "… to another shape", True, filters),
    )
    wide, tall = 104, 34
    for left, head, project, after in panels:
        middle = left + 48 + wide / 2
        write(ax, middle, 18, head, bold=True, size=LARGE)
        write(ax, middle, 46, _shape_label(size, channels))
        arrow(ax, (middle, 56), (middle, 82))
        layers = [(f"{after} filters 3 × 3", BLUE), ("normalise, ReLU", PURPLE)]
        for count, (words, color) in enumerate(layers):
            y = 82 + count * 62
            box(ax, middle - 56, y, 112, tall, color=color)
            write(ax, middle, y + tall / 2, words)
            arrow(ax, (middle, y + tall), (middle, y + 62 - (0 if count == 0 else 4)))
        join = 82 + 2 * 62 + 10
        if project is None:
            write(ax, middle, join + 8, "f(x)", bold=True, size=LARGE)
            write(ax, middle, join + 60, _shape_label(size, after))
            arrow(ax, (middle, join + 22), (middle, join + 48))
            continue
        ax.plot(middle, join, "o", markersize=22, markerfacecolor=tint(GREEN, 0.3),
                markeredgecolor=GREEN, markeredgewidth=1.5)  # fmt: skip
        write(ax, middle, join, "+", bold=True, size=LARGE)
        around = left + 8
        ends = (middle, 66), (around, 66), (around, join), (middle - 12, join)
        arrow(ax, *ends, color=GREEN, width=2.4)
        if project:
            box(ax, around - 8, 120, 42, 50, color=ORANGE, facecolor=tint(ORANGE, 0.3))
            write(ax, around + 13, 145, f"{after} of\n1 × 1")
        words = "x + f(x)" if not project else "g(x) + f(x)"
        write(ax, middle + 20, join + 1, words, bold=True, ha="left")
        arrow(ax, (middle, join + 12), (middle, join + 48))
        write(ax, middle, join + 60, _shape_label(size, after))
    extra = channels * filters + filters
    write(ax, 20, 308, f"f: what the block learns      g: {filters} filters of 1 × 1, "
          f"{extra:,} parameters, only where shapes differ", ha="left", color=DIM)  # fmt: skip
    same = _shape_label(size, channels)
    alt = (
        f"Three stretches of a network. Without a skip, {same} numbers x go through {channels} "
        f"filters of 3 × 3, are normalised and pass ReLU: f(x). With a skip, x also goes around "
        f"them on a second path and is added: x + f(x), which takes equal shapes. With {filters} "
        f"filters, f(x) has the shape {_shape_label(size, filters)}; then {filters} filters of "
        f"1 × 1 on the second path, {extra:,} parameters, bring x to it: g(x) + f(x)."
    )
    return drawing, alt


@figure("The residual network of this notebook, from image to answer")
def fig_10_residual_net(stem=24, widths=(64, 192, 256), classes=10):
    drawing, ax = canvas(232)
    size, middle, x = 32, 80, 14
    alt = [f"From left to right: an image of {_shape_label(size, 3)}"]
    stages = [("the image", size, 3, GREY)]
    size -= 1  # the first filters, of 2 × 2, have no border
    stages.append((f"{stem} filters", size, stem, BLUE))
    for width in widths:
        size //= 2
        stages.append((f"{width} filters", size, width, BLUE))
    last = None
    for count, (words, size, channels, color) in enumerate(stages):
        side = 38 + 0.7 * size
        place = box(ax, x, middle - side / 2, side, side, color=color, rounding=3)
        write(ax, place.center[0], middle - 8, str(channels), bold=True, size=LARGE)
        write(ax, place.center[0], middle + 9, f"{size} × {size}")
        low = middle + 48
        write(ax, place.center[0], low, words)
        if last is not None:
            arrow(ax, (last.right[0] + 2, middle), (x - 2, middle))
        end = place
        if count > 1:
            write(ax, place.center[0], low + 17, "and pooling")
            end = box(ax, x + side + 18, middle - side / 2, side, side, color=GREEN, rounding=3)
            write(ax, end.center[0], middle, "+", bold=True, size=LARGE)
            arrow(ax, (place.right[0] + 2, middle), (end.x - 2, middle))
            top = middle - side / 2
            route = (place.center[0], top), (place.center[0], top - 24), (end.center[0], top - 24)
            arrow(ax, *route, (end.center[0], top - 1), color=GREEN, width=2.4)
            alt.append(
                f"{words} and pooling leave {_shape_label(size, channels)}, and a residual block "
                f"keeps that shape"
            )
        elif count:
            alt.append(f"{stem} filters of 2 × 2 make it {_shape_label(size, channels)}")
        last, x = end, end.right[0] + 14
    arrow(ax, (last.right[0] + 2, middle), (x - 2, middle))
    place = box(ax, x, middle - 19, 38, 38, color=PURPLE, rounding=3)
    write(ax, *place.center, str(classes), bold=True, size=LARGE)
    write(ax, place.center[0], middle + 48, "classes")
    key(ax, 20, 176, BLUE, "3 × 3 convolution (the first 2 × 2), batch normalisation, ReLU")
    key(ax, 430, 176, GREEN, "once more, added to x")
    words = f"the largest number of each of the {widths[-1]} maps, Dense {classes}, divided by 8"
    key(ax, 20, 202, PURPLE, f"{words}, softmax")
    alt.append(
        f"the largest number of each of the {widths[-1]} maps goes to a dense layer of {classes}, "
        f"whose results are divided by 8 before softmax"
    )
    return drawing, "; ".join(alt) + "."


# ------------------------------------------------------------------ 11 Tuning


@figure("Grid and random search, when one knob matters")
def fig_11_grid_random(side=3, seed=5):
    def score(x):
        return 0.08 + 0.9 * np.exp(-(((x - 0.3) / 0.11) ** 2))

    count = side * side
    even = (np.arange(side) + 0.5) / side
    lot = np.random.default_rng(seed)
    # One point in each of `count` strips, so that no drawing looks unlucky.
    drawn = (lot.permutation(count) + lot.random(count)) / count
    points = {
        "Grid": (np.tile(even, side), np.repeat(even, side), BLUE),
        "Random": (drawn, lot.random(count) * 0.9 + 0.05, ORANGE),
    }
    spec = {"height_ratios": [1, 2.2], "wspace": 0.14, "hspace": 0.06}
    drawing, axes = plots(330, 2, 2, left=34, top=30, bottom=32, gridspec_kw=spec)
    line = np.linspace(0, 1, 201)
    tried, best = {}, {}
    for column, (name, (x, y, color)) in enumerate(points.items()):
        over, under = axes[:, column]
        tried[name], best[name] = len(set(x)), score(x).max()
        over.plot(line, score(line), color=GREY)
        over.plot(x, score(x), "o", color=color, markersize=6)
        over.set(xlim=(0, 1), ylim=(0, 1.15), xticks=[], yticks=[])
        under.vlines(x, y, 1, color=color, linewidth=0.8, alpha=0.6)
        under.plot(x, y, "o", color=color, markersize=7)
        under.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], xlabel="the knob that matters")
        titles(over, f"{name}: {count} trials, {tried[name]} values")
    axes[0, 0].set_ylabel("score")
    axes[1, 0].set_ylabel("the other knob")
    alt = (
        f"Two squares with {count} trials each, and above each the score, which depends on the "
        f"knob along the bottom alone and has one narrow peak. The grid tries {tried['Grid']} "
        f"values of that knob and its best score is {best['Grid']:.2f}. The random trials try "
        f"{tried['Random']} values and reach {best['Random']:.2f}; the peak is 0.98."
    )
    return drawing, alt


# ---------------------------------------------------------- 12 Custom training


@figure("Plain fit and one compiled program")
def fig_12_one_program(folds=4, epochs=100, steps=303):
    total = folds * epochs * steps
    drawing, ax = canvas(304)
    wide, left, right = 262, 20, 318
    for x, head in ((left, "Plain fit: a loop in Python"), (right, "One compiled program")):
        write(ax, x + wide / 2, 22, head, bold=True, size=LARGE)
        box(ax, x, 44, wide, 34, "Python", color=ORANGE)

    small, gap, low = 34, 18, 146
    for count in range(5):
        x = left + 2 + count * (small + gap)
        place = box(ax, x, low, small, 34, "step", color=BLUE)
        for way, shift in ((1, -7), (-1, 7)):
            ends = [(place.top[0] + shift, 80), (place.top[0] + shift, low - 2)][::way]
            arrow(ax, *ends)
    write(ax, left + wide - 4, low + 17, "…", size=LARGE)
    write(ax, left + wide / 2, low + 78, "each step alone, one fold after the other")
    write(ax, left + wide / 2, 284, f"{total:,} times there and back", bold=True)

    lanes, high, top = [], 22, 112
    box(ax, right, top, wide, folds * high + 60, color=BLUE)
    arrow(ax, (right + 20, 80), (right + 20, top - 2))
    arrow(ax, (right + wide - 20, top - 2), (right + wide - 20, 80))
    for fold in range(folds):
        y = top + 20 + fold * high
        xs = right + 64 + np.arange(9) * 19
        write(ax, right + 12, y, f"fold {fold + 1}", ha="left")
        ax.plot(xs, np.full(9, y), color=BLUE, linewidth=1.2)
        ax.plot(xs, np.full(9, y), "o", color=BLUE, markersize=5)
        write(ax, right + wide - 18, y, "…", size=LARGE)
        lanes.append(y)
    across = "scan: one step after the other  →"
    write(ax, right + wide / 2, lanes[-1] + 28, across)
    write(ax, right + wide / 2, lanes[-1] + 48, "vmap: every step for all the folds at once")
    write(ax, right + wide / 2, 284, "once there and back", bold=True)
    alt = (
        f"Two ways to train {folds} folds, {epochs} epochs of {steps} steps each. With plain "
        f"fit: each step is started from Python and comes back to it, one fold after the other, "
        f"{total:,} times there and back. As one compiled program: Python starts it once and gets "
        f"everything back once; inside, scan takes one step after the other, and vmap takes every "
        f"step for all {folds} folds at once."
    )
    return drawing, alt


# --------------------------------------------------------------- command line


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="without it: all")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR")
    parser.add_argument("--alt", action="store_true", help="print alternative texts")
    options = parser.parse_args()
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
    main()
