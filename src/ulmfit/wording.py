"""Quantities as a person reads them."""

from __future__ import annotations

import textwrap


def duration(seconds: float) -> str:
    """Seconds for a person: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int) -> str:
    """A large number for a person: "9,999", "12 thousand", "1.5 million"."""
    if number < 10_000:
        return f"{number:,}"
    return f"{number / 1e6:,.1f} million" if number >= 1e6 else f"{number / 1e3:,.0f} thousand"


def size(number: float) -> str:
    """Bytes for a person: 1.5 MB."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} bytes" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def folded(line: str, width: int) -> str:
    """A line broken between words where it is too long, what is broken off set in by two."""
    if len(line) <= width:
        return line
    return textwrap.fill(
        line,
        width,
        subsequent_indent="  ",
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )


def shortened(text: str, width: int = 60) -> str:
    """The beginning of a user's text in one line, without signs that steer a terminal."""
    printable = "".join(c if c.isprintable() else " " for c in text[: 4 * width])
    line = " ".join(printable.split())
    return line if len(line) <= width and len(text) <= 4 * width else f"{line[: width - 1]}…"
