"""Settings of the web edition: Sphinx, reading the notebooks with MyST-NB.

`make book` gathers what is read here in build/book-source/ (tools/editions.py), with the
outputs that the notebooks hold; nothing is executed.
"""

import os
import re

# Where the repository lives, such as "https://github.com/owner/name". Empty: no page
# offers to open its notebook in Colab or Binder.
REPOSITORY = os.environ.get("BOOK_REPOSITORY", "")

project = "Compile, fit, regularise"
author = "The authors of Compile, fit, regularise"
copyright = "text and figures CC BY 4.0, code MIT"
language = "en"

extensions = ["myst_nb"]
root_doc = "index"
nb_execution_mode = "off"
nb_code_prompt_show = "Show the solution"  # nothing else is folded
nb_code_prompt_hide = "Hide the solution"
nb_ipywidgets_js = {}  # they would be fetched from another host
myst_heading_anchors = 4
myst_enable_extensions = []  # a $ is a dollar

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_last_updated_fmt = ""
html_context = {"default_mode": "auto"}  # dark where the reader's system is
html_theme_options = {
    "use_download_button": True,
    "navbar_persistent": [],  # the search field is in the side bar
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navigation_with_keys": False,
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": REPOSITORY,
        "repository_branch": "main",
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }

epub_basename = "compile-fit-regularise"
epub_show_urls = "footnote"
version = "2"  # the edition
suppress_warnings = ["epub.unknown_project_files", "mystnb.unknown_mime_type"]


def setup(app):
    app.connect("html-page-context", fit_for_epub)


def fit_for_epub(app, pagename, templatename, context, doctree):
    """What MyST-NB writes for a browser and an EPUB may not hold: two titles of a fold, and a
    style sheet that comes after the book is packed.
    """
    if app.builder.name == "epub":
        context["css_files"] = [f for f in context["css_files"] if "mystnb" not in str(f.filename)]
        context["body"] = re.sub(
            r'<p class="collapsed admonition-title">.*?</p>\s*<p class="expanded.*?</p>',
            "<span>Solution</span>",
            context.get("body", ""),
        )
