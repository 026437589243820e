"""Which tests run beside which: a notebook with its claims, after what it reads.

The tests are dealt out in units. A unit is one file of tests, the tests of one notebook's
exercises, or one notebook together with tests/test_claims_NN.py, which judges what the
notebook saves. A notebook that loads
what an earlier one saves says so in its code, `load_model("model_intro")`, and is run
after that one. Where there is a choice, what takes longest begins first.
"""

import ast
import csv
import functools
import itertools
import re

from IPython.core.inputtransformer2 import TransformerManager
from xdist.scheduler import LoadScopeScheduling

from notebook_files import NOTEBOOKS, ROOT, code, read, without_magic

LAST = "tests/test_claims_reference.py"  # asks for what all notebooks save
OTHER_SECONDS = 20  # of a file of tests, about
BROWSER_SECONDS = {"tests/browser/test_jupyterlab.py": 110, "tests/test_book.py": 110}


def unit(nodeid):
    """The unit of a test: the notebook's, "notebooks/NN", or the name of its file.

    The exercises of a notebook are a unit of their own: all together take minutes. The web
    edition is built once for what reads its files and what opens them in a browser.
    """
    file = nodeid.split("::")[0].replace("browser/test_book_in_browser", "test_book")
    if exercise := re.match(r"tests/test_checks\.py::\w+\[(\d\d)-", nodeid):
        return f"{file} {exercise[1]}"
    number = re.match(r"notebooks/(\d\d)-[^/]*\.ipynb$|tests/test_claims_(\d\d)\.py$", file)
    return f"notebooks/{number[1] or number[2]}" if number else file


def called(path, prefix):
    """The texts in each statement of a notebook that calls `load_…` or `save_…`: a list of sets."""
    found = []
    for cell in code(read(path)):
        try:
            tree = ast.parse(TransformerManager().transform_cell(without_magic(cell.source)))
        except SyntaxError:  # a blank to fill in, or an error on purpose
            continue
        for statement in ast.walk(tree):
            if isinstance(statement, ast.stmt) and calls(statement, prefix):
                constants = (n.value for n in ast.walk(statement) if isinstance(n, ast.Constant))
                found.append({value for value in constants if isinstance(value, str)})
    return found


def calls(statement, prefix):
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {f"{prefix}_{kind}" for kind in ("model", "history", "table")}
        for node in ast.walk(statement)
    )


@functools.cache
def needs():
    """For each notebook's unit, the units that come before it.

    They are those that save what it loads. But what an earlier notebook loads of a later
    one is the reference, as for a learner who takes them in their order: there the later
    one waits, so that the same is loaded each time.
    """
    units = {unit(f"notebooks/{path.name}"): path for path in NOTEBOOKS}
    saved = {name: set().union(*called(path, "save")) for name, path in units.items()}
    loaded = {n: set().union(*called(path, "load")) - saved[n] for n, path in units.items()}
    before = {name: set() for name in units}
    for reader, writer in itertools.permutations(units, 2):
        if loaded[reader] & saved[writer]:
            first, second = sorted((reader, writer))
            before[second].add(first)
    return before


@functools.cache
def seconds():
    """How long each notebook took when it was measured."""
    with open(ROOT / "tools" / "timings.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {f"notebooks/{row['name'][:2]}": float(row["seconds"]) for row in rows}


@functools.cache
def until_the_end(name):
    """Seconds from the beginning of a unit to the end of the last that waits for it."""
    waiting = [until_the_end(other) for other, wanted in needs().items() if name in wanted]
    own = (seconds() | BROWSER_SECONDS).get(name, OTHER_SECONDS)
    return own + max(waiting, default=0)


def order(nodeid):
    """A key to sort tests by: longest first, a notebook before what waits for it."""
    name = unit(nodeid)
    claims = nodeid.startswith("tests/test_claims_")
    return name == LAST, -until_the_end(name), name, claims


class ByNeed(LoadScopeScheduling):
    """Give each process the first unit for which everything it reads has been saved."""

    def _split_scope(self, nodeid):
        return unit(nodeid)

    def _assign_work_unit(self, node):
        ready = next(filter(self._is_ready, self.workqueue), None)
        if ready is None:
            # A process keeps its last test until it gets another. So where all have come
            # to their last, nothing more will be saved, and what is left may begin.
            if any(self._pending_of(work) > 1 for work in self.assigned_work.values()):
                return
            ready = next(iter(self.workqueue))
        self.workqueue.move_to_end(ready, last=False)
        super()._assign_work_unit(node)

    def _is_ready(self, name):
        wanted = set(needs()) if name == LAST else needs().get(name, set())
        return not any(
            unit(nodeid) in wanted and ".ipynb::" in nodeid and not done
            for work in [self.workqueue, *self.assigned_work.values()]
            for tests in work.values()
            for nodeid, done in tests.items()
        )

    def mark_test_complete(self, node, item_index, duration=0):
        super().mark_test_complete(node, item_index, duration)
        for other in self.nodes:  # one of them may have waited for this
            self._reschedule(other)
