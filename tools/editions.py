"""Editions made from the notebooks: for students, for coding along, for the wall, for the web.

    python tools/editions.py student      build/student/ and build/student.zip
    python tools/editions.py codealong    build/codealong/ and build/codealong.zip
    python tools/editions.py slides       build/slides/, a deck a notebook (tools/slides.py)
    python tools/editions.py book         build/book-source/, which `make book` reads

The student edition has no solutions. In the code-along edition a cell that an
instructor types live is one line that says what comes. All else is as it stands: the
helper, the data, the stored outputs of other cells. Made twice, it is the same bytes.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
from nbconvert.preprocessors import Preprocessor, TagRemovePreprocessor

import slides

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
# What only those need who change the series.
MAINTAINERS = (
    "benchmarks/",
    "tests/",
    ".github/",
    ".ci/",
    "book/",
    "CONTRIBUTING.md",
    "tools/",
    "conftest.py",
    "pyproject.toml",
    ".pre-commit",
)
PANDAS_LOOK = re.compile(r'<style scoped>.*?</style>\n?| [hv]align="\w+"', re.DOTALL)
# Sections of the README that are about git, or about what is not in an edition.
NOT_FOR_LEARNERS = "Updating, and keeping your work", "For instructors", "For maintainers"
NEEDED = {"tools/set_up.py", "tools/timings.csv"}  # by `make lab` and by notebook 00


class WithoutSolutions(TagRemovePreprocessor):
    """Leave out solutions, and the text that only speaks of one."""

    def check_cell_conditions(self, cell, resources, index):
        return super().check_cell_conditions(cell, resources, index) and not cell.id.endswith(
            "-solution-text"
        )


class CodeAlong(Preprocessor):
    """Leave one line of each cell that is typed live, and none of its output."""

    def preprocess_cell(self, cell, resources, index):
        if "codealong" in cell.metadata.get("tags", []):
            cell.source = f"# Code along: {cell.id.replace('-', ' ')}"
            cell.outputs, cell.execution_count = [], None
        return cell, resources


class ForTheWeb(Preprocessor):
    """Fold solutions, and give each picture the description that its output carries.

    Pictures become files of their own, so that a page weighs little: MyST-NB would take
    the HTML, with the picture in it. Of that only the table of numbers is kept. The style
    that pandas puts into each table is left out: it would be a fault in an EPUB, and the
    book has its own.
    """

    def preprocess_cell(self, cell, resources, index):
        if "solution" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("hide-cell")
        if cell.cell_type == "code":
            cell.outputs = [part for output in cell.outputs for part in _parts(output)]
        for output in cell.get("outputs", []):
            if table := output.get("data", {}).get("text/html"):
                output["data"]["text/html"] = PANDAS_LOOK.sub("", table)
            described = output.get("metadata", {}).get("image/png", {}).get("alt")
            if described:
                cell.metadata["mystnb"] = {"image": {"alt": described}}
        return cell, resources


def _parts(output):
    """A picture and its table of numbers as two outputs; any other as it is."""
    data = output.get("data", {})
    if "image/png" not in data:
        return [output]
    _, folded, table = data.pop("text/html", "").partition("<details>")
    tables = [nbformat.v4.new_output("display_data", {"text/html": folded + table})]
    return [output, *(tables if folded else [])]


EDITIONS = {
    "student": WithoutSolutions(remove_cell_tags={"solution"}, enabled=True),
    "codealong": CodeAlong(enabled=True),
    "book": ForTheWeb(enabled=True),
}


def edition_of(notebook, edition):
    """The notebook as it stands in an edition."""
    changed, _ = EDITIONS[edition].preprocess(notebook, {})
    return changed


def files():
    """What goes into an edition: the files that git holds, but for the maintainers'."""
    held = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    if held.returncode:
        sys.exit("An edition is made from what git holds, and this folder is no clone of git's.")
    names = sorted(name for name in held.stdout.split("\0") if name)
    return [name for name in names if name in NEEDED or not name.startswith(MAINTAINERS)]


def make(edition, folder):
    """Write an edition into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in files():
        _copy(name, folder / name, edition)


def _copy(name, target, edition):
    target.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".ipynb"):
        notebook = nbformat.read(ROOT / name, as_version=4)
        nbformat.write(edition_of(notebook, edition), target)
    elif name == "README.md":
        readme = (ROOT / name).read_text(encoding="utf-8")
        for heading in NOT_FOR_LEARNERS:
            readme = readme.replace(f"## {heading}\n\n{section_of_readme(heading)}", "")
        target.write_text(readme, encoding="utf-8")
    else:
        shutil.copyfile(ROOT / name, target)


def gather(folder):
    """Write what the web edition is made from: its own pages, notebooks, glossary, figures."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "book", folder)
    with open(folder / "start.md", "a", encoding="utf-8") as start:
        start.write(section_of_readme("Start"))
    with open(folder / "exercises.md", "a", encoding="utf-8") as sheet:
        sheet.writelines(exercises(ROOT / name) for name in files() if name.endswith(".ipynb"))
    for name in files():
        figure = name.startswith("fig/")
        page = name.startswith("notebooks/") and name.count("/") == 1
        if (figure or page) and not name.endswith(".py"):
            _copy(name, folder / name, "book")
    for drawing in folder.glob("fig/*.svg"):
        drawing.write_bytes(fit_for_epub(drawing.read_bytes()))


def fit_for_epub(drawing):
    """A drawing that names no file elsewhere, and whose blanks are paths too."""
    drawing = re.sub(rb"<!DOCTYPE[^>]*>\s*", b"", drawing)
    return re.sub(rb"(<path (?![^>]*\bd=)[^>]*?)/>", rb'\1 d="M 0 0"/>', drawing)


def section_of_readme(heading):
    """The text of one of the README's sections."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"^## {heading}\n\n(.*?)(?=^## )", readme, re.MULTILINE | re.DOTALL)[1]


def exercises(path):
    """A notebook's exercises alone, as Markdown: tasks, what they need to be read, and blanks."""
    found, inside = [], False
    cells = nbformat.read(path, as_version=4).cells
    for cell in cells:
        task = re.search(r"^### Exercise .*", cell.source, re.MULTILINE | re.DOTALL)
        if cell.cell_type == "markdown" and (task or inside):
            found.append(slides.plain_links(task[0] if task else cell.source))
            inside = True
        elif inside:
            found += _on_paper(cell)
            inside = "exercise" not in cell.metadata.get("tags", [])
    text = "\n\n".join(found).replace("](../fig/", "](fig/")
    title = cells[0].source.split("\n")[0]
    return f"\n#{title}\n\n{text}\n" if found else ""


def _on_paper(cell):
    """A cell of code, and what it printed unless that is a check's."""
    yield f"```python\n{cell.source}\n```"
    printed = slides.printed_by(cell)
    if printed and "exercise" not in cell.metadata.get("tags", []):
        yield f"```text\n{printed}\n```"


def pack(folder, archive):
    """Zip a folder, under its own name: the same files make the same bytes.

    The archive appears whole or not at all.
    """
    unfinished = archive.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo((Path(folder.name) / path.relative_to(folder)).as_posix())
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    os.replace(unfinished, archive)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("edition", choices=[*EDITIONS, "slides"])
    edition = parser.parse_args().edition
    if edition == "slides":
        notebooks = [ROOT / name for name in files() if name.endswith(".ipynb")]
        slides.make(notebooks, BUILD / "slides")
        print(f"build/slides/, {len(notebooks)} decks: open one in a browser")
        return
    if edition == "book":
        gather(BUILD / "book-source")
        return
    folder, archive = BUILD / edition, BUILD / f"{edition}.zip"
    make(edition, folder)
    pack(folder, archive)
    megabytes = archive.stat().st_size / 1e6
    print(f"build/{edition}/ and build/{edition}.zip, {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
