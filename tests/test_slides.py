"""The decks: what of a notebook comes to the wall, what stays away, and what they ask for."""

import re

import pytest

import slides
from notebook_files import NOTEBOOKS, claimed, code, every_notebook, markdown, read, tags
from test_editions import read_anew, solutions


def deck(path):
    """The slides of a notebook, its notes apart, and the files of its pictures."""
    resources = {"metadata": {"name": path.stem}}
    notebook, _ = slides.Slides(enabled=True).preprocess(read_anew(path), resources)
    shown = [c for c in notebook.cells if c.metadata.slideshow.slide_type != "notes"]
    return [cell.source for cell in shown], resources["outputs"]


@every_notebook
def test_deck_begins_with_title_and_questions_and_ends_with_key_points(path):
    shown, _ = deck(path)
    assert shown[0].startswith(f"# {path.name[:2]} · ")
    assert "**Questions**" in shown[1]
    assert shown[-1].startswith("## Key points")


@every_notebook
def test_every_section_and_exercise_has_a_slide(path):
    headings = re.findall(r"^## (.*)$", "\n".join(deck(path)[0]), re.MULTILINE)
    for cell in markdown(read(path)):
        for level, heading in re.findall(r"^(##|###) (.*)$", cell.source, re.MULTILINE):
            if cell.id not in slides.LAST and (level == "##" or heading.startswith("Exercise")):
                assert slides.plain_links(heading) in headings


@every_notebook
def test_every_picture_is_shown_with_its_description(path):
    shown, files = deck(path)
    pictures = [s for slide in shown for s in re.findall(r'<img src="(.*?)" alt="(.*?)">', slide)]
    assert {name for name, _ in pictures} == set(files)
    assert all(len(alt) >= 40 for _, alt in pictures)
    drawn = re.findall(r"\]\(\.\./fig/(.*?)\)", "\n".join(c.source for c in markdown(read(path))))
    made = [o for c in code(read(path)) for o in c.outputs if "image/png" in o.get("data", {})]
    assert len(files) == len(set(drawn)) + len(made)


@every_notebook
def test_every_claim_and_all_that_is_typed_is_shown(path):
    words = "\n".join(deck(path)[0])
    for claim in claimed(read(path)):
        assert slides.plain_links(claim) in words
    for cell in code(read(path)):
        if "codealong" in tags(cell):
            assert cell.source in words


@every_notebook
def test_no_solution_is_shown(path):
    words = "\n".join(deck(path)[0])
    others = "\n".join(c.source for c in read(path).cells if "solution" not in tags(c))
    for cell in solutions(read(path)):
        for line in map(str.strip, cell.source.splitlines()):
            assert line in others or len(line) <= 20 or line not in words


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for folder in folders:
        slides.make(NOTEBOOKS[:1] + NOTEBOOKS[3:4], folder)
    return folders


def test_decks_made_twice_are_the_same_bytes(built):
    one, two = (
        {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in built
    )
    assert one == two
    assert len(one) > 15


def test_a_deck_asks_only_for_what_lies_beside_it(built):
    for path in built[0].glob("*.html"):
        page = path.read_text(encoding="utf-8")
        for asked in re.findall(r'<(?:script|img|link)\b[^>]*?\b(?:src|href)="([^"]*)"', page):
            assert (built[0] / asked).is_file(), asked


def test_words_are_dealt_out_evenly_and_in_order():
    points = [f"- {'word ' * 40}{i}" for i in range(5)]
    dealt = slides.pages(points)
    assert sum(dealt, []) == points
    assert max(map(len, dealt)) <= 2


def test_what_stands_above_a_figure_is_short():
    assert slides.leading("Short. And whole.") == "Short. And whole."
    assert slides.leading("word " * 50 + "end. Which one: a, or b?") == "Which one: a, or b?"
    assert slides.leading("word " * 50) == ""


def test_long_code_gets_smaller_type_and_never_too_small():
    assert slides.type_size("x = 1") == slides.LARGEST_CODE
    assert slides.type_size("x" * 100) < slides.type_size("x" * 80)
    assert slides.type_size("\n".join(["x"] * 18)) >= slides.SMALLEST_CODE
