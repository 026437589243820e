"""The diagrams of notebook 04, Dropout."""

import numpy as np

from drawing import BLACK, BLUE, GREY, LARGE, ORANGE, WIDTH, canvas, figure, ink, key, tint, write


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
