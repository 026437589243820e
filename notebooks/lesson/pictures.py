"""How a figure stands in a notebook: as a picture, in words, and its numbers as a table.

Three viewers want three things of one output. JupyterLab and VS Code read HTML before
pictures, and JupyterLab gives an `image/png` no alternative text at all, so the HTML
is the picture with its words. The PNG beside it is for those that show no HTML, or
clean it too much, and its metadata hold the words once more.
"""

import base64
import io
from html import escape

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image, ImageChops

DPI = 144  # drawn at one and a half times the shown size, sharp on a projector
SHOWN_DPI = 96
MOST_ROWS = 20  # of a table of numbers


def describe(figure, text):
    """Attach alternative text to a figure, for readers who cannot see it.

    Args:
        figure: a `matplotlib.figure.Figure`, or axes of one.
        text: what the figure shows, with its numbers.

    Returns:
        The figure. As the last line of a cell it is shown, once.

    Raises:
        ValueError: if the text is empty or the figure is not one.
    """
    figure = getattr(figure, "figure", figure)
    if not isinstance(figure, Figure):
        raise ValueError(
            f"figure must be a matplotlib figure or axes; got a {type(figure).__name__}"
        )
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text must say what the figure shows")
    figure.alt_text = " ".join(text.split())
    return figure


def bundle(figure, lasting=True):
    """A figure as notebook data.

    Args:
        figure: a `matplotlib.figure.Figure`; `describe` gave it `alt_text`, and a plot of
            curves `numbers`, a DataFrame with a row for each epoch.
        lasting: False for a drawing that the next one soon replaces. It is made faster:
            without the table, and its picture is not made smaller.

    Returns:
        Two dicts from the type, such as `"image/png"`: of the data, and of the metadata.
    """
    png = print_figure(figure, fmt="png", dpi=DPI, bbox_inches="tight")
    # Bytes 16 to 24 of a PNG file are its width and height, big-endian.
    width, height = (int.from_bytes(png[i : i + 4], "big") * SHOWN_DPI // DPI for i in (16, 20))
    words = getattr(figure, "alt_text", None) or _fallback(figure)
    numbers = getattr(figure, "numbers", None)
    if lasting:
        png = smaller(png)
        shown = image_tag("webp", webp(png), words, width, height)
        if numbers is not None:
            shown += "\n" + folded_table(numbers)
    else:
        shown = image_tag("png", png, words, width, height)
    data = {"text/html": shown, "image/png": _base64(png), "text/plain": words}
    return data, {"image/png": {"alt": words, "width": width, "height": height}}


def smaller(png):
    """A PNG file with at most 256 colours, a third of what it weighed.

    A picture that would be seen to change, such as a photograph, keeps all its colours.
    """
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    page = Image.new("RGBA", image.size, "white")  # dark text must not lie on a dark page
    page.alpha_composite(image)
    image = page.convert("RGB")
    few = image.quantize(256, kmeans=1, dither=Image.Dither.NONE)
    change = np.asarray(ImageChops.difference(image, few.convert("RGB"))).max(axis=-1)
    # Lines change by more than 8 of 255 only at a few points where they cross.
    return _saved(image if (change > 8).mean() > 0.01 else few, "PNG", optimize=True)


def webp(png):
    """The same pixels as a WebP file, which is smaller yet."""
    return _saved(Image.open(io.BytesIO(png)), "WEBP", lossless=True, method=2)


def _saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def image_tag(kind, picture, words, width, height):
    """A picture with its words, as HTML."""
    return (
        f'<img alt="{escape(words)}" width="{width}" height="{height}" '
        f'src="data:image/{kind};base64,{_base64(picture)}">'
    )


def _base64(picture):
    return base64.b64encode(picture).decode()


def folded_table(numbers):
    """A DataFrame as HTML: a table, folded, with a row for each epoch.

    Of many epochs at most 20 are listed, evenly, the first and the last among them. Its
    class is that of pandas' tables, which every theme knows, light or dark.
    """
    step = max(1, -(-(len(numbers) - 1) // (MOST_ROWS - 1)))
    listed = numbers.iloc[sorted({*range(0, len(numbers), step), len(numbers) - 1})]
    caption = "Every epoch" if step == 1 else f"One epoch in {step}, and the last"
    heads = "".join(f'<th scope="col">{escape(str(h))}</th>' for h in ("epoch", *listed.columns))
    rows = "\n".join(
        f'<tr><th scope="row">{epoch:g}</th>'
        + "".join(f"<td>{_rounded(value)}</td>" for value in values)
        + "</tr>"
        for epoch, values in zip(listed.index, listed.to_numpy(), strict=True)
    )
    return (
        f"<details><summary>The numbers as a table</summary>\n"
        f'<table class="dataframe"><caption>{caption}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></details>"
    )


def _rounded(value):
    return "–" if np.isnan(value) else f"{value:#.4g}".rstrip(".")


def _fallback(figure):
    """What can be said of a figure that nobody described: titles, names of axes."""
    names = [(a.get_ylabel(), a.get_xlabel()) for a in figure.axes]
    words = [" against ".join(filter(None, pair)) for pair in names]
    words = [a.get_title() or w for a, w in zip(figure.axes, words, strict=True)]
    return "Figure: " + ("; ".join(filter(None, words)) or "without words")


def _show(figure):
    if figure.axes:
        data, metadata = bundle(figure)
    else:  # nothing to draw
        data, metadata = {"text/plain": str(figure)}, {}
    display(data, metadata=metadata, raw=True)
    # The inline backend shows what pyplot still holds when the cell ends;
    # a figure that was shown as the cell's value must not come twice.
    plt.close(figure)


if (_shell := get_ipython()) is not None:
    _shell.display_formatter.ipython_display_formatter.for_type(Figure, _show)
