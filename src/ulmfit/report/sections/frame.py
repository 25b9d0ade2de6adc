"""What the sections share: their frame, figures with captions, lists that fold."""

from __future__ import annotations

from ulmfit.report.markup import Child, Markup, element


def section(key: str, title: str, *children: Child) -> Markup:
    """A section with its heading, to be reached by `#key`."""
    return element("section", element("h2", title), *children, id=key)


def paragraph(*children: Child, class_: str | None = None) -> Markup:
    """A paragraph."""
    return element("p", *children, class_=class_)


def drawing(
    chart: Markup, title: str, told: Child, key: Markup | None = None, *, wide: bool = False
) -> Markup:
    """A chart with its title, what is to be seen in it, and what its signs stand for.

    A `wide` one has these words beside it, where there is room.
    """
    words = element("figcaption", element("h3", title), element("p", told), key)
    return element("figure", words, chart, class_="wide" if wide else None)


def drawings(*figures: Markup | None) -> Markup:
    """Figures side by side, or one below the other where there is no room."""
    return element("div", *figures, class_="drawings")


def folded(summary: str, *children: Child) -> Markup:
    """Something that is shown on request."""
    return element("details", element("summary", summary), *children)


def key_to(shape: str, *entries: tuple[str, str]) -> Markup:
    """What the signs of a chart, "dot" or "stroke", stand for: (class of the style, name)."""
    items = [
        element("li", element("span", class_=f"swatch {shape} {style}", aria_hidden="true"), name)
        for style, name in entries
    ]
    return element("ul", *items, class_="key")
