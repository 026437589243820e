"""Measure our ways beside the textbook's: `make bench`, or for some cases

    .venv/bin/python benchmarks/run.py multi-hot k-fold

Each run is a process of its own. The ways of a case take turns, so that a machine that slows
down slows all of them. A ratio is taken within one turn; the table has the median of the ratios,
the lowest and the highest. The results go to benchmarks/RESULTS.md. `--long` adds the cases that
take minutes and a network: set-up on an empty machine, and the whole series.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import cases
import whole

RESULTS = Path(__file__).with_name("RESULTS.md")
STORED = Path(__file__).with_name("results.json")


def work(key, name, size):
    """In a process of its own: do the work once; print seconds, megabytes and the result."""
    import resource

    way = cases.CASES[key].ways[name]
    steps = way(size) if size else way()
    next(steps)
    start = time.perf_counter()
    try:
        next(steps)
    except StopIteration as end:
        result = end.value
    seconds = time.perf_counter() - start
    peak = cases.megabytes(resource.getrusage(resource.RUSAGE_SELF))
    print(json.dumps({"seconds": seconds, "megabytes": peak, "result": result}))


def run_way(key, name, size=None):
    command = [sys.executable, __file__, "--work", key, name, *([str(size)] if size else [])]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{key}, {name}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(case, run):
    """All rounds of a case, the ways taking turns: for each way a list of runs."""
    runs = {name: [] for name in case.ways}
    for turn in range(case.rounds):
        for name in case.ways:
            runs[name].append(run(name))
            print(f"  {turn + 1}: {name}, {runs[name][-1]['seconds']:.3f} s", flush=True)
    return runs


def compare(key, case, runs):
    """Stop where the ways did not do the same."""
    if case.tolerance is None:
        return
    results = [run["result"] for way in runs.values() for run in way if run["result"] is not None]
    if results and not np.allclose(results, results[0], rtol=case.tolerance, atol=0):
        sys.exit(f"{key}: the ways do not do the same: {results}")


def measure_growth(key, case):
    """For each way the median seconds at each size."""
    found = {name: {} for name in case.ways}
    for size in case.sizes:
        print(f"  {size} {case.unit}", flush=True)
        for name, runs in measure(case, lambda name, size=size: run_way(key, name, size)).items():
            found[name][size] = statistics.median(run["seconds"] for run in runs)
    return found


def table(runs):
    """Rows of Markdown: for each way its seconds, megabytes, and ratio to the first."""
    first = next(iter(runs.values()))
    yield "| way | seconds | times as fast | peak memory, MB |"
    yield "|---|---|---|---|"
    for name, own in runs.items():
        ratios = [a["seconds"] / b["seconds"] for a, b in zip(first, own, strict=True)]
        spread = f"{statistics.median(ratios):.3g} ({min(ratios):.3g} to {max(ratios):.3g})"
        seconds = statistics.median(run["seconds"] for run in own)
        megabytes = statistics.median(run["megabytes"] for run in own)
        yield f"| {name} | {seconds:.3g} | {'' if own is first else spread} | {megabytes:.0f} |"


def growth_table(found, unit):
    """Rows of Markdown: seconds at each size, and the exponent p of seconds ~ size^p."""
    sizes = [int(size) for size in next(iter(found.values()))]
    yield "| way | " + " | ".join(f"{size:,} {unit}" for size in sizes) + " | exponent |"
    yield "|---" * (len(sizes) + 2) + "|"
    for name, seconds in found.items():
        exponent = np.polyfit(np.log(sizes), np.log(list(seconds.values())), 1)[0]
        shown = " | ".join(f"{value:.3g}" for value in seconds.values())
        yield f"| {name} | {shown} | {exponent:.2f} |"


def limit(stored):
    """What share of the machine's products an epoch of 03 uses."""
    epoch, products = stored["epoch-03"]["runs"], stored["limit-03"]["runs"]
    best = statistics.median(run["seconds"] for run in epoch["ours: 125 steps a call"])
    (bare,) = (statistics.median(run["seconds"] for run in way) for way in products.values())
    rate = 40_000 * cases.flops_of_intro() / bare / 1e9
    return (
        f"The products of an epoch of 03 alone would take {bare:.2f} s on this machine, at "
        f"{rate:.0f} GFLOPS: its epoch uses {bare / best:.0%} of what the machine can do."
    )


def write(stored):
    """RESULTS.md from all stored results."""
    lines = ["# Results", "", "Written by `make bench`; do not edit. How: [run.py](run.py).", ""]
    for key, case in (cases.CASES | whole.CASES).items():
        if key not in stored:
            continue
        found = stored[key]
        title = case.title[0].upper() + case.title[1:]
        lines += [
            f"## {title}",
            "",
            *([case.note[0].upper() + case.note[1:] + ".", ""] if case.note else []),
        ]
        lines += growth_table(found["runs"], case.unit) if case.sizes else table(found["runs"])
        lines += ["", f"{found['date']}, {found['machine']}.", ""]
        if key == "limit-03" and "epoch-03" in stored:
            lines += [limit(stored), ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


def machine():
    versions = ", ".join(f"{n} {version(n)}" for n in ("keras", "numpy", "jax"))
    return (
        f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}, "
        f"{versions}"
    )


def main():
    if sys.argv[1:] == ["--raw-files"]:
        cases.raw_files()
        return
    if sys.argv[1:2] == ["--work"]:
        key, name, *size = sys.argv[2:]
        work(key, name, int(size[0]) if size else None)
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--long", action="store_true", help="the cases of minutes too")
    parser.add_argument(
        "keys", nargs="*", metavar="case", help=", ".join(cases.CASES | whole.CASES)
    )
    options = parser.parse_args()
    known = cases.CASES | whole.CASES
    if unknown := set(options.keys) - set(known):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    keys = options.keys or [*cases.CASES, *(whole.CASES if options.long else ())]
    # In a process of its own: a child's peak memory begins with that of its parent.
    subprocess.run([sys.executable, __file__, "--raw-files"], check=True)
    stored = json.loads(STORED.read_text("utf-8")) if STORED.is_file() else {}
    for key in keys:
        case = known[key]
        print(f"{key}: {case.title}", flush=True)
        if case.sizes:
            runs = measure_growth(key, case)
        elif key in whole.CASES:
            runs = measure(case, lambda name, ways=case.ways: whole.run(ways[name]))
        else:
            runs = measure(case, lambda name, key=key: run_way(key, name))
            compare(key, case, runs)
        today = datetime.date.today().isoformat()
        stored[key] = {"date": today, "machine": machine(), "runs": runs}
        # After each case: what is measured stays if the next one fails.
        half = STORED.with_suffix(".half")  # a kill leaves the whole file of before
        half.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        half.replace(STORED)
        write(stored)


if __name__ == "__main__":
    main()
