"""The diagrams of notebook 02, Convolution by hand."""

import numpy as np
from matplotlib.patches import Polygon

from drawing import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    LARGE,
    ORANGE,
    PURPLE,
    RED,
    WIDTH,
    Box,
    arrow,
    canvas,
    figure,
    ink,
    key,
    tint,
    write,
)

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


@figure("The receptive field grows: convolution, pooling, convolution")
def fig_02_receptive_field():
    layers = [  # name, numbers in the row, how many of the row below each takes, how far apart
        ("the image", 8, 0, 0, GREY),
        ("convolution", 6, 3, 1, BLUE),
        ("pooling", 3, 2, 2, ORANGE),
        ("convolution", 1, 3, 1, GREEN),
    ]
    size, high, base, left = 34, 66, 252, 120
    drawing, ax = canvas(300)
    below, spans, said = None, None, []
    for level, (name, count, takes, apart, color) in enumerate(layers):
        y = base - level * high
        if below is None:
            middles = [left + (i + 0.5) * size for i in range(count)]
            spans = [(i, i + 1) for i in range(count)]
        else:
            groups = [list(range(apart * i, apart * i + takes)) for i in range(count)]
            middles = [float(np.mean([below[g] for g in group])) for group in groups]
            for middle, group in zip(middles, groups, strict=True):
                for g in group:
                    ax.plot([middle, below[g]], [y + 13, y + high - 13], color=tint(color, 0.6))
            spans = [(spans[group[0]][0], spans[group[-1]][1]) for group in groups]
        seen = spans[0][1] - spans[0][0]
        for middle in middles:
            _square(ax, middle - 13, y - 13, 26, 26, tint(color, 0.35), color, 1.2)
        write(ax, 20, y, name, ha="left", bold=True, color=ink(color))
        grown = "" if level < 2 else f"{said[-1]} + {seen - said[-1]} = "
        words = "one pixel each" if level == 0 else f"sees {grown}{seen} pixels"
        write(ax, left + 8 * size + 24, y, words, ha="left")
        said.append(seen)
        below = middles
    _, conv, pool, last = said
    alt = (
        f"Four rows, one above the other: 8 pixels of an image, 6 results of a convolution, 3 of "
        f"pooling, 1 of another convolution, each joined to those that it is made of. One result "
        f"of the first convolution sees {conv} pixels, one of the pooling {conv} + {pool - conv} = "
        f"{pool}, that of the second convolution {pool} + {last - pool} = {last}."
    )
    return drawing, alt
