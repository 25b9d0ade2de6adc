"""HTML and SVG that cannot be broken by what stands in them.

Markup is made by `element` alone, which escapes every child and attribute that is not `Markup`
already: a text of the user's becomes markup only as text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

VOID = {"meta", "br", "hr", "wbr", "img", "line", "rect", "circle", "path", "polyline"}
REPLACEMENT = "\ufffd"
# What HTML may not hold: C0 and C1 controls but tab and line ends, surrogates, noncharacters.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True)
class Markup:
    """Text that is HTML or SVG, not to be escaped again."""

    source: str

    def __add__(self, other: Markup) -> Markup:
        return Markup(self.source + other.source)


Child = Markup | str | int | None
Attribute = str | float | bool | None
NOTHING = Markup("")


def text(value: str) -> Markup:
    """Any string as HTML text: escaped, and what no document may hold replaced."""
    return Markup(html.escape(FORBIDDEN.sub(REPLACEMENT, value)))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """`<tag ...>children</tag>`.

    Args:
        tag: the element's name; never the user's.
        children: markup as it is, anything else as text; None is left out.
        attributes: `class_` is class, `stroke_width` is stroke-width; None and False are left
            out, True stands alone.

    >>> element("td", "a < b", class_="x").source
    '<td class="x">a &lt; b</td>'
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    inside = join(*children).source
    if tag in VOID and not inside:
        return Markup(f"<{tag}{given}/>")
    return Markup(f"<{tag}{given}>{inside}</{tag}>")


def join(*children: Child) -> Markup:
    """Children one after another."""
    return Markup("".join(_child(c) for c in children if c is not None))


def _child(child: Markup | str | int) -> str:
    return child.source if isinstance(child, Markup) else text(str(child)).source


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    known = {"viewBox"}
    shown = name if name in known else name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {shown}"
    told = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {shown}="{text(told).source}"'


def user(value: str, longest: int = 200) -> Markup:
    """A short string of the user's (a label, a name): isolated from the direction around it.

    What is cut off, and is not longer than a tooltip, is told by the title.
    """
    shown = shortened(value, longest)
    title = shortened(value, 500) if shown != value else None
    return element("bdi", shown, title=title)


def shortened(value: str, longest: int) -> str:
    """At most `longest` characters on one line, the last of them an ellipsis if some are cut."""
    line = " ".join(value.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def spelled(value: str) -> str:
    """A name of a file or a word of a command, with what cannot be seen written out: \\u202e."""
    return HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
