"""The web edition in a browser, opened as files, as after a download."""

import functools
import http.server
import threading

import pytest

from notebook_files import NOTEBOOKS, ROOT

PAGES = [*sorted(page.stem for page in (ROOT / "book").glob("*.md")), "genindex", "search"]
PAGES += [f"notebooks/{name}" for name in ("glossary", "clusters", *(p.stem for p in NOTEBOOKS))]
every_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture
def page(visitor, built_book, name):
    """The page, open in the light theme and at a laptop's width."""
    visitor.troubles.clear()
    visitor.page.emulate_media(color_scheme="light")
    visitor.page.set_viewport_size({"width": 1280, "height": 720})
    visitor.page.goto((built_book / f"{name}.html").as_uri(), wait_until="load")
    return visitor.page


@every_page
def test_page_is_fit_for_everyone(page, visitor, name):
    """No error and no request elsewhere; axe-core finds nothing serious; it fits a phone."""
    # Code has the same colours on each page, and takes long: it is looked at on one.
    where = None if "03-" in name else {"exclude": [[".highlight"]]}
    found = {"light": visitor.violations(where)}
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    found["dark"] = visitor.violations(where, runOnly=["color-contrast"])
    assert found == {"light": [], "dark": []}
    page.set_viewport_size({"width": 375, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert visitor.troubles == []


@pytest.mark.parametrize("name", ["notebooks/03-compile-and-fit"])
def test_a_solution_unfolds(page):
    solution = page.locator(".tag_solution").first
    code = solution.locator(".cell_input .highlight")
    assert not code.is_visible()
    solution.locator("summary").click()
    assert code.is_visible()


@pytest.fixture(scope="module")
def served(built_book):
    """The address of the book on a server of this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=built_book)
    handler.log_message = lambda *arguments: None
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("opened", ["as files", "from a server"])
def test_search_finds_dropout(visitor, built_book, served, opened):
    base = built_book.as_uri() if opened == "as files" else served
    visitor.page.goto(f"{base}/search.html?q=dropout")
    visitor.page.wait_for_selector("#search-results li a")
    found = visitor.page.locator("#search-results").inner_text()
    assert "04 · Dropout" in found
