"""The diagrams of notebook 01, Keras building blocks."""

import math

import numpy as np

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
    tint,
    write,
)

# The dense network of notebook 01.
DENSE_NET = 784, 512, 512, 10


@figure("Four steps, and what comes after them")
def fig_01_four_steps():
    steps = [
        ("1  data", "samples\nand labels", BLUE),
        ("2  model", "layers and\ntheir weights", GREEN),
        ("3  compile", "loss, optimizer,\nmetrics", PURPLE),
        ("4  fit", "the weights\nare learned", ORANGE),
    ]
    drawing, ax = canvas(214)
    wide, gap, tall = 122, 24, 74
    places = []
    for count, (head, note, color) in enumerate(steps):
        places.append(box(ax, 20 + count * (wide + gap), 20, wide, tall, head, note, color))
    for before, after in zip(places, places[1:], strict=False):
        arrow(ax, before.right, after.left)
    fit, low = places[-1], 134
    predict = box(ax, 20, low, 268, 60, "predict", "new images in, answers out")
    box(ax, 312, low, 268, 60, "evaluate", "how good on images it did not learn from?")
    down = fit.bottom[0], low
    arrow(ax, fit.bottom, down)
    arrow(ax, (fit.bottom[0] - 40, fit.bottom[1]), (predict.right[0] - 60, low))
    words = [f"{head.split()[1]} ({' '.join(note.split())})" for head, note, _ in steps]
    alt = (
        f"Four steps in a row: {', '.join(words)}. After them, evaluate asks how good the network "
        f"is on images it did not learn from, and predict takes new images and gives answers."
    )
    return drawing, alt


@figure("The layers of a dense network")
def fig_01_dense_net():
    names = "input", "hidden_1", "hidden_2", "digits"
    notes = "one image", "ReLU", "ReLU", "softmax"
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
        f"unit: {DENSE_NET[0]} inputs, the pixels of one image; {DENSE_NET[1]} units of hidden_1 "
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
