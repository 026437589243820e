"""The diagrams of notebook 11, Tuning."""

import numpy as np

from drawing import BLUE, GREY, ORANGE, figure, plots, titles


@figure("Grid and random search, when one knob matters")
def fig_11_grid_random(side=3, seed=4):
    def error(x):
        return 0.95 - 0.85 * np.exp(-(((x - 0.33) / 0.09) ** 2))

    count = side * side
    even = (np.arange(side) + 0.5) / side
    rng = np.random.default_rng(seed)
    points = {
        "Grid": (np.tile(even, side), np.repeat(even, side), BLUE),
        "Random": (rng.random(count), rng.random(count), ORANGE),
    }
    spec = {"height_ratios": [1, 2.2], "wspace": 0.14, "hspace": 0.06}
    drawing, axes = plots(330, 2, 2, left=34, top=30, bottom=32, gridspec_kw=spec)
    line = np.linspace(0, 1, 201)
    tried, best = {}, {}
    for column, (name, (x, y, color)) in enumerate(points.items()):
        over, under = axes[:, column]
        tried[name], best[name] = len(set(x)), error(x).min()
        over.plot(line, error(line), color=GREY)
        over.plot(x, error(x), "o", color=color, markersize=6)
        over.set(xlim=(-0.03, 1.03), ylim=(0, 1.1), xticks=[], yticks=[])
        under.vlines(x, y, 1.03, color=color, linewidth=0.8, alpha=0.6)
        under.plot(x, y, "o", color=color, markersize=7)
        under.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[], yticks=[])
        under.set_xlabel("the knob that matters")
        titles(over, f"{name}: {count} trials, {tried[name]} values")
    axes[0, 0].set_ylabel("error")
    axes[1, 0].set_ylabel("the other knob")
    alt = (
        f"Two squares with {count} trials each, and above each the error, which depends on the "
        f"knob along the bottom alone and has one narrow valley, down to 0.10. The grid tries "
        f"{tried['Grid']} values of that knob; its lowest error is {best['Grid']:.2f}. Drawn at "
        f"random, {tried['Random']} values are tried, and the lowest error is {best['Random']:.2f}."
    )
    return drawing, alt
