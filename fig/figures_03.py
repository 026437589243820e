"""The diagrams of notebook 03, Compile and fit."""

import math

import numpy as np
from matplotlib.patches import Polygon
from numpy.polynomial import Chebyshev

from drawing import (
    BLACK,
    DIM,
    GREEN,
    GREY,
    LARGE,
    ORANGE,
    PURPLE,
    RED,
    TEST,
    TRAINING,
    VALIDATION,
    WIDTH,
    Box,
    arrow,
    bar,
    box,
    canvas,
    figure,
    ink,
    key,
    plots,
    tint,
    titles,
    write,
)

# How notebook 03 uses CIFAR-10.
CIFAR10_GIVEN = 50_000, 10_000
CIFAR10_SPLIT = 40_000, 10_000, 10_000
BATCH, EPOCHS = 32, 10
STEPS = math.ceil(CIFAR10_SPLIT[0] / BATCH)


def shape(ax, *corners, color=GREY, strength=0.2):
    """A filled polygon without an outline."""
    ax.add_patch(Polygon(corners, facecolor=tint(color, strength), linewidth=0))


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
