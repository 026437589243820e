"""What every notebook must be before it is run: one rule, one function."""

import copy
import csv
import functools
import html
import importlib
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import teaching_times
from claims import CLAIMS, REASONS, STATED
from notebook_files import (
    NOTEBOOKS,
    ROOT,
    claimed,
    code,
    every_notebook,
    is_learners,
    markdown,
    read,
    tags,
    tracked,
    without_magic,
)
from run_notebooks import tidy

TAGS = {
    "nbval-ignore-output",
    "tensorflow-output",
    "raises-exception",
    "exercise",
    "solution",
    "codealong",
}
PARTS = ["title", "questions", "objectives", "time", "imports"]
STALE = {  # spellings that Keras 3 refuses, or that have a better successor
    r"\blr=": "learning_rate=",
    r"\bdecay=": "a learning-rate schedule",
    r"\binput_shape=": "keras.Input",
    r"[\"']acc[\"']": '"accuracy"',
    r"(?<!\.weights)\.h(df)?5\b": ".keras or .weights.h5",
    r"\bnp_utils\b": "keras.utils",
    r"\bImageDataGenerator\b": "preprocessing layers",
    r"\btf\.keras\b|\btensorflow\.keras\b": "keras",
    r"\bpredict_classes\b": "predict(...).argmax(axis=1)",
    r"\bkeras\.layers\.(normalization|convolutional|core)\b": "keras.layers",
}
BACKENDS = r"^\s*(import|from)\s+(tensorflow|jax|torch)\b"
# Words that give a reason. A paragraph with one is shown, known or open.
REASON = re.compile(
    r"\b(because|since|therefore|hence|thus|owing to|due to|that is why|the reason|"
    r"one reason|another reason|why (?!not\b)\w+ )",
    re.IGNORECASE,
)
OPEN = re.compile(
    r"\b(we think|we do not know|is not known|not tested here|perhaps)\b", re.IGNORECASE
)
LONGEST_CELL = 18  # lines; about fifteen, and a little for a long call
LARGEST_NOTEBOOK = 1_500_000  # bytes


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook in notebooks/"


def test_names_are_numbered_in_order():
    names = [p.name for p in NOTEBOOKS]
    bad = [n for n in names if not re.fullmatch(r"[0-9]{2}-[a-z0-9-]+\.ipynb", n)]
    assert not bad, f"name these NN-some-words.ipynb: {bad}"
    numbers = [n[:2] for n in names]
    assert len(set(numbers)) == len(numbers), f"two notebooks share a number: {names}"


def test_readme_lists_the_notebooks_in_order():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\(notebooks/([0-9]{2}-[a-z0-9-]+\.ipynb)\)", readme)
    assert list(dict.fromkeys(linked)) == [p.name for p in NOTEBOOKS]


@every_notebook
def test_is_executed_from_a_fresh_kernel(path):
    counts = [c.execution_count for c in code(read(path))]
    assert counts == list(range(1, len(counts) + 1)), (
        f"run it again: python tools/run_notebooks.py --write {path.name[:2]}"
    )


@every_notebook
def test_is_stored_as_jupyterlab_would_store_it(path):
    """Else opening and saving it would change it, and `git pull` refuse to go on."""
    assert tidy(copy.deepcopy(read(path))) == read(path), (
        f"store it again: python tools/run_notebooks.py --write {path.name[:2]}"
    )


@every_notebook
def test_saved_errors_are_on_purpose(path):
    for cell in code(read(path)):
        failed = [o.ename for o in cell.outputs if o.output_type == "error"]
        assert not failed or "raises-exception" in tags(cell), f"cell {cell.id}: {failed}"
        assert failed or "raises-exception" not in tags(cell), f"cell {cell.id} raises nothing"


@every_notebook
def test_tags_are_known(path):
    for cell in read(path).cells:
        assert tags(cell) <= TAGS, f"cell {cell.id}: {sorted(tags(cell) - TAGS)}"


@every_notebook
def test_cell_ids_are_words(path):
    ids = [c.id for c in read(path).cells]
    bad = [i for i in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", i)]
    assert not bad, f"name these cells by what they do, so that diffs can be read: {bad}"
    random = [i for i in ids if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", i)]
    assert not random, f"made by a program, not named: {random}"


@every_notebook
def test_parts_stand_in_their_order(path):
    ids = [c.id for c in read(path).cells]
    places = [ids.index(p) if p in ids else None for p in PARTS]
    assert None not in places, f"parts missing: {set(PARTS) - set(ids)}"
    assert places == sorted(places), f"{PARTS} stand in another order"
    end = [cell for cell in ids if cell in ("key-points", "sources", "next")]
    assert ids[-len(end) :] == end, "it ends with the cells key-points, sources and next"
    assert end in (["key-points", "next"], ["key-points", "sources", "next"])


@every_notebook
def test_title_tells_its_number(path):
    first = read(path).cells[0].source
    assert re.match(rf"# {path.name[:2]} · \S.*\n\n\*.+\*$", first), (
        "begin with '# NN · Title' and a promise of one line in italics"
    )


@every_notebook
def test_stated_time_is_the_measured_one(path):
    with open(ROOT / "tools" / "timings.csv", newline="", encoding="utf-8") as file:
        measured = {row["name"]: float(row["seconds"]) for row in csv.DictReader(file)}
    cell = next(c for c in read(path).cells if c.id == "time")
    stated = re.search(r"To run: about (\d+) (second|minute)s? on two cores\.", cell.source)
    assert stated, "say 'To run: about N seconds on two cores.'"
    seconds = int(stated[1]) * (60 if stated[2] == "minute" else 1)
    assert 0.7 < seconds / measured[path.stem] < 1.4, f"measured: {measured[path.stem]} s"


@every_notebook
def test_stated_teaching_time_is_the_computed_one(path):
    """`python tools/teaching_times.py` prints them all."""
    cell = next(c for c in read(path).cells if c.id == "time")
    if "To look things up" in cell.source:
        return
    minutes, sittings = teaching_times.of(read(path))
    stated = re.search(r"To teach: (\d+) minutes", cell.source)
    assert stated, "say 'To teach: N minutes'"
    assert abs(int(stated[1]) - minutes) <= 5, f"computed: {minutes} minutes"
    told = [int(n) for n in re.findall(r"sitting[^.\n]*?\((\d+) minutes\)", cell.source)]
    assert told or minutes <= teaching_times.ONE_SITTING, "say where to stop"
    assert all(abs(a - b) <= 5 for a, b in zip(told, sittings, strict=False)), sittings
    assert len(told) in (0, len(sittings)), f"sittings: {sittings}"


@every_notebook
def test_headings_nest(path):
    text = "\n".join(c.source for c in markdown(read(path)))
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    levels = [len(m) for m in re.findall(r"^(#+) ", text, re.MULTILINE)]
    assert levels.count(1) == 1, "one title, and sections below it"
    jumps = [(a, b) for a, b in zip(levels, levels[1:], strict=False) if b > a + 1]
    assert not jumps, f"a heading skips a level: {jumps}"


@every_notebook
def test_lesson_is_the_first_import(path):
    first = next(c for c in code(read(path)) if re.search(r"^(import|from) ", c.source, re.M))
    line = re.search(r"^(?:import|from) (\w+)", first.source, re.MULTILINE)
    assert line[1] == "lesson", "import lesson first: it keeps the backend's start-up log quiet"


@every_notebook
def test_imports_no_backend(path):
    if path.name.startswith("12-"):
        return  # its subject
    for cell in code(read(path)):
        assert not re.search(BACKENDS, cell.source, re.MULTILINE), f"cell {cell.id}"


@every_notebook
def test_no_stale_spelling(path):
    for cell in code(read(path)):
        for pattern, better in STALE.items():
            if "raises-exception" not in tags(cell):
                found = re.search(pattern, cell.source)
                assert not found, f"cell {cell.id}: {found[0]!r}; write {better}"


@every_notebook
def test_cells_are_short(path):
    long = {c.id: n for c in code(read(path)) if (n := len(c.source.splitlines())) > LONGEST_CELL}
    assert not long, f"one idea a cell, at most {LONGEST_CELL} lines: {long}"


@every_notebook
def test_exercises_are_whole(path):
    """Exercise and solution follow one another, and Run All passes them."""
    cells = code(read(path))
    kinds = [(c, k) for c in cells for k in ("exercise", "solution") if k in tags(c)]
    assert [k for _, k in kinds] == ["exercise", "solution"] * (len(kinds) // 2), kinds
    names = [re.sub(r"-(here|solution)$", "", c.id) for c, _ in kinds]
    assert names[0::2] == names[1::2], f"cell ids do not match: {names}"
    magics = [re.match(rf"%%(exercise|solution) ({path.name[:2]}-[a-z0-9-]+)\n", c.source)
              for c, _ in kinds]  # fmt: skip
    assert all(magics), "exercises begin with %%exercise NN-name, solutions with %%solution NN-name"
    assert [m[1] for m in magics] == [k for _, k in kinds]
    assert [m[2] for m in magics][0::2] == [m[2] for m in magics][1::2]
    for cell, kind in kinds:
        if kind == "exercise":
            told = "".join(o.get("text", "") for o in cell.outputs)
            assert told.startswith("Not attempted yet: "), f"cell {cell.id} says {told!r}"
        hidden = set(cell.metadata.get("jupyter", {}))
        wanted = {"source_hidden", "outputs_hidden"} if kind == "solution" else set()
        assert hidden == wanted, f"cell {cell.id}: solutions are collapsed, with their outputs"


def test_answers_of_a_learner_are_told_from_an_edit():
    committed = read(NOTEBOOKS[0])
    exercise = next(i for i, c in enumerate(committed.cells) if "exercise" in tags(c))

    def changed(i, source):
        notebook = copy.deepcopy(committed)
        notebook.cells[i].source = source
        return notebook

    stub = committed.cells[exercise].source
    assert is_learners(changed(exercise, stub.replace("____", "1440")), committed)
    assert is_learners(changed(exercise, "%%exercise 00-first\nhours = 24\nminutes = 1"), committed)
    half_filled = changed(exercise, stub + "\nseconds = ____")
    assert is_learners(changed(exercise, stub + "\nseconds = 3"), half_filled)
    assert not is_learners(committed, committed)
    assert not is_learners(changed(exercise, "%%exercise 00-first\nanother_name = ____"), committed)
    assert not is_learners(changed(exercise - 1, "Another task."), committed)
    half_run = copy.deepcopy(committed)
    code(half_run)[1].execution_count = None
    assert is_learners(half_run, committed)
    del half_run.cells[2]
    assert not is_learners(half_run, committed)


@every_notebook
def test_images_have_alternative_text(path):
    notebook = read(path)
    for cell in markdown(notebook):
        short = [a for a in re.findall(r"!\[(.*?)\]\(", cell.source, re.DOTALL) if len(a) < 40]
        assert not short, f"cell {cell.id}: say what the image shows: {short}"
        assert "<img" not in cell.source, f"cell {cell.id}: write ![text](path)"
    for cell in code(notebook):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) >= 40, f"cell {cell.id}: end it with describe(figure, text)"
                page = output.data["text/html"]  # what JupyterLab shows
                assert page.startswith(f'<img alt="{html.escape(alt)}" '), cell.id


@every_notebook
def test_figures_carry_the_text_of_their_file(path):
    """The alternative text is the one computed with the figure, not an older one."""
    for cell in markdown(read(path)):
        for alt, name in re.findall(r"!\[([^\]]*)\]\(\.\./fig/([^)]+\.svg)\)", cell.source):
            svg = (ROOT / "fig" / name).read_text(encoding="utf-8")
            described = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)[1]
            assert alt == described, f"cell {cell.id}: python fig/drawing.py --alt {name[:-4]}"


@every_notebook
def test_outputs_can_be_reviewed(path):
    assert path.stat().st_size < LARGEST_NOTEBOOK
    for cell in code(read(path)):
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"cell {cell.id} wrote to stderr"
            text = output.get("text", "")
            assert not re.search("[\b\r]", text), f"cell {cell.id}: a progress bar was stored"
            assert len(text.splitlines()) <= 60, f"cell {cell.id}: a long output"


@every_notebook
def test_names_no_folder_of_a_machine(path):
    text = path.read_text(encoding="utf-8")
    found = re.search(r"(/home/|/Users/|/root/|/tmp/|[A-Z]:\\\\|site-packages)[^\"\\]*", text)
    assert not found, found[0]


@every_notebook
def test_prose_is_plain(path):
    """Phrases that talk down to a learner or say nothing."""
    text = "\n".join(c.source for c in markdown(read(path))).lower()
    found = re.findall(r"\b(simply|obviously|as you can see|of course|trivial(?:ly)?)\b", text)
    assert not found


def quoted(register, number):
    """The sentences of notebook NN that its tests of claims quote."""
    if (Path(__file__).parent / f"test_claims_{number}.py").exists():
        importlib.import_module(f"test_claims_{number}")
    return {sentence for notebook, sentence in register if notebook == number}


@every_notebook
def test_every_claim_has_a_test(path):
    """Sentences after "**Seen here:**" and those the tests quote are the same."""
    number = path.name[:2]
    tested = quoted(CLAIMS, number)
    assert set(claimed(read(path))) == tested, f"see test_claims_{number}.py"


def paragraphs(text):
    """The paragraphs of a text, its list items and the rows of its tables, without code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"!\[.*?\]\([^)]*\)", "", text, flags=re.DOTALL)
    return [part for part in re.split(r"\n\s*\n|\n(?=[-|] ?)", text) if part.strip()]


def gives_reason(paragraph):
    """Whether it says why; a question does not."""
    return REASON.search(re.sub(r"[^.!?]*\?", "", paragraph)) is not None


def standing(paragraph, tested):
    """How a paragraph of reasons stands: shown, known or open; "" where it has no leg."""
    if any(sentence in paragraph for sentence in tested):
        return "shown"
    if re.search(r"\]\(https?://", paragraph):
        return "known"
    return "open" if OPEN.search(paragraph) else ""


@every_notebook
def test_every_reason_is_shown_known_or_open(path):
    number = path.name[:2]
    reasons = quoted(REASONS, number)
    tested = reasons | quoted(CLAIMS, number)
    text = [part for cell in markdown(read(path)) for part in paragraphs(cell.source)]
    bare = [part for part in text if gives_reason(part) and not standing(part, tested)]
    assert not bare, (
        "a reason that nothing shows: test it (@reason), name a source, or say that it is a guess: "
        + " / ".join(bare)
    )
    gone = [sentence for sentence in reasons if not any(sentence in part for part in text)]
    assert not gone, f"test_claims_{number}.py quotes what is not there: {gone}"


@every_notebook
def test_what_is_computed_is_stated(path):
    text = "\n".join(cell.source for cell in markdown(read(path)))
    gone = [words for words in quoted(STATED, path.name[:2]) if words not in text]
    assert not gone, f"test_claims_{path.name[:2]}.py quotes what is not there: {gone}"


def test_a_reason_is_told_from_a_bare_one():
    assert standing("It is so because it is.", {"It is so because it is."}) == "shown"
    assert standing("Because of it ([Ho](https://example.org), 2000).", set()) == "known"
    assert standing("We think it is so because of that.", set()) == "open"
    assert standing("It is so because it is.", {"Something else."}) == ""
    assert gives_reason("It fell because the rate was high.")
    assert not gives_reason("It fell. Why did it fall?")


def test_notebooks_name_their_sources():
    for path in NOTEBOOKS:
        if path.name[:2] != "00":
            cells = {cell.id: cell.source for cell in read(path).cells}
            assert list(cells)[-3:] == ["key-points", "sources", "next"], path.name
            entries = re.findall(r"^- .*\]\(https?://\S+\).*$", cells["sources"], re.MULTILINE)
            assert 3 <= len(entries) <= 8, f"{path.name}: three to eight sources"


@functools.cache
def glossary():
    """The entries of the glossary: for each anchor, its heading and its text."""
    text = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## ([^\n]+)\n\n(.+?)(?=\n\n## |\Z)", text, re.MULTILINE | re.DOTALL)
    return {heading.lower().replace(" ", "-"): (heading, body) for heading, body in entries}


def defined(path):
    """Anchors of the terms that a notebook defines: bold links into the glossary."""
    text = "\n".join(c.source for c in markdown(read(path)))
    return set(re.findall(r"\*\*\[[^\]]+\]\(glossary\.md#([^)]+)\)\*\*", text))


def test_every_defined_term_is_in_the_glossary():
    missing = {p.name[:2]: bad for p in NOTEBOOKS if (bad := defined(p) - set(glossary()))}
    assert not missing, f"add these to notebooks/glossary.md: {missing}"


@pytest.mark.parametrize("anchor", glossary())
def test_glossary_names_the_notebook_that_defines_a_term_first(anchor):
    heading, body = glossary()[anchor]
    first = next((p.name for p in NOTEBOOKS if anchor in defined(p)), None)
    assert first, f"no notebook defines {heading!r}: mark it **[{heading}](glossary.md#{anchor})**"
    assert re.findall(r"\(([^)#]+\.ipynb)\)", body) == [first]


def test_glossary_is_in_alphabetical_order():
    headings = [heading.lower() for heading, _ in glossary().values()]
    assert headings == sorted(headings)


def test_links_inside_the_repository_land():
    pages = {p: read(p) for p in NOTEBOOKS}
    texts = {p: "\n".join(c.source for c in markdown(nb)) for p, nb in pages.items()}
    texts |= {p: p.read_text(encoding="utf-8") for p in tracked(".md")}
    for page, text in texts.items():
        # The web edition's own pages are read with the folder of notebooks beside them.
        folders = [page.parent, ROOT] if page.parent.name == "book" else [page.parent]
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if file and "://" not in target and not target.startswith("mailto:"):
                assert any((at / file).exists() for at in folders), f"{page.name}: {target}"
            if anchor and (file or page.name) == "glossary.md":
                assert anchor in glossary(), f"{page.name}: {target}"


def test_ruff_finds_nothing(tmp_path):
    """Ruff passes over cells that begin with a magic, so it is shown solutions without."""
    for path in NOTEBOOKS:
        notebook = copy.deepcopy(read(path))
        for cell in code(notebook):
            if "solution" in tags(cell):
                cell.source = without_magic(cell.source)
        nbformat.write(notebook, tmp_path / path.name)
    for command, ours in (
        (["check"], [*tracked(".py"), tmp_path]),
        (["format", "--check"], tracked(".py")),
    ):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", "pyproject.toml", *ours]
        run = subprocess.run(ruff, capture_output=True, text=True, cwd=ROOT)
        assert run.returncode == 0, run.stdout + run.stderr
