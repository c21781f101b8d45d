"""What stands inside the page cannot break out of it."""

from __future__ import annotations

import json

from isthmus.report import inline

HOSTILE = "</script><!-- <script> ]]> & \u2028 \u2029 \"'"


def test_json_cannot_leave_its_element() -> None:
    """No character that could end a script element, begin a comment or a line is left."""
    assert not set("<>&\u2028\u2029") & set(inline.safe_json({HOSTILE: [HOSTILE]}))


def test_json_says_the_same() -> None:
    """What is read is what was written."""
    assert json.loads(inline.safe_json({HOSTILE: [HOSTILE, 0.1 + 0.2, None]})) == {HOSTILE: [HOSTILE, 0.1 + 0.2, None]}


def test_styles_become_attributes() -> None:
    """A style attribute becomes attributes of its own; the width that the page gives a drawing stays; text is left alone."""
    svg = (
        '<svg role="img" style="max-width: 400px" width="200pt" height="100pt" viewBox="0 0 200 100">'
        '<path style="fill: none; stroke-width: 0.8"/><text>a style="b" c</text></svg>'
    )
    assert inline.drawing(svg) == (
        '<svg width="400" role="img" viewBox="0 0 200 100"><path fill="none" stroke-width="0.8"/><text>a style="b" c</text></svg>'
    )
