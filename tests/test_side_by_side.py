"""Tests beside one another come out as one after the other: nothing is read too soon."""

import random
from types import SimpleNamespace

import pytest

from lesson.outputs import REFERENCE
from notebook_files import NOTEBOOKS
from side_by_side import LAST, ByNeed, called, needs, order, unit

CLAIMS = [f"tests/test_claims_{path.name[:2]}.py::test_{i}" for path in NOTEBOOKS for i in "ab"]
CELLS = [f"notebooks/{path.name}::Cell {i}" for path in NOTEBOOKS for i in range(3)]
OTHERS = ["tests/test_plots.py::test_one", "tests/test_plots.py::test_two", f"{LAST}::test_all"]


def test_what_a_notebook_loads_is_read_from_its_code():
    assert needs()["notebooks/09"] >= {"notebooks/03", "notebooks/04"}
    assert needs()["notebooks/04"] == {"notebooks/03"}
    assert needs()["notebooks/00"] == set()
    # 02 shows the filters of 03's network: those of the reference, in any order.
    assert needs()["notebooks/03"] == {"notebooks/02"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_output_is_loaded_by_a_name_that_can_be_read(path):
    """Else the notebook might be run before the one that saves it."""
    names = {file.stem for file in REFERENCE.iterdir()}
    blind = [texts for texts in called(path, "load") if not texts & names]
    assert not blind, "write the names of what is loaded in the statement that loads it"


@pytest.mark.parametrize("seed", range(20))
def test_one_after_the_other_each_comes_after_what_it_reads(seed):
    tests = [*CELLS, *CLAIMS, *OTHERS]
    random.Random(seed).shuffle(tests)
    judge(sorted(tests, key=order))


class Process:
    """A process of tests as pytest-xdist has them: it keeps its last test for a while."""

    def __init__(self, number):
        self.gateway = SimpleNamespace(id=f"gw{number}")
        self.waiting, self.shutting_down = [], False

    def send_runtest_some(self, indices):
        self.waiting += indices

    def shutdown(self):
        self.shutting_down = True

    def can_run(self):
        return len(self.waiting) > (0 if self.shutting_down else 1)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", range(20))
def test_beside_one_another_each_comes_after_what_it_reads(count, seed):
    """Processes of any speed: which one is next is drawn."""
    tests = sorted([*CELLS, *CLAIMS, *OTHERS], key=order)
    config = SimpleNamespace(
        getvalue=lambda name: ["popen"] * count, option=SimpleNamespace(loadscopereorder=False)
    )
    scheduler, chance, done = ByNeed(config), random.Random(seed), []
    processes = [Process(number) for number in range(count)]
    for process in processes:
        scheduler.add_node(process)
        scheduler.add_node_collection(process, tests)
    scheduler.schedule()
    while ready := [process for process in processes if process.can_run()]:
        process = chance.choice(ready)
        index = process.waiting.pop(0)
        done.append(tests[index])
        scheduler.mark_test_complete(process, index)
    judge(done)
    assert not scheduler.has_pending


def judge(done):
    """All have been run, and at each one's turn there was what it reads."""
    assert sorted(done) == sorted([*CELLS, *CLAIMS, *OTHERS])
    place = {test: i for i, test in enumerate(done)}
    for test in [*CELLS, *CLAIMS]:
        wanted = needs()[unit(test)] | ({unit(test)} if test in CLAIMS else set())
        for other in CELLS:
            assert unit(other) not in wanted or place[other] < place[test], (other, test)
    assert place[OTHERS[-1]] > max(place[cell] for cell in CELLS)
