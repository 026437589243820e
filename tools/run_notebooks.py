"""Execute notebooks from a fresh kernel each, with a line and a time as they go.

    python tools/run_notebooks.py                executed copies and report to build/
    python tools/run_notebooks.py 03 04          only these
    python tools/run_notebooks.py --write        store the outputs in the notebooks
    python tools/run_notebooks.py --outputs DIR  where the fits save, relative to here

Fits save to build/fit_outputs unless told, so a learner's own are left alone.
"""

import argparse
import contextlib
import csv
import html
import os
import platform
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
TIMINGS = ROOT / "tools" / "timings.csv"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
ANSI_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def find(wanted):
    """Notebooks in order; `wanted` are beginnings of their names."""
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
    for name in wanted:
        if not any(p.name.startswith(name) for p in every):
            sys.exit(
                f"no notebook begins with {name!r}. There are: {', '.join(p.stem for p in every)}"
            )
    return [p for p in every if not wanted or p.name.startswith(tuple(wanted))]


def execute(notebook):
    """Run every cell in a fresh kernel; return what went wrong, or None, and peak memory."""
    client = NotebookClient(
        notebook,
        timeout=1200,
        record_timing=False,  # times would change every stored notebook
        coalesce_streams=True,  # what was printed by one cell is one output
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors, no start-up notices
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    with peak_memory(client) as peak:
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return str(error), max(peak)
    return None, max(peak)


@contextlib.contextmanager
def peak_memory(client):
    """Watch how many bytes the kernel takes, with the processes that it starts: a list."""
    seen, done = [0], threading.Event()

    def watch():
        while not done.wait(0.2):
            with contextlib.suppress(AttributeError, psutil.Error):  # no kernel yet, or no more
                kernel = psutil.Process(client.km.provisioner.pid)
                family = [kernel, *kernel.children(recursive=True)]
                seen.append(sum(process.memory_info().rss for process in family))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def tidy(notebook):
    """Drop what differs between machines; else write what JupyterLab would write.

    So a notebook that was only opened and saved there is changed in the version of
    Python at most.
    """
    version = notebook.metadata.get("language_info", {}).get("version", platform.python_version())
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.metadata.language_info.version = version
    saved = set()
    for cell in notebook.cells:
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
            cell.metadata["collapsed"] = True  # the older name, which JupyterLab adds
        for output in cell.get("outputs", []):
            if "text" in output:
                found = re.findall(r"^Saved fit_outputs/(?:reference/)?(\S+)\.$", output.text, re.M)
                saved |= set(found)
                output.text = _as_a_learner_sees_it(output.text, saved)
            if output.output_type == "error":
                # A traceback quotes paths of this machine; keep the message.
                output.traceback = [f"{output.ename}: {output.evalue}"]
    return notebook


def _as_a_learner_sees_it(text, saved):
    """What is printed where fits save to fit_outputs/, and none but these has been saved yet."""
    text = text.replace("Saved fit_outputs/reference/", "Saved fit_outputs/")

    def loaded(match):
        if match[1] in saved:
            return f"Loaded fit_outputs/{match[1]} (your own run)"
        return (
            f"Loaded fit_outputs/reference/{match[1]} (the reference run: you have saved none yet)"
        )

    return re.sub(r"Loaded fit_outputs/reference/(\S+) \([^)]*\)", loaded, text)


def write_html(notebook, name):
    exporter = HTMLExporter(embed_images=True)
    body, _ = exporter.from_notebook_node(
        notebook, {"metadata": {"name": name, "path": str(NOTEBOOKS)}}
    )
    (BUILD / f"{name}.html").write_text(body, encoding="utf-8")


def write_report(rows):
    lines = "\n".join(
        f'<tr><td><a href="{name}.html">{name}</a></td><td>{seconds:.0f} s</td>'
        f"<td>{html.escape(ANSI_COLOUR.sub('', fault)) if fault else 'passed'}</td></tr>"
        for name, seconds, fault in rows
    )
    (BUILD / "index.html").write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Notebook run</title>'
        "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left;"
        "vertical-align:top;white-space:pre-wrap}</style><h1>Notebook run</h1>"
        f"<table><tr><th>Notebook</th><th>Time</th><th>Result</th></tr>\n{lines}</table></html>\n",
        encoding="utf-8",
    )


def small_fit():
    """Seconds that notebook 00's small fit takes here and now, the middle one of three."""
    program = "from lesson import environment; print(environment.time_small_fit())"
    command = [sys.executable, "-c", program]
    runs = [
        subprocess.run(command, cwd=NOTEBOOKS, capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def record(name, seconds):
    """Keep a notebook's time in timings.csv.

    The times there are those of one machine, whose small fit took as long as the last row
    says. What is measured on another, or on a slow day, is scaled to that, so the rows
    can be compared and notebook 00 can forecast from them.
    """
    with open(TIMINGS, newline="", encoding="utf-8") as file:
        times = {row["name"]: row["seconds"] for row in csv.DictReader(file)}
    here = small_fit()
    times[name] = f"{seconds * float(times['small fit']) / here:.1f}"
    print(f"{'':<40}{times[name]:>7} s where the small fit takes {times['small fit']} s")
    with open(TIMINGS, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "seconds"])
        writer.writerows(sorted(times.items()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="beginnings of notebook names, such as 03")
    parser.add_argument("--write", action="store_true", help="store outputs and times")
    parser.add_argument("--outputs", default="build/fit_outputs", help="where the fits save")
    options = parser.parse_args()
    paths = find(options.names)
    BUILD.mkdir(exist_ok=True)
    os.environ["FIT_OUTPUTS"] = str(ROOT / options.outputs)
    rows = []
    for path in paths:
        print(f"{path.stem:<40}", end="", flush=True)
        notebook = nbformat.read(path, as_version=4)
        start = time.monotonic()
        fault, memory = execute(notebook)
        seconds = time.monotonic() - start
        outcome = "FAILED" if fault else "passed"
        print(f"{seconds:7.1f} s {memory / 2**30:5.1f} GiB   {outcome}", flush=True)
        if fault:
            print(fault, file=sys.stderr)
        rows.append((path.stem, seconds, fault))
        tidy(notebook)
        nbformat.write(notebook, path if options.write and not fault else BUILD / path.name)
        write_html(notebook, path.stem)
        write_report(rows)
        if options.write and not fault:
            record(path.stem, seconds)
    print(f"\nReport: {(BUILD / 'index.html').relative_to(ROOT)}")
    return 1 if any(fault for *_, fault in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
