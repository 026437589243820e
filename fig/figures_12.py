"""The diagrams of notebook 12, Custom training."""

import numpy as np

from drawing import BLUE, LARGE, ORANGE, arrow, box, canvas, figure, write


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
