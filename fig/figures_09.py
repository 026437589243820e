"""The diagrams of notebook 09, Evaluate and predict."""

from drawing import BLUE, DIM, GREEN, LARGE, ORANGE, PURPLE, box, canvas, figure, ink, write


@figure("Four counts, and which of them each ratio divides by")
def fig_09_four_counts(tp=10, fn=8, fp=22, tn=60):
    drawing, ax = canvas(330)
    left, high, wide, tall, gap = 150, 70, 120, 70, 8
    write(ax, left + wide + gap / 2, 20, "what the model says", bold=True)
    for column, words in enumerate(("tumour", "no tumour")):
        write(ax, left + column * (wide + gap) + wide / 2, 46, words)
    names = (
        (("true positives", tp), ("false negatives", fn)),
        (
            ("false positives", fp),
            ("true negatives", tn),
        ),
    )
    write(ax, 20, 46, "what is true", ha="left", bold=True)
    rows = []
    for row, (words, counts) in enumerate(zip(("tumour", "no tumour"), names, strict=True)):
        y = high + row * (tall + gap)
        write(ax, 20, y + tall / 2, words, ha="left")
        for column, (name, count) in enumerate(counts):
            color = GREEN if row == column else ORANGE
            place = box(ax, left + column * (wide + gap), y, wide, tall, color=color)
            write(ax, place.center[0], place.center[1] - 12, str(count), size=LARGE, bold=True)
            write(ax, place.center[0], place.center[1] + 12, name)
        rows.append(y)
    ratios = {"recall": (tp, fn), "specificity": (tn, fp), "precision": (tp, fp)}
    shares = {name: top / (top + other) for name, (top, other) in ratios.items()}
    end = left + 2 * wide + gap
    for y, name, (top, other) in zip(rows, ratios, ratios.values(), strict=False):
        _bracket(ax, (end + 10, y + 4), (end + 10, y + tall - 4), 8, 0, BLUE)
        first, second = (top, other) if name == "recall" else (other, top)
        words = f"{top} / ({first} + {second}) = {shares[name]:.1%}"
        write(ax, end + 28, y + tall / 2 - 10, name, ha="left", bold=True, color=ink(BLUE))
        write(ax, end + 28, y + tall / 2 + 10, words, ha="left")
    under = rows[1] + tall + 10
    _bracket(ax, (left + 4, under), (left + wide - 4, under), 0, 8, PURPLE)
    words = f"{tp} / ({tp} + {fp}) = {shares['precision']:.2%}"
    write(ax, left, under + 26, "precision", ha="left", bold=True, color=ink(PURPLE))
    write(ax, left, under + 46, words, ha="left")
    note = "A row asks about those who have it, or not; a column about those said to have it."
    write(ax, 20, 315, note, ha="left", color=DIM)
    alt = (
        f"The four counts of {tp + fn + fp + tn} scans. Row tumour: {tp} true positives, {fn} "
        f"false negatives; recall is {tp} of this row’s {tp + fn}, {shares['recall']:.1%}. Row no "
        f"tumour: {fp} false positives, {tn} true negatives; specificity is {tn} of this row’s "
        f"{fp + tn}, {shares['specificity']:.1%}. Column said to have a tumour: {tp} and {fp}; "
        f"precision is {tp} of this column’s {tp + fp}, {shares['precision']:.2%}."
    )
    return drawing, alt


def _bracket(ax, start, end, right, down, color):
    """A bracket from start to end, its back shifted by so much to the right and down."""
    xs = [start[0], start[0] + right, end[0] + right, end[0]]
    ys = [start[1], start[1] + down, end[1] + down, end[1]]
    ax.plot(xs, ys, color=color, linewidth=1.6)
