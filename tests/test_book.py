"""The web edition, built once from the stored notebooks: what a reader's browser gets."""

import html
import re

import pytest

import teaching_times
from notebook_files import NOTEBOOKS, ROOT, code, every_notebook, read, tags


@pytest.fixture(scope="session")
def book(built_book):
    """The built pages, by name."""
    return {
        page.relative_to(built_book).as_posix(): page.read_text("utf-8")
        for page in built_book.rglob("*.html")
    }


def page(book, path):
    return book[f"notebooks/{path.stem}.html"]


def test_front_page_leads_to_every_notebook(book):
    for path in NOTEBOOKS:
        assert f'href="notebooks/{path.stem}.html"' in book["index.html"]


def test_a_reader_is_told_how_to_start(book):
    assert 'href="start.html"' in book["index.html"]
    assert "make lab" in book["start.html"]


def test_no_page_asks_another_host(book):
    asked = r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"(?:https?:)?//"
    assert [name for name, html in book.items() if re.search(asked, html)] == []


@every_notebook
def test_page_weighs_less_than_a_megabyte(book, path):
    assert len(page(book, path).encode()) < 1_000_000


@every_notebook
def test_pictures_have_their_descriptions(book, path):
    described = [
        output.metadata["image/png"]["alt"]
        for cell in code(read(path))
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    alts = [
        " ".join(html.unescape(alt).split())
        for alt in re.findall(r'<img[^>]*\balt="([^"]*)"', page(book, path))
    ]
    assert not [alt for alt in alts if re.search(r"\.(png|svg)$", alt)], "a file's name"
    for text in described:
        assert " ".join(text.split()) in alts


@every_notebook
def test_solutions_fold_and_exercises_are_marked(book, path):
    cells = code(read(path))
    for tag, found in (("solution", "tag_solution"), ("exercise", "tag_exercise")):
        count = sum(tag in tags(cell) for cell in cells)
        assert len(re.findall(rf'class="[^"]*\b{found}\b', page(book, path))) == count
    folded = re.findall(r'class="[^"]*\btag_hide-cell\b', page(book, path))
    assert len(folded) == sum("solution" in tags(cell) for cell in cells)


def test_an_epub_may_hold_what_the_pages_hold(book, built_book):
    """epubcheck says so: no table with pandas' style, no drawing that names a file elsewhere."""
    assert [name for name, page in book.items() if re.search(r"<style scoped| valign=", page)] == []
    drawings = list((built_book / "_images").glob("*.svg"))
    assert len(drawings) > 20
    for drawing in drawings:
        text = drawing.read_text("utf-8")
        assert "<!DOCTYPE" not in text
        assert not re.search(r"<path (?![^>]*\bd=)", text), drawing.name


def test_sheet_of_exercises_has_every_task_and_no_solution(book):
    sheet = re.sub(r"<[^>]*>", "", html.unescape(book["exercises.html"]))
    for path in NOTEBOOKS:
        others = "\n".join(c.source for c in read(path).cells if "solution" not in tags(c))
        for cell in code(read(path)):
            for line in map(str.strip, cell.source.splitlines()):
                if "exercise" in tags(cell):
                    assert line in sheet, f"{cell.id}: {line}"
                elif "solution" in tags(cell) and len(line) > 20 and line not in others:
                    assert line not in sheet, f"{cell.id}: {line}"


def test_schedules_for_instructors_have_the_computed_minutes():
    """`python tools/teaching_times.py` prints them."""
    page = (ROOT / "book" / "instructors.md").read_text("utf-8")
    parts = re.findall(r"\b(\d\d)( first sitting)? \((\d+)\)", page)
    assert len(parts) > 20
    for number, sitting, stated in parts:
        (path,) = (p for p in NOTEBOOKS if p.name.startswith(number))
        minutes, sittings = teaching_times.of(read(path))
        assert int(stated) == (sittings[0] if sitting else minutes), f"{number}{sitting}"
