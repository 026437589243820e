"""What the pages for maintainers say of the repository is so."""

import re

import pytest

from notebook_files import ROOT

FOLDERS = "data|fig|fit_outputs|notebooks|tests|tools"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path):
    """A tag can be moved to other code; the comment says which version the commit is."""
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    pinned = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert used
    assert [line for line in used if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_what_a_page_names_is_there(page):
    targets = set(re.findall(r"^([a-z][a-z -]*):", text("Makefile"), re.MULTILINE))
    targets = {target for line in targets for target in line.split()}
    assert set(re.findall(r"(?:^ +|`)make ([a-z]+)", text(page), re.MULTILINE)) <= targets
    for name in re.findall(rf"\b(?:{FOLDERS})/[\w./*-]*\w", text(page)):
        pattern = name.replace("NN-some-words", "NN-*").replace("NN", "[0-9][0-9]")
        assert any(ROOT.glob(pattern)), f"{page} names {name}"


def test_citation_is_of_the_newest_edition():
    newest = re.search(r"^## (\d+\.\d+\.\d+) - (\S+)$", text("CHANGELOG.md"), re.MULTILINE)
    cited = re.search(r'version: (\S+)\ndate-released: "(\S+)"', text("CITATION.cff"))
    assert cited.groups() == newest.groups()
