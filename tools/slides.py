"""Slides made from a notebook, by rules and without marks in it: one deck a notebook.

A deck has the title, the questions, a slide for each section with its first paragraph,
each figure and table with the sentence that leads to it, the code that an instructor
types (tag `codealong`), the exercises, what was **Seen here** beside its figure, and the
key points. The prose between goes into the speaker's notes. Sizes of type are computed,
so that nothing leaves a slide of 1280 × 720.
"""

import base64
import html
import math
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat.v4 as v4
import sphinx_revealjs  # for the reveal.js that it carries
from nbconvert import SlidesExporter
from nbconvert.preprocessors import Preprocessor
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
REVEAL = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
PASSED_OVER = {"objectives", "time", "recap", "imports-text", "imports"}
LAST = {"sources", "next"}
WIDTH, HEIGHT = 1120, 550  # pixels for code, below a heading
LINE_OF_LEAD, CHARACTERS_OF_LEAD = 38, 80  # pixels a line; what stands above code or a figure
MONOSPACED = 0.602, 1.35  # width and height of a character, in sizes of type
LARGEST_CODE, SMALLEST_CODE = 28, 15  # pixels; output that would need smaller type is left out
TEXT_SIZES = {45: 36, 80: 32, 125: 28, 1000: 24}  # pixels, for up to so many words
LEADING_WORDS = 45  # of what is said above a figure
OPENING_WORDS = 70  # of what opens a section
CLAIMS_ON_A_SLIDE = 90  # words
LINES_OF_EVIDENCE, LARGEST_EVIDENCE = 8, 22  # printed above claims; pixels
LARGEST_TABLE = 9, 130  # rows, words; larger ones are left out
IMAGE = re.compile(r"!\[(.*?)\]\((.*?)\)", re.DOTALL)


@dataclass
class Picture:
    """An image file, what it shows, and how much wider than high it is."""

    name: str
    alt: str
    shape: float

    def html(self):
        return f'<figure><img src="{self.name}" alt="{html.escape(self.alt)}"></figure>'


@dataclass
class Slide:
    kind: str  # a class in slides.css
    body: str  # Markdown
    heading: str
    begins_section: bool
    notes: list = field(default_factory=list)

    def cells(self):
        heading = f"## {self.heading}\n\n" if self.heading else ""
        slide = v4.new_markdown_cell(heading + self.body)
        place = "slide" if self.begins_section else "subslide"
        slide.metadata.update(slideshow={"slide_type": place}, kind=self.kind)
        slide.metadata["type_size"] = text_size(re.sub(r"<[^>]*>", "", self.body))
        notes = v4.new_markdown_cell("\n\n".join(self.notes))
        notes.metadata["slideshow"] = {"slide_type": "notes"}
        return [slide, notes] if self.notes else [slide]


class Slides(Preprocessor):
    """Replace a notebook's cells by those of its deck; its pictures go to `outputs`."""

    def preprocess(self, notebook, resources):
        deck = Deck(resources["metadata"]["name"][:2], resources.setdefault("outputs", {}))
        for cell in notebook.cells:
            if cell.id in LAST:
                break
            if cell.id not in PASSED_OVER:
                deck.take(cell)
        notebook.cells = [cell for slide in deck.slides for cell in slide.cells()]
        return notebook, resources


class Deck:
    """Reads a notebook's cells in their order and makes slides of them."""

    def __init__(self, number, files):
        self.number, self.files = number, files
        self.slides = []
        self.heading = ""
        self.opening = False  # whether a section has a heading and no slide yet
        self.lead = ""  # the last paragraph since a heading or a slide
        self.evidence = ""  # HTML of what claims are about: a picture, or what was printed
        self.layout = ""  # whether claims stand below or beside it
        self.pictured = False  # whether it is a picture of this section

    def take(self, cell):
        if cell.cell_type == "markdown":
            self._take_text(cell)
        elif "exercise" not in cell.metadata.get("tags", []):
            if "codealong" in cell.metadata.get("tags", []):
                self._add("code", code_and_output(cell, leading(self.lead)), shows_lead=True)
            pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
            for output in pictures:
                self._take_plot(self._stored(output))
            if not pictures:
                self._take_printed(cell)

    def _take_plot(self, picture):
        self._add_picture(picture)
        self.evidence, self.pictured = picture.html(), True
        self.layout = "below" if picture.shape > 2 else "beside"

    def _take_printed(self, cell):
        printed, shown = printed_by(cell), any("data" in output for output in cell.outputs)
        if shown or len(printed.splitlines()) > LINES_OF_EVIDENCE:
            self.evidence = self.evidence if self.pictured else ""
        elif printed:
            size = min(LARGEST_EVIDENCE, type_size(printed))
            self.evidence = f'<pre style="--type: {size}px">{html.escape(printed)}</pre>'
            self.layout, self.pictured = "printed", False

    def _take_text(self, cell):
        blocks = [plain_links(block) for block in split_blocks(cell.source)]
        if cell.id == "title":
            self._add("title", "\n\n".join(blocks), begins=True)
        elif cell.id == "questions":
            self._add("questions", "\n\n".join(blocks))
        elif cell.id == "key-points":
            self._open(blocks[0])
            for page in pages([point for block in blocks[1:] for point in items(block)]):
                self._add("points", "\n".join(page))
        else:
            task = next((i for i, b in enumerate(blocks) if b.startswith("### Exercise")), None)
            for block in blocks[:task]:
                self._take_block(block)
            if task is not None:
                self._add_exercise(*blocks[task:])

    def _take_block(self, block):
        if block.startswith("#"):
            self._open(block)
        elif image := IMAGE.match(block):
            self._add_picture(self._drawn(*image.groups()))
        elif block.startswith("**Seen here:**"):
            self._add_claims([claim for part in block.split("\n\n") for claim in items(part)])
        elif block.startswith("|"):
            rows, words = LARGEST_TABLE
            if len(block.splitlines()) - 2 <= rows and len(block.split()) <= words:
                self._add("table", block, shows_lead=True)
        elif self.opening:
            opening = first_words(block, OPENING_WORDS)
            self._add("section", re.sub(r":$", ".", opening))
            self._note(block)
            self.lead = "" if opening == block else question_of(block)
        else:
            self._note(block)
            self.lead = block

    def _add_exercise(self, heading, *task):
        self._set_heading(heading)
        self._add("exercise", "\n\n".join(task))
        # What follows is about it, and no longer asks for it.
        self.heading = re.sub(r"Exercise \d+: | \(\d+ minutes?\)", "", self.heading)
        self.heading = self.heading[:1].upper() + self.heading[1:]

    def _set_heading(self, heading):
        if self.opening:  # nothing stands between a section's heading and its first part's
            self._add("section", heading.lstrip("# "))
        self.heading = heading.lstrip("# ")

    def _open(self, heading):
        self._set_heading(heading)
        self.opening = self.opening or heading.startswith("## ")
        self.lead, self.pictured = "", False

    def _stored(self, output):
        metadata = output.metadata.get("image/png", {})
        name = f"pictures/{self.number}-{len(self.files) + 1}.png"
        self.files[name] = base64.b64decode(output.data["image/png"])
        shape = metadata.get("width", 1) / metadata.get("height", 1)
        return Picture(name, metadata.get("alt", ""), shape)

    def _drawn(self, alt, link):
        drawing = (ROOT / "notebooks" / link).read_bytes()
        name = f"pictures/{Path(link).name}"
        self.files[name] = drawing
        box = re.search(rb'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', drawing)
        return Picture(name, alt, float(box[1]) / float(box[2]))

    def _add_picture(self, picture):
        self._add("figure", picture.html(), shows_lead=True)

    def _add_claims(self, claims):
        for page in pages(claims):
            words = "\n".join(page)
            self._add(
                f"seen {self.layout}" if self.evidence else "seen",
                f'{self.evidence}\n\n<div class="claims">\n\n{words}\n\n</div>',
            )

    def _add(self, kind, body, *, shows_lead=False, begins=False):
        lead = leading(self.lead) if shows_lead else ""
        if lead:
            body = f'<div class="lead">\n\n{lead}\n\n</div>\n\n{body}'
        heading = "" if kind == "title" else self.heading
        self.slides.append(Slide(kind, body, heading, begins or self.opening))
        self.lead, self.opening = "", False

    def _note(self, text):
        self.slides[-1].notes.append(text)


def split_blocks(source):
    """Paragraphs, tables, images and fenced code; a list stays with the line that leads to it."""
    blocks = re.findall(r"```.*?```|\S.*?(?=\n\s*\n|\Z)", source, re.DOTALL)
    joined = []
    for block in blocks:
        if joined and block.startswith("- ") and joined[-1].startswith("**Seen here:**"):
            joined[-1] += f"\n\n{block}"
        else:
            joined.append(block)
    return joined


def items(block):
    """The items of a list, each as Markdown; a paragraph is one item."""
    block = block.removeprefix("**Seen here:**").strip()
    return [i for i in re.split(r"\n(?=- )", block) if i]


def pages(points):
    """Items dealt out to slides, as evenly as their order allows."""
    words = sum(len(point.split()) for point in points)
    count = max(1, math.ceil(words / CLAIMS_ON_A_SLIDE))
    dealt, so_far = [[] for _ in range(count)], 0
    for point in points:
        dealt[min(count - 1, int(so_far / words * count))].append(point)
        so_far += len(point.split())
    return [page for page in dealt if page]


def sentences(paragraph):
    return re.split(r"(?<=[.!?:])\s+(?=[A-Z0-9*`(])", paragraph)


def first_words(paragraph, most):
    """As many whole sentences as have so many words, one at least."""
    kept, *others = sentences(paragraph)
    for sentence in others:
        if len(f"{kept} {sentence}".split()) > most:
            break
        kept += f" {sentence}"
    return kept


def leading(paragraph):
    """What is said above a figure: a short paragraph, or the question that a long one asks."""
    return paragraph if len(paragraph.split()) <= LEADING_WORDS else question_of(paragraph)


def question_of(paragraph):
    """The last question in it, or nothing."""
    return next((s for s in reversed(sentences(paragraph)) if s.endswith("?")), "")


def plain_links(text):
    """Links to other notebooks and to the glossary become their words: a deck stands alone."""
    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


def printed_by(cell):
    """What it printed, without what was saved and loaded."""
    text = "".join(o.get("text", "") for o in cell.get("outputs", []) if o.output_type == "stream")
    return re.sub(r"^(Saved|Loaded) fit_outputs/.*\n?", "", text, flags=re.MULTILINE).strip("\n")


def code_and_output(cell, lead):
    """Code and what it printed, in the largest type with which both fit below `lead`."""
    printed = printed_by(cell)
    room = HEIGHT - LINE_OF_LEAD * math.ceil(len(lead) / CHARACTERS_OF_LEAD)
    if printed and type_size(f"{cell.source}\n\n{printed}", room) < SMALLEST_CODE:
        printed = ""
    size = type_size(f"{cell.source}\n\n{printed}", room)
    code = f"```python\n{cell.source}\n```"
    output = f'\n\n<pre class="output">{html.escape(printed)}</pre>' if printed else ""
    return f'<div class="typed" style="--type: {size}px">\n\n{code}{output}\n\n</div>'


def type_size(text, room=HEIGHT):
    """The largest size of type, in pixels, with which lines of code fit on a slide."""
    lines = text.splitlines()
    width, height = MONOSPACED
    across = WIDTH / (width * max(map(len, lines)))
    down = room / (height * (len(lines) + 2))
    return int(min(LARGEST_CODE, across, down))


def text_size(text):
    return next(size for words, size in TEXT_SIZES.items() if len(text.split()) <= words)


def make(notebooks, folder):
    """Write a deck for each notebook, read from their paths, and reveal.js beside them."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE"):
        target = folder / "reveal.js" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REVEAL / part, target)
    shutil.copyfile(ROOT / "tools" / "slides" / "slides.css", folder / "slides.css")
    exporter = SlidesExporter(
        config=Config(
            SlidesExporter={
                "extra_template_basedirs": [str(ROOT / "tools")],
                "template_name": "slides",
                "preprocessors": [Slides(enabled=True)],
                "exclude_anchor_links": True,
            },
            CSSHTMLHeaderPreprocessor={"style": "a11y-high-contrast-light"},
        )
    )
    for path in notebooks:
        page, resources = exporter.from_filename(str(path))
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
        for name, content in resources["outputs"].items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
