"""Tables that can be scrolled on a phone without the page moving."""

from __future__ import annotations

from collections.abc import Sequence

from ulmfit.report.markup import Child, Markup, element, join

LEFT = "l"


def table(
    caption: str, header: Sequence[str], rows: Sequence[Sequence[Child]], sides: str | None = None
) -> Markup:
    """A table whose first column names the rows.

    Args:
        caption: what it shows; read aloud, not shown.
        header: of each column.
        rows: as many cells each.
        sides: of each column "l" for words or "r" for figures; None: one of words, then figures.
    """
    chosen = sides or LEFT + "r" * (len(header) - 1)
    head = [_cell("th", name, side, "col") for name, side in zip(header, chosen, strict=True)]
    inside = join(
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *(_row(row, chosen) for row in rows)),
    )
    told = {"class_": "scroll", "role": "region", "aria_label": caption}
    return element("div", element("table", inside), tabindex=0, **told)


def _row(row: Sequence[Child], sides: str) -> Markup:
    first = _cell("th", row[0], LEFT, "row")
    rest = [_cell("td", child, side) for child, side in zip(row[1:], sides[1:], strict=True)]
    return element("tr", first, *rest)


def _cell(tag: str, child: Child, side: str, scope: str | None = None) -> Markup:
    return element(tag, child, scope=scope, class_=None if side == LEFT else "figure")


def terms(pairs: Sequence[tuple[str, Child]]) -> Markup:
    """A list of names and what they stand for."""
    told = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", *told, class_="terms")
