"""The docs site: `make docs` builds it into build/site with every warning an error; it opens from the folder, without a server.

The table of contents is docs/README.md: a line that begins with `**Tutorials**` opens a part, each `- [Title](page.md)` below it
is one of its pages. Decisions and evidence, which README names as folders, are listed whole.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from isthmus import __version__

DOCS = Path(__file__).parent
PART = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)
PAGE = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\.md\)", re.MULTILINE)
FOLDERS = {"Decisions": "decisions", "Evidence": "evidence"}

project = "Isthmus"
author = "The Isthmus developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "README"
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Isthmus"
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"top_of_page_buttons": []}
myst_heading_anchors = 4
myst_links_external_new_tab = False
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"  # the parameters' types stand in the docstrings
autodoc_member_order = "bysource"
autodoc_default_options = {  # scikit-learn's own methods, documented there
    "exclude-members": "get_metadata_routing, set_fit_request, set_predict_request, set_score_request, set_transform_request",
}


def contents(index: str) -> str:
    """Hidden tables of contents, one a part, of the pages that docs/README.md lists in its order."""
    parts = PART.split(index)
    trees = []
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        pages = [f"{title} <{page}>" for title, page in PAGE.findall(text)]
        if pages:
            trees.append((name.strip(), pages))
    trees += [
        (name, [f"{folder}/{page.stem}" for page in sorted((DOCS / folder).glob("*.md"))])
        for name, folder in FOLDERS.items()
    ]
    return "\n\n".join(
        "\n".join(["```{toctree}", ":hidden:", f":caption: {name}", "", *pages, "```"]) for name, pages in trees
    )


def _add_contents(_app: Any, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] = f"{source[0]}\n\n{contents(source[0])}\n"


def setup(app: Any) -> None:
    app.connect("source-read", _add_contents)
