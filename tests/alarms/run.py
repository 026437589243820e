"""How often would each claim have failed with other random numbers? `make alarms`

The series is run once with every seed, in kernels whose seeds are all others, and its claims
are judged; notebooks that load what others save load that of the same seed. A seed that is done
is passed over, so the command can be stopped and given again:

    .venv/bin/python tests/alarms/run.py --seeds 20
    .venv/bin/python tests/alarms/run.py --backend jax --seeds 5 03 04

Every outcome goes to outcomes.csv. RESULTS.md has the claims that failed at least once.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OUTCOMES = HERE / "outcomes.csv"
RESULTS = HERE / "RESULTS.md"
KEYS = ["backend", "seed", "notebook", "claim"]


def judge(numbers, seed, backend):
    """Run notebooks with other seeds, side by side, and their claims; a row for each claim."""
    files = [path for n in numbers for path in (ROOT / "notebooks").glob(f"{n}-*.ipynb")]
    files += [ROOT / "tests" / f"test_claims_{number}.py" for number in numbers]
    with tempfile.TemporaryDirectory() as folder:
        # A copy: IPython writes its history where it finds its profile.
        profile = shutil.copytree(HERE / "ipython", Path(folder, "ipython"))
        environment = os.environ | {
            "IPYTHONDIR": str(profile), "OTHER_SEEDS": str(seed), "KERAS_BACKEND": backend,
        }  # fmt: skip
        report = Path(folder, "report.xml")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *files],
            cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip
        if not report.is_file():
            sys.exit(run.stdout + run.stderr)
        cases = list(ElementTree.parse(report).iter("testcase"))
    for case in cases:
        # The notebook's own cells differ from the stored ones: with other seeds they must.
        number = re.search(r"test_claims_(\d\d)$", case.get("classname", ""))
        kinds = {child.tag for child in case}
        if number and "skipped" not in kinds:
            row = (backend, seed, number[1], case.get("name"))
            yield dict(zip(KEYS, row, strict=True), failed=bool(kinds & {"failure", "error"}))


def stored():
    if OUTCOMES.is_file():
        return pd.read_csv(OUTCOMES, dtype={"notebook": str})
    return pd.DataFrame(columns=[*KEYS, "failed"])


def write(outcomes):
    """RESULTS.md: the counts, and each claim that failed."""
    lines = ["# Alarms", "", "Written by `make alarms`; do not edit. How: [run.py](run.py).", ""]
    lines += ["| backend | notebooks | seeds | claims judged | failed |", "|---|---|---|---|---|"]
    for backend, own in outcomes.groupby("backend"):
        seeds = own.groupby("notebook")["seed"].nunique()
        spread = f"{seeds.min()} to {seeds.max()}" if seeds.nunique() > 1 else f"{seeds.max()}"
        lines.append(
            f"| {backend} | {len(seeds)} | {spread} | {len(own):,} "
            f"| {own['failed'].sum()} ({own['failed'].mean():.2%}) |"
        )
    shares = outcomes.groupby(["backend", "notebook", "claim"])["failed"].agg(["sum", "count"])
    shares = shares[shares["sum"] > 0].sort_values("sum", ascending=False)
    if len(shares):
        lines += ["", "| backend | notebook | claim | failed | of |", "|---|---|---|---|---|"]
    for (backend, notebook, claim), row in shares.iterrows():
        lines.append(f"| {backend} | {notebook} | `{claim}` | {row['sum']} | {row['count']} |")
    RESULTS.write_text("\n".join([*lines, ""]), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--backend", default="tensorflow", choices=("tensorflow", "jax", "torch"))
    parser.add_argument("numbers", nargs="*", help="numbers of notebooks, such as 03")
    options = parser.parse_args()
    every = sorted(
        p.stem.removeprefix("test_claims_") for p in HERE.parent.glob("test_claims_??.py")
    )
    for seed in range(1, options.seeds + 1):
        outcomes = stored()
        its = outcomes[(outcomes["backend"] == options.backend) & (outcomes["seed"] == seed)]
        done = set(its["notebook"]) | ({"12"} if options.backend != "tensorflow" else set())
        left = [n for n in options.numbers or every if n not in done]
        if not left:
            continue
        rows = pd.DataFrame(judge(left, seed, options.backend))
        outcomes = pd.concat([outcomes, rows]) if len(outcomes) else rows
        half = OUTCOMES.with_suffix(".half")  # a kill leaves the whole table of before
        outcomes.sort_values(KEYS).to_csv(half, index=False, lineterminator="\n")
        half.replace(OUTCOMES)
        write(outcomes)
        failed = rows.loc[rows["failed"], "notebook"] + " " + rows.loc[rows["failed"], "claim"]
        print(f"{options.backend}, seed {seed}: {', '.join(failed) or 'all hold'}", flush=True)


if __name__ == "__main__":
    main()
