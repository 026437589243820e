"""The diagrams of notebook 11, Tuning."""

import numpy as np

from drawing import BLUE, GREY, ORANGE, figure, plots, titles


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
