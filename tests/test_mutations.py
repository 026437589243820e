"""That the table of mutations fits the lesson, and that its runner tells caught from survived."""

import ast
import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from mutations.run import Results, apply, catcher, judged, read_mutations, report
from notebook_files import NOTEBOOKS, ROOT, without_magic

MUTATIONS = read_mutations()


def copied(mutation, folder):
    path = folder / mutation.file
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / mutation.file, path)
    return path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_edit_still_fits(mutation, tmp_path):
    """The old text is there once, and what comes of it is a file of its kind that runs."""
    path = copied(mutation, tmp_path)
    before = path.read_text(encoding="utf-8")
    apply(mutation, tmp_path)
    after = path.read_text(encoding="utf-8")
    assert after != before
    if mutation.cell:
        cells = {cell["id"]: cell for cell in json.loads(after)["cells"]}
        sources = json.loads(before)["cells"]
        differ = [c["id"] for c in sources if cells[c["id"]]["source"] != c["source"]]
        assert differ == [mutation.cell]
        cell = cells[mutation.cell]
        assert (cell["cell_type"] == "code") == (mutation.kind == "code")
        assert "exercise" not in cell["metadata"].get("tags", []), "taken for a learner's answer"
        if mutation.kind == "code":
            ast.parse(without_magic("".join(cell["source"])))
    else:
        ast.parse(after)


def test_mutations_are_many_and_everywhere():
    kinds = Counter(mutation.kind for mutation in MUTATIONS)
    assert kinds["code"] >= 50
    assert kinds["prose"] >= 30
    assert not [name for name, n in Counter(m.name for m in MUTATIONS).items() if n > 1]
    numbers = {path.name[:2] for path in NOTEBOOKS}
    for kind in kinds:
        files = {m.file.removeprefix("notebooks/")[:2] for m in MUTATIONS if m.kind == kind}
        assert numbers <= files, f"{kind}: no mutation in {sorted(numbers - files)}"


def test_edit_that_does_not_fit_is_refused(tmp_path):
    mutation = next(m for m in MUTATIONS if m.cell)
    copied(mutation, tmp_path)
    for wrong in ({"old": "not there"}, {"old": "e"}, {"cell": "no-such-cell"}):
        with pytest.raises(ValueError, match=mutation.name):
            apply(replace(mutation, **wrong), tmp_path)


def test_runs_are_judged():
    failed = "FAILED tests/test_a.py::test_b[02-x] - assert 1\nERROR notebooks/02-x.ipynb::Cell 3\n"
    by = ["tests/test_a.py::test_b[02-x]", "notebooks/02-x.ipynb::Cell 3"]
    assert judged(1, failed) == ("caught", by)
    assert judged(0, "2 passed") == ("survived", [])
    assert judged(2, "ERROR tests/test_a.py - SyntaxError")[0] == "broken"
    assert judged(5, "no tests ran")[0] == "broken"
    assert judged(-9, "")[0] == "broken"
    assert catcher(" ".join(by)) == "stored outputs"
    assert catcher("tests/test_plots.py::test_a") == "test_plots"


def test_results_come_back_and_survivors_are_named(tmp_path):
    caught, survivor, other = MUTATIONS[:3]
    results = Results(tmp_path / "results.csv")
    for mutation, result in ((caught, "caught"), (survivor, "survived")):
        results.add(
            name=mutation.name, edit=mutation.edit, result=result, by="tests/test_a.py::test_b",
            seconds=1, commit="abc", date="2026-11-28",
        )  # fmt: skip
    results = Results(tmp_path / "results.csv")
    assert (caught.name, caught.edit) in results.rows
    changed = replace(caught, new="something else")
    assert (changed.name, changed.edit) not in results.rows
    text = report([caught, replace(survivor, survives="No test should."), other], results)
    assert "| code | 3 | 2 | 1 | 50% |" in text
    assert f"- **{survivor.name}**: No test should." in text
    assert f"| {other.name} | {other.mistake} | not tried yet |  |" in text
