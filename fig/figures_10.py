"""The diagrams of notebook 10, Beyond ninety percent."""

from drawing import (
    BLUE,
    DIM,
    GREEN,
    GREY,
    LARGE,
    ORANGE,
    PURPLE,
    arrow,
    box,
    canvas,
    figure,
    ink,
    key,
    tint,
    write,
)


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
        write(ax, middle, 46, f"x:  {_shape_label(size, channels)}")
        arrow(ax, (middle, 56), (middle, 82))
        layers = [(f"{after} filters 3 × 3", BLUE), ("normalise, GELU", PURPLE)]
        for count, (words, color) in enumerate(layers):
            y = 82 + count * 62
            box(ax, middle - 56, y, 112, tall, color=color)
            write(ax, middle, y + tall / 2, words)
            arrow(ax, (middle, y + tall), (middle, y + 62 - (0 if count == 0 else 4)))
        edge, low = middle + 60, 82 + 62 + tall
        ax.plot([edge, edge + 6, edge + 6, edge], [82, 82, low, low], color=BLUE, linewidth=1.5)
        write(ax, edge + 11, (82 + low) / 2, "f", bold=True, size=LARGE, color=BLUE, ha="left")
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
            write(ax, around + 13, 182, "g", bold=True, size=LARGE, color=ink(ORANGE))
        else:
            write(ax, around - 2, 110, "x", bold=True, size=LARGE, ha="right", color=ink(GREEN))
        words = "x + f(x)" if not project else "g(x) + f(x)"
        write(ax, middle + 20, join + 1, words, bold=True, ha="left")
        arrow(ax, (middle, join + 12), (middle, join + 48))
        write(ax, middle, join + 60, _shape_label(size, after))
    extra = channels * filters + filters
    write(ax, 20, 308, f"f: the two layers      g: {filters} filters of 1 × 1, "
          f"{extra:,} parameters, only where shapes differ", ha="left", color=DIM)  # fmt: skip
    same = _shape_label(size, channels)
    alt = (
        f"Three stretches of a network. Without a skip, {same} numbers x go through {channels} "
        f"filters of 3 × 3, are normalised and pass GELU; the two layers are called f, "
        f"and f(x) comes out. With a skip, x also goes around f on a second path and is added: "
        f"x + f(x), which takes equal shapes. With {filters} "
        f"filters, f(x) has the shape {_shape_label(size, filters)}; then {filters} filters of "
        f"1 × 1 on the second path, called g, {extra:,} parameters, bring x to it: g(x) + f(x)."
    )
    return drawing, alt


@figure("The residual network of this notebook, from image to answer")
def fig_10_residual_net(stem=24, widths=(64, 256, 256), classes=10):
    drawing, ax = canvas(246)
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
            alt.append(f"{stem} frozen filters of 2 × 2 make it {_shape_label(size, channels)}")
        last, x = end, end.right[0] + 14
    arrow(ax, (last.right[0] + 2, middle), (x - 2, middle))
    place = box(ax, x, middle - 19, 38, 38, color=PURPLE, rounding=3)
    write(ax, *place.center, str(classes), bold=True, size=LARGE)
    write(ax, place.center[0], middle + 48, "classes")
    words = (
        "3 × 3 convolution, batch normalisation, GELU (the first: 2 × 2, frozen, not normalised)"
    )
    key(ax, 20, 176, BLUE, words)
    key(ax, 20, 200, GREEN, "the same without pooling, added to x")
    words = f"the largest number of each of the {widths[-1]} maps, Dense {classes}, divided by 72"
    key(ax, 20, 224, PURPLE, f"{words}, softmax")
    alt.append(
        f"the largest number of each of the {widths[-1]} maps goes to a dense layer of {classes}, "
        f"whose results are divided by 72 before softmax"
    )
    return drawing, "; ".join(alt) + "."
