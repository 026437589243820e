"""A real browser for the tests in this folder: a Chromium, driven by Playwright.

Without one they are skipped, and say what to install.
"""

import os
import shutil

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
OFFLINE = "--disable-background-networking", "--disable-component-update", "--disable-sync"
SERIOUS = "serious", "critical"
# axe-core need not ask for the style sheets once more, which no page opened as a file may.
QUIET = {"preload": False, "resultTypes": ["violations"]}


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="there is no playwright")
    # A browser needs none of the threads that a fit would take, and no display.
    with playwright.sync_playwright() as driver:
        found = next(filter(None, map(shutil.which, NAMES)), driver.chromium.executable_path)
        if not os.path.exists(found):
            pytest.skip("no Chromium: install one, or give `python -m playwright install chromium`")
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = [*OFFLINE, *(["--no-sandbox"] if as_root else [])]
        browser = driver.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


class Visitor:
    """A page, and what went wrong while it was looked at."""

    def __init__(self, browser, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.troubles = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._note_message)
        self.page.on("request", self._note_request)
        self.page.on("requestfailed", lambda asked: self.troubles.append(f"failed: {asked.url}"))

    def _note_message(self, message):
        if message.type == "error":
            self.troubles.append(message.text)

    def _note_request(self, request):
        if not request.url.startswith(("file:", "data:", "blob:", "http://localhost:")):
            self.troubles.append(f"another host: {request.url}")

    def violations(self, where=None, **options):
        """What axe-core finds that is serious: the rule, and the first elements."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        self.page.wait_for_function("document.getAnimations().length === 0")
        response = axe.run(self.page, context=where, options=QUIET | options).response
        return [
            f"{found['id']}: {[node['html'][:200] for node in found['nodes'][:3]]}"
            for found in response["violations"]
            if found["impact"] in SERIOUS
        ]


@pytest.fixture(scope="module")
def visitor(browser):
    visitor = Visitor(browser, viewport={"width": 1280, "height": 720})
    yield visitor
    visitor.context.close()
