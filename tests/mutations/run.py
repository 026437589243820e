"""Break the lesson as people really break it, and see whether the tests notice: `make mutants`.

mutations.toml lists the edits. Each is made in a clone of the last commit, one at a time, and
the tests that could see it are run there: for a notebook's prose its rules, which compare it
with what the tests of claims quote; for its code the notebook, by nbval, and its claims; for the
helper its unit tests. A row for each goes to results.csv, and RESULTS.md is made of them. A
mutation that has a row is passed over, so the command can be stopped and started again.

    python tests/mutations/run.py                 what has no row yet
    python tests/mutations/run.py --kind prose    only these
    python tests/mutations/run.py 06-no-sigmoid   only those named, even if they have a row
"""

import argparse
import contextlib
import csv
import datetime
import hashlib
import json
import multiprocessing
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("tests/mutations")  # in any clone
COLUMNS = ("name", "edit", "result", "by", "seconds", "commit", "date")
SAFE = "no mutation"  # the result of tests that pass on the lesson as it is
# The rules that hold a notebook's prose against what the tests compute.
TRUTH, TOLD = (
    ("--quick", "-x", "tests/test_notebooks.py", "-k"),
    "claim or reason or stated or time",
)
LIMIT = {"prose": 600, "code": 1800}  # seconds
# Tests run in a fork of a process that has imported what takes longest, and nothing of ours.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["keras", "pandas", "seaborn", "sklearn.linear_model", "sklearn.model_selection", "optuna",
     "IPython", "PIL.Image", "cloudpickle", "joblib", "jupyter_client", "nbclient", "nbformat"]
)  # fmt: skip


def fingerprint(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Mutation:
    """One edit: in `file`, and there in the notebook's `cell`, `old` becomes `new`.

    `mistake` says what people do wrong. `tests` are pytest's arguments; by default they
    follow from the notebook. `survives` is the reason why no test can or should see it.
    """

    name: str
    kind: str  # code or prose
    file: str
    old: str
    new: str
    mistake: str
    cell: str = ""
    tests: tuple[str, ...] = ()
    survives: str = ""

    @property
    def edit(self):
        """A fingerprint: a row of another edit by the same name is not taken for this one's."""
        return fingerprint(self.file, self.cell, self.old, self.new)

    @property
    def command(self):
        """The smallest set of tests that could see it, as arguments of pytest."""
        if self.tests:
            return self.tests
        path = Path(self.file)
        if self.kind == "prose":
            return (*TRUTH, f"{path.stem} and ({TOLD})")
        claims = f"tests/test_claims_{path.name[:2]}.py"
        claims = (claims,) if (ROOT / claims).exists() else ()
        return (self.file, *claims, "tests/test_notebooks.py", "-k", f"{path.stem} or claims")

    @property
    def without(self):
        """What has to pass without the mutation: `command`, or more at one go."""
        return (*TRUTH, TOLD) if self.kind == "prose" and not self.tests else self.command


def read_mutations(root=ROOT):
    tables = tomllib.loads((root / HERE / "mutations.toml").read_text(encoding="utf-8"))
    return [
        Mutation(kind=kind, **{**entry, "tests": tuple(entry.get("tests", ()))})
        for kind, entries in tables.items()
        for entry in entries
    ]


def apply(mutation, root):
    """Make the edit in the tree at `root`.

    Raises:
        ValueError: if `old` is not found exactly once: the table has to follow the lesson.
    """
    path = root / mutation.file
    text = path.read_text(encoding="utf-8")
    if not mutation.cell:
        path.write_text(_replaced(mutation, text), encoding="utf-8")
        return
    notebook = json.loads(text)
    cells = [cell for cell in notebook["cells"] if cell["id"] == mutation.cell]
    if len(cells) != 1:
        raise ValueError(f"{mutation.name}: {mutation.file} has no cell {mutation.cell!r}")
    source = _replaced(mutation, "".join(cells[0]["source"]))
    cells[0]["source"] = source.splitlines(keepends=True)
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def _replaced(mutation, text):
    if (count := text.count(mutation.old)) != 1:
        raise ValueError(f"{mutation.name}: {mutation.old!r} is there {count} times, not once")
    return text.replace(mutation.old, mutation.new)


def judged(returncode, report):
    """What became of a mutation, and by which tests, from pytest's exit status and summary."""
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+\.(?:py|ipynb)(?:::(?:Cell \d+|\S+))?)", report,
                        re.MULTILINE)  # fmt: skip
    if returncode == 0:
        return "survived", []
    if returncode == 1 and failed:
        return "caught", list(dict.fromkeys(failed))
    return "broken", [report.strip()[-300:].replace("\n", " ")]


def pytest(tree, arguments, limit):
    """Run tests in a tree, with all processes that they start; ended at the limit, in seconds."""
    log = tree.parent / "log"
    process = FORKS.Process(target=_pytest, args=(tree, arguments, log))
    process.start()
    try:
        process.join(limit)
        timed_out = process.is_alive()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # kernels too
        process.join()
    if timed_out:
        return "timed out", []
    return judged(process.exitcode, log.read_text(encoding="utf-8", errors="replace"))


def _pytest(tree, arguments, log):
    os.setsid()
    os.chdir(tree)
    with open(log, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    import pytest  # not before: its plugins belong to this run

    options = ["-n0", "-q", "-p", "no:cacheprovider", "--tb=no", "--durations=0", "-rfE"]
    status = pytest.main([*options, "--durations-min=9999", *arguments])
    sys.stdout.flush()
    os._exit(int(status))


class Results:
    """results.csv: the last row of a name and an edit counts."""

    def __init__(self, path):
        self.path = path
        rows = []
        if path.exists():
            with open(path, newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        self.rows = {(row["name"], row["edit"]): row for row in rows}

    def add(self, **row):
        self.rows[row["name"], row["edit"]] = row
        with tempfile.NamedTemporaryFile(
            "w", newline="", encoding="utf-8", dir=self.path.parent, delete=False
        ) as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows.values())
        os.chmod(file.name, 0o644)
        os.replace(file.name, self.path)


def git(*arguments, at=ROOT):
    run = subprocess.run(["git", *arguments], cwd=at, capture_output=True, encoding="utf-8")
    if run.returncode:
        sys.exit(f"git {' '.join(arguments)}: {run.stderr}")
    return run.stdout.strip()


@contextlib.contextmanager
def clone():
    """The last commit, in a folder of its own that is gone afterwards."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        git("clone", "--quiet", "--shared", str(ROOT), str(tree))
        yield tree


def run(mutations, results):
    """Try each mutation; before it, once for each set of tests, that they pass without any."""
    with clone() as tree:
        commit = git("rev-parse", "--short", "HEAD", at=tree)

        def attempt(name, edit, command, limit, mutation=None):
            if mutation:
                apply(mutation, tree)
            start = time.monotonic()
            result, by = pytest(tree, command, limit)
            git("checkout", "--quiet", "--", ".", at=tree)
            shutil.rmtree(tree / "build", ignore_errors=True)
            if not mutation and result != "survived":
                sys.exit(f"without a mutation these tests fail: {command}: {by}")
            results.add(
                name=name, edit=edit, result=result, by=" ".join(by[:4] if mutation else command),
                seconds=round(time.monotonic() - start), commit=commit,
                date=datetime.date.today().isoformat(),
            )  # fmt: skip
            print(f"{name:<28} {result:<9} {' '.join(by[:2])}", flush=True)

        for mutation in mutations:
            limit, safe = LIMIT[mutation.kind], fingerprint(*mutation.without)
            if results.rows.get((SAFE, safe), {}).get("commit") != commit:
                attempt(SAFE, safe, mutation.without, limit)
            attempt(mutation.name, mutation.edit, mutation.command, limit, mutation)


def catcher(by):
    """The kinds of tests that saw a mutation, in a few words."""
    kinds = {
        r"\.ipynb": "stored outputs",
        r"test_claims_": "claims",
        r"test_(notebooks|editions)": "rules",
    }
    words = [word for pattern, word in kinds.items() if re.search(pattern, by)]
    return ", ".join(words) or ", ".join(sorted(set(re.findall(r"tests/(\w+)\.py", by))))


def report(mutations, results):
    """RESULTS.md: counts, then a table of all, then the survivors with their reasons."""
    rows = {m.name: results.rows.get((m.name, m.edit)) for m in mutations}
    done = [row for row in rows.values() if row]
    lines = [
        "# Mutations: does the suite see mistakes?",
        "",
        "Made by `make mutants` from `results.csv`. Each edit of `mutations.toml` was made alone; "
        "*caught* means that a test failed that passes without it.",
        "",
    ]
    if done:
        packages = ", ".join(f"{p} {version(p)}" for p in ("keras", "numpy", "pytest", "nbval"))
        dates = sorted({row["date"] for row in done})
        lines += [
            f"Run from {dates[0]} to {dates[-1]}, Python {platform.python_version()}, {packages}.",
            "",
        ]
    lines += ["| kind | in the table | tried | caught | share |", "|---|---|---|---|---|"]
    for kind in ("code", "prose"):
        ours = [m for m in mutations if m.kind == kind]
        tried = [rows[m.name] for m in ours if rows[m.name]]
        caught = sum(row["result"] == "caught" for row in tried)
        share = f"{caught / len(tried):.0%}" if tried else ""
        lines.append(f"| {kind} | {len(ours)} | {len(tried)} | {caught} | {share} |")
    lines += ["", "| mutation | what people do wrong | result | seen by |", "|---|---|---|---|"]
    for m in mutations:
        row = rows[m.name] or {"result": "not tried yet", "by": ""}
        seen = catcher(row["by"]) if row["result"] == "caught" else ""
        lines.append(f"| {m.name} | {m.mistake} | {row['result']} | {seen} |")
    left = [m for m in mutations if rows[m.name] and rows[m.name]["result"] != "caught"]
    lines += ["", "## Not caught", ""]
    lines += [f"- **{m.name}**: {m.survives or 'no reason given yet'}" for m in left] or ["None."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only these, even if they have a row")
    parser.add_argument("--kind", choices=LIMIT, help="only code, or only prose")
    parser.add_argument("--in", dest="within", default="", help="only files whose path holds this")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it began is tidied up then
    mutations, results = read_mutations(), Results(ROOT / HERE / "results.csv")
    if unknown := set(chosen.names) - {m.name for m in mutations}:
        sys.exit(f"no such mutation: {', '.join(sorted(unknown))}")
    wanted = [
        m
        for m in mutations
        if (m.name in chosen.names if chosen.names else (m.name, m.edit) not in results.rows)
        and chosen.kind in (None, m.kind)
        and chosen.within in m.file
    ]
    try:
        run(wanted, results)
    finally:
        text = report(mutations, Results(ROOT / HERE / "results.csv"))
        (ROOT / HERE / "RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
