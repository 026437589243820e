"""The diagrams of notebook 06, IMDB reviews."""

from drawing import BLUE, DIM, GREY, box, canvas, figure, write

# Ids of some words in IMDB's vocabulary of 10,000.
WORD_IDS = {"start": 1, "a": 6, "is": 9, "it": 12, "film": 22, "not": 24, "good": 52, "bad": 78}


@figure("Reviews as rows of zeros and ones")
def fig_06_multi_hot():
    reviews = ["it is not bad it is good", "it is not good it is bad", "a good film"]
    bags = [{"start", *review.split()} for review in reviews]
    drawing, ax = canvas(236)
    left, high, tall, wide, gap = 196, 76, 34, 33, 16
    write(ax, 20, 22, "the review", ha="left", bold=True)
    write(ax, left, 22, "its row: one column for each of 10,000 ids", ha="left", bold=True)
    write(ax, 20, 64, "id", ha="left", color=DIM)
    for row, (review, bag) in enumerate(zip(reviews, bags, strict=True)):
        y = high + row * (tall + 12)
        write(ax, 20, y + tall / 2, review, ha="left")
        for column, (word, number) in enumerate(WORD_IDS.items()):
            x, there = left + column * (wide + gap), word in bag
            place = box(
                ax, x, y, wide, tall, color=BLUE if there else GREY, rounding=0, linewidth=0
            )
            write(ax, *place.center, str(int(there)), bold=there)
            write(ax, x + wide + gap / 2, y + tall / 2, "…", color=DIM)
            if row == 0:
                write(ax, place.center[0], 48, word)
                write(ax, place.center[0], 64, str(number), color=DIM)
    note = "The first two say opposite things, and have the same row: the order of words is lost."
    write(ax, 20, high + 3 * (tall + 12) + 10, note, ha="left")
    assert bags[0] == bags[1] != bags[2]
    ones = [[str(number) for word, number in WORD_IDS.items() if word in bag] for bag in bags]
    alt = (
        f"Three short reviews and their rows of 10,000 zeros and ones. “{reviews[0]}” has a "
        f"1 in the columns {', '.join(ones[0])} and 0 elsewhere. “{reviews[1]}” has its 1s "
        f"in the same columns, so the same row, though it says the opposite. "
        f"“{reviews[2]}” has its 1s in the columns {', '.join(ones[2])}."
    )
    return drawing, alt
