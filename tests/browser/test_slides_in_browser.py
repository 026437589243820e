"""Every deck at 1280 × 720, slide by slide: nothing leaves a slide, nothing is fetched."""

import pytest

import slides
from notebook_files import NOTEBOOKS, every_notebook

# For each slide: its heading, how far its content is too wide and too high, in pixels, and
# the height of its lowest picture.
MEASURE = """() => Reveal.getSlides().map(slide => {
  const {h, v} = Reveal.getIndices(slide);
  Reveal.slide(h, v);
  const box = slide.querySelector('.slide');
  const pictures = [...box.querySelectorAll('img')].map(p => p.getBoundingClientRect().height);
  return [box.innerText.split('\\n')[0], box.scrollWidth - box.clientWidth,
          box.scrollHeight - box.clientHeight, Math.min(...pictures, 720)];
})"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    slides.make(NOTEBOOKS, folder)
    return folder


@every_notebook
def test_nothing_leaves_a_slide(visitor, decks, path):
    visitor.troubles.clear()
    visitor.page.goto((decks / f"{path.stem}.html").as_uri())
    visitor.page.wait_for_function("Reveal.isReady()")
    measured = visitor.page.evaluate(MEASURE)
    assert len(measured) > 5
    assert [found for found in measured if found[1] > 0 or found[2] > 0] == []
    assert [found for found in measured if found[3] < 180] == [], "too small to be read"
    assert visitor.troubles == []
    assert visitor.violations(runOnly=["wcag2a", "wcag2aa"]) == []
