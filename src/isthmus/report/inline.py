"""A page that loads nothing: its template, style and script in one, drawings without style attributes, data for the script, small
pictures, and the rule of what may run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from typing import Any

__all__ = ["data_uri", "drawing", "filled", "policy", "rendered", "safe_json"]

BROAD = 620
"""Wider drawings, in pixels, are not shrunk to the width of a phone, where nobody could read them: they are scrolled."""

_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_ROOT = re.compile(r'\s(?:width|height|style)="[^"]*"')


def filled(package: str, name: str, **facts: Any) -> str:
    """`name`.html.j2 of a package, filled, with `name`.css and `name`.js as its only style and script.

    What the facts hold is escaped, unless it is Markup.
    """
    here = resources.files(package)
    return rendered(
        *(here.joinpath(f"{name}.{end}").read_text(encoding="utf-8") for end in ("html.j2", "css", "js")), **facts
    )


def rendered(page: str, style: str, script: str, **facts: Any) -> str:
    """A template, filled, with this style and script as its only ones."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = lambda text: Markup.escape(text).replace("_", Markup("_<wbr>"))
    return environment.from_string(page).render(
        style=Markup(style), script=Markup(script), policy=policy(style, script), **facts
    )


def drawing(svg: str) -> str:
    """A drawing whose style attributes became presentation attributes, so that the page may forbid every foreign style.

    The width that its root had as `max-width` (in pixels) becomes its `width`; its height follows from the view box.
    """
    size = re.match(r'<svg [^>]*?style="max-width: (\d+)px"', svg)
    root, rest = svg[: svg.index(">") + 1], svg[svg.index(">") + 1 :]
    root = _ROOT.sub("", root)
    if size:
        broad = ' class="broad"' if int(size.group(1)) > BROAD else ""
        root = root.replace("<svg ", f'<svg width="{size.group(1)}"{broad} ', 1)
    return root + _TAG.sub(lambda tag: _STYLE.sub(lambda style: _attributes(style.group(1)), tag.group()), rest)


def _attributes(style: str) -> str:
    pairs = (one.partition(":") for one in style.split(";") if one.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)


def safe_json(value: Any) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or begin a comment.

    Only ASCII is written, and `<`, `>` and `&` as escapes, so `</script>`, `<!--` and the line separators of Unicode cannot occur.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy of the page: our style sheet and our script, known by their hashes, and pictures inside the page."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def data_uri(content: bytes, kind: str) -> str:
    """Bytes as the source of an image element."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
