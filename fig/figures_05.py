"""The diagrams of notebook 05, Optimizers."""

from drawing import BLUE, GREEN, ORANGE, PURPLE, arrow, box, canvas, figure


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
    adam = box(ax, x[3], middle, wide, tall, "Adam", "velocity, divided\nby size", PURPLE)
    up, down = (sgd.x + wide / 2, sgd.y), (sgd.x + wide / 2, sgd.y + tall)
    arrow(ax, up, (up[0], momentum.left[1]), momentum.left)
    arrow(ax, down, (down[0], adagrad.left[1]), adagrad.left)
    arrow(ax, momentum.right, nesterov.left)
    arrow(ax, adagrad.right, rmsprop.left)
    across = momentum.x + wide - 20
    arrow(ax, (across, top + tall), (across, adam.left[1]), adam.left)
    arrow(
        ax, rmsprop.right, (adam.x + wide / 2, rmsprop.right[1]), (adam.x + wide / 2, adam.y + tall)
    )
    alt = (
        "A family tree of optimizers. From SGD, which steps against the slope with one rate for "
        "all weights, two branches go out. Momentum keeps most of its velocity; from it comes "
        "Nesterov, which takes the slope where it will be. Adagrad divides by the size of all "
        "slopes so far; from it comes RMSprop, which divides by that of recent ones. Adam joins "
        "momentum and RMSprop."
    )
    return drawing, alt
