# /// script
# dependencies = ["playwright"]
# ///
"""Takes the README's picture: notebook 03 in a real JupyterLab.

    python tools/screenshot.py [--browser /usr/bin/chromium]

Needs the package playwright and a Chromium. Starts the JupyterLab of the
Python that runs it, opens the notebook, scrolls to the cell that fits the
model and photographs the window into fig/jupyterlab.png. With --run-all it
first restarts the kernel, runs every cell and fails if one raises.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "notebooks/03-compile-and-fit.ipynb"
PORT = 8917


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", help="path of a Chromium; default: Playwright's own")
    parser.add_argument("--run-all", action="store_true", help="run every cell first")
    parser.add_argument("--out", type=Path, default=ROOT / "fig" / "jupyterlab.png")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        lab = start_lab(home)
        try:
            photograph(options)
        finally:
            lab.terminate()


def start_lab(home):
    """A JupyterLab with nobody's settings, on this clone."""
    settings = ["--no-browser", f"--port={PORT}", "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={ROOT}", "--IdentityProvider.token="]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings.append("--allow-root")
    write_settings(Path(home) / ".jupyter/lab/user-settings/@jupyterlab")
    environment = {**os.environ, "HOME": home, "FIT_OUTPUTS": f"{home}/fit_outputs"}
    lab = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *settings],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for _ in range(60):
        try:
            urllib.request.urlopen(f"http://localhost:{PORT}/api", timeout=1)
            return lab
        except OSError:
            time.sleep(0.5)
    lab.terminate()
    sys.exit(f"JupyterLab did not start on port {PORT}")


def write_settings(folder):
    """Draw every cell, not only those in sight, and ask nothing at the start."""
    for name, settings in (
        ("notebook-extension/tracker", {"windowingMode": "none"}),
        ("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        file = folder / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")


def photograph(options):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.browser,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.goto(f"http://localhost:{PORT}/lab/tree/{NOTEBOOK}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        page.wait_for_timeout(4000)
        if options.run_all:
            run_all(page)
        choose(page, "View", "Expand All Outputs")  # a solution's are collapsed
        page.wait_for_timeout(2000)
        page.evaluate(SCROLL_TO_CURVES)
        page.wait_for_timeout(2000)
        page.screenshot(path=options.out)
        browser.close()


def choose(page, menu, entry):
    page.click(f"text={menu} >> nth=0")
    page.click(f"text={entry}")


def run_all(page):
    choose(page, "Run", "Restart Kernel and Run All Cells…")
    page.click(".jp-Dialog button.jp-mod-accept")
    page.wait_for_timeout(5000)  # every number has gone from the prompts
    page.wait_for_function(ALL_HAVE_RUN, timeout=600_000)
    errors = page.evaluate(
        "document.querySelectorAll('.jp-OutputArea-output[data-mime-type*=error]').length"
    )
    if errors:
        sys.exit(f"{errors} cells raised an error")


ALL_HAVE_RUN = """() => {
  const prompts = [...document.querySelectorAll('.jp-InputPrompt')].map(p => p.innerText);
  return !prompts.includes('[*]:') && !prompts.includes('[ ]:');
}"""
SCROLL_TO_CURVES = """() => {
  const cells = [...document.querySelectorAll('.jp-CodeCell')];
  const fit = cells.find(c => c.querySelector('img[src^="data:image/"]')
                              && c.innerText.includes('model_few.fit('));
  fit.scrollIntoView({block: 'center'});
}"""

if __name__ == "__main__":
    main()
