"""The diagrams of notebook 08, Boston: K-fold."""

from drawing import (
    DIM,
    GREEN,
    LARGE,
    RED,
    TEST,
    TRAINING,
    VALIDATION,
    arrow,
    bar,
    box,
    canvas,
    figure,
    ink,
    key,
    write,
)

BOSTON_ROWS = 404, 102
FOLDS = 4


def _folds(ax, x, y, width, height, held_out):
    """The training rows as a bar of folds, the held-out one in the validation colour."""
    size = BOSTON_ROWS[0] // FOLDS
    parts = [(size, f"{size} train", TRAINING)] * FOLDS
    parts[held_out] = size, f"{size} validate", VALIDATION
    return bar(ax, x, y, width, height, parts)


@figure("K-fold: every row validates once")
def fig_08_k_fold():
    train, test = BOSTON_ROWS
    size = train // FOLDS
    drawing, ax = canvas(322)
    x, width, tall, gap = 76, 360, 34, 46
    write(ax, x + width / 2, 20, f"{train} training rows in {FOLDS} folds", bold=True)
    write(ax, 536, 20, f"{test} test rows", bold=True)
    closed = box(ax, 504, 38, 76, 3 * gap + tall, color=TEST)
    write(ax, *closed.center, "closed\nuntil the\nend")
    for i in range(FOLDS):
        y = 38 + i * gap
        write(ax, 20, y + tall / 2, f"fold {i + 1}", ha="left", bold=True)
        _folds(ax, x, y, width, tall, i)
        write(ax, 444, y + tall / 2, f"MAE {i + 1}", ha="left")
    low = 38 + (FOLDS - 1) * gap + tall
    mean = box(ax, 388, low + 44, 156, 42, "mean of the four", "the K-fold score", color=GREEN)
    arrow(ax, (466, low - 4), (466, mean.y))
    key(ax, x, low + 54, TRAINING, "a new model is trained on these three")
    key(ax, x, low + 76, VALIDATION, "and measured on the fourth")
    alt = (
        f"Boston's {train} training rows are cut into {FOLDS} folds of {size}. In each of "
        f"{FOLDS} rounds another fold validates and a new model is trained on the other "
        f"{train - size} rows, so every row validates exactly once. Each round gives one MAE; "
        f"the mean of the {FOLDS} is the K-fold score. The {test} test rows stay closed until "
        f"the end."
    )
    return drawing, alt


@figure("Where the mean and the standard deviation may come from")
def fig_08_leak():
    train = BOSTON_ROWS[0]
    size = train // FOLDS
    drawing, ax = canvas(372)
    x, width, tall = 20, 340, 32
    panels = (
        (20, "Leak: the yardstick is made from everything", train, RED),
        (206, "No leak: the yardstick is made from the training rows", train - size, GREEN),
    )
    for y, head, rows, color in panels:
        write(ax, x, y, head, ha="left", bold=True, size=LARGE, color=ink(color))
        parts = _folds(ax, x, y + 18, width, tall, 0)
        first = parts[0 if rows == train else 1].x + 3
        last, under = x + width - 3, y + 18 + tall + 12
        ax.plot([first, first, last, last], [under - 6, under, under, under - 6], color=color)
        middle = (first + last) / 2
        made = box(ax, middle - 88, under + 24, 176, 44, "mean, std", f"of {rows} rows", color)
        arrow(ax, (middle, under), made.top, color=color)
        scaled = box(ax, 424, y + 18, 156, tall, note="(rows − mean) / std")
        arrow(ax, (x + width, scaled.left[1]), scaled.left)
        corner = scaled.bottom[0], made.right[1]
        arrow(ax, made.right, corner, scaled.bottom, color=color)
        write(ax, corner[0], corner[1] + 20, "scales all rows", color=DIM)
    alt = (
        f"Two ways to standardise {train} rows in {FOLDS} folds. With a leak, mean and standard "
        f"deviation are computed from all {train} rows, the {size} that validate among them. "
        f"Without a leak they are computed from the {train - size} training rows alone. Both "
        f"times they then scale all the rows."
    )
    return drawing, alt
