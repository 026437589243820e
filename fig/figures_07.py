"""The diagrams of notebook 07, Fighting overfitting."""

import numpy as np

from drawing import GREY, ORANGE, PURPLE, TRAINING, VALIDATION, figure, ink, plots, titles, write


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


@figure("L1 and L2: the penalty and its slope")
def fig_07_two_penalties():
    weights = np.linspace(-1.5, 1.5, 121)
    left, right = weights[weights < 0], weights[weights > 0]
    drawing, axes = plots(230, 1, 2, top=32, left=110, right=110, gridspec_kw={"wspace": 0.3})
    ax = axes[0]
    ax.plot(weights, abs(weights), color=PURPLE)
    ax.plot(weights, weights**2, color=ORANGE)
    ax.set(xlabel="weight", xticks=[-1, 0, 1], yticks=[0, 1, 2], ylim=(-0.05, 2.3))
    titles(ax, "Penalty")
    write(ax, 0, 1.9, "L1: |w|", color=ink(PURPLE))
    write(ax, 0, 1.6, "L2: w²", color=ink(ORANGE))
    ax = axes[1]
    ax.plot(left, np.sign(left), color=PURPLE)
    ax.plot(right, np.sign(right), color=PURPLE)
    ax.plot(weights, 2 * weights, color=ORANGE)
    ax.set(xlabel="weight", xticks=[-1, 0, 1], yticks=[-2, 0, 2], ylim=(-3.2, 3.2))
    titles(ax, "Its slope")
    write(ax, -0.8, 0.4, "L1: ±1", color=ink(PURPLE))
    write(ax, 0.55, 2.3, "L2: 2w", color=ink(ORANGE))
    alt = (
        "Two panels compare L1 with L2, both with lambda 1. Penalty against weight: L1 is a V, "
        "the weight without its sign; L2 a bowl, its square. The penalty's slope: under L1 it is "
        "1 however small the weight, or -1 for a negative one; under L2 it is twice the weight."
    )
    return drawing, alt
