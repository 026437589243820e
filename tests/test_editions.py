"""The editions made from the notebooks: nothing of a solution, and nothing else, is lost."""

import ast
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest

import editions
from notebook_files import NOTEBOOKS, ROOT, code, every_notebook, read, tags, without_magic


def solutions(notebook):
    return [cell for cell in code(notebook) if "solution" in tags(cell)]


@every_notebook
def test_student_edition_has_nothing_of_a_solution(path):
    notebook = read(path)
    others = "\n".join(c.source for c in notebook.cells if "solution" not in tags(c))
    edition = nbformat.writes(editions.edition_of(read_anew(path), "student"))
    assert "%%solution" not in edition
    for cell in solutions(notebook):
        for line in map(str.strip, without_magic(cell.source).splitlines()):
            if len(line) > 20 and line not in others:
                assert line.replace('"', '\\"') not in edition, f"{cell.id}: {line}"


@every_notebook
def test_student_edition_has_all_else(path):
    left_out = {cell.id for cell in solutions(read(path))}
    kept = [
        c for c in read(path).cells if c.id not in left_out and not c.id.endswith("-solution-text")
    ]
    assert editions.edition_of(read_anew(path), "student").cells == kept


@every_notebook
def test_code_along_edition_leaves_one_line(path):
    edition = editions.edition_of(read_anew(path), "codealong")
    for ours, theirs in zip(read(path).cells, edition.cells, strict=True):
        if "codealong" in tags(ours):
            assert theirs.source == f"# Code along: {ours.id.replace('-', ' ')}"
            assert theirs.outputs == []
        else:
            assert theirs == ours


def test_web_edition_has_pictures_as_files_and_their_numbers_as_a_table():
    """MyST-NB would put the whole picture into the page, with the HTML."""
    table = "<details><summary>Numbers</summary></details>"
    picture = {"image/png": "iVBO", "text/html": f"<img>\n{table}", "text/plain": "Words."}
    metadata = {"image/png": {"alt": "Words."}}
    style = "<style scoped>\n    .dataframe { }\n</style>\n"
    frame = {"text/html": f"<div>\n{style}<table></table></div>", "text/plain": "a b"}
    outputs = [
        nbformat.v4.new_output("display_data", picture, metadata=metadata),
        nbformat.v4.new_output("display_data", {**picture, "text/html": "<img>"}),
        nbformat.v4.new_output("execute_result", frame),
    ]
    cell = nbformat.v4.new_code_cell(outputs=outputs)
    notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell("Text.")])
    (cell, _) = editions.edition_of(notebook, "book").cells
    words = {"image/png": "iVBO", "text/plain": "Words."}
    frame["text/html"] = "<div>\n<table></table></div>"
    assert [o.data for o in cell.outputs] == [words, {"text/html": table}, words, frame]
    assert cell.metadata.mystnb.image.alt == "Words."


def read_anew(path):
    """The notebook once more: a preprocessor changes the one that it is given."""
    return nbformat.reads(nbformat.writes(read(path)), as_version=4)


@every_notebook
def test_stub_and_solution_make_the_same_names(path):
    """Else the cells below one of them would miss what they need."""
    cells = {cell.id: cell for cell in code(read(path))}
    for cell in solutions(read(path)):
        stub = cells[cell.id.removesuffix("-solution") + "-here"].source
        asked = {
            name
            for pair in re.findall(r"^(?:def (\w+)|([A-Za-z]\w*) = )", stub, re.MULTILINE)
            for name in pair
            if name
        }
        made = {
            node.id if isinstance(node, ast.Name) else node.name
            for node in ast.walk(ast.parse(without_magic(cell.source)))
            if isinstance(node, ast.Name | ast.FunctionDef)
        }
        assert asked <= made, f"{cell.id} lacks {asked - made}"


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editions") / "student"
    editions.make("student", folder)
    return folder


def test_student_edition_works_where_it_is_unpacked(student):
    """The data are found, the helper judges, and nothing of the maintainers' is there."""
    program = (
        "from lesson import check, load_boston\n"
        "print(load_boston()[0][0].shape)\n"
        "minutes = 1440\n"
        "check('00-first')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=student / "notebooks", capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert "(404, 13)" in run.stdout, run.stderr
    assert "All right." in run.stdout
    assert not (student / "tests").exists()
    readme = (student / "README.md").read_text(encoding="utf-8")
    assert "## Start" in readme
    assert "make student" not in readme
    assert "git pull" not in readme
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", readme) if "://" not in link]
    assert linked
    assert [link for link in linked if not (student / link).exists()] == []
    names = {path.name for path in (student / "notebooks").glob("*.ipynb")}
    assert names == {path.name for path in NOTEBOOKS}


def test_an_edition_made_twice_is_the_same_bytes(tmp_path, monkeypatch):
    some = ["README.md", NOTEBOOKS[0].relative_to(ROOT).as_posix(), "notebooks/lesson/__init__.py"]
    monkeypatch.setattr(editions, "files", lambda: some)
    archives = []
    for name in ("one", "two"):
        editions.make("student", tmp_path / name / "student")
        archives.append(tmp_path / f"{name}.zip")
        editions.pack(tmp_path / name / "student", archives[-1])
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert zipfile.ZipFile(archives[0]).namelist() == sorted(f"student/{name}" for name in some)


def test_files_of_an_edition_are_those_that_git_holds():
    names = set(editions.files())
    assert {"Makefile", "requirements.txt", "notebooks/lesson/checks/judges.py"} <= names
    assert not any(name.startswith("tests/") for name in names)
