"""How long the notebooks take to teach: computed from their words, code and exercises.

    python tools/teaching_times.py        prints a line for each, with its sittings

Text is read at 180 words a minute, code, which is read more slowly, at 90; an exercise
takes the minutes that its heading states. Solutions and stored outputs do not count.
"""

import re
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
WORDS_A_MINUTE, WORDS_OF_CODE_A_MINUTE = 180, 90
ONE_SITTING = 75  # minutes; a longer notebook says where to stop
END_OF_SITTING = "*End of the first sitting.*"


def of(notebook):
    """Minutes to teach a notebook, and those of each sitting, rounded to five."""
    sittings = [0.0]
    for cell in notebook.cells:
        sittings[-1] += _minutes(cell)
        if END_OF_SITTING in cell.source:
            sittings.append(0.0)
    return _rounded(sum(sittings)), [_rounded(minutes) for minutes in sittings]


def _minutes(cell):
    text = cell.source
    if cell.cell_type == "markdown":
        exercise = re.match(r"### Exercise \d+:.*\((\d+) minutes\)", text)
        return len(text.split()) / WORDS_A_MINUTE + (int(exercise[1]) if exercise else 0)
    if cell.cell_type == "code" and not text.startswith("%%"):  # exercises have their minutes
        return len(re.findall(r"\w+", text)) / WORDS_OF_CODE_A_MINUTE
    return 0


def _rounded(minutes):
    return max(5, 5 * round(minutes / 5))


def main():
    total = 0
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")):
        minutes, sittings = of(nbformat.read(path, as_version=4))
        total += minutes
        print(f"{path.stem:<40} {minutes:>4} minutes", *sittings if sittings[1:] else ())
    print(f"{'in all':<40} {total:>4} minutes, {total / 60:.1f} hours")


if __name__ == "__main__":
    sys.exit(main())
