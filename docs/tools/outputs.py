"""Whether what a block printed is what its page shows."""

from __future__ import annotations

import difflib
import re

NUMBER = r"\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
ANYTHING = "..."


def differs(shown: str, printed: str, *, figures_vary: bool = False) -> str | None:
    """What is wrong, as a diff, or None.

    Spaces count as one, as the width of a column changes with its numbers.

    Args:
        shown: the page's output; `...` stands for anything, alone on a line for any lines.
        printed: what came.
        figures_vary: numbers are only held to be numbers.

    >>> differs("accuracy 91.20% on ... rows", "accuracy 50.00%  on 8 rows", figures_vary=True)
    """
    wanted, came = _even(shown), _even(printed)
    if re.fullmatch(_pattern(wanted, figures_vary), f"{came}\n" * bool(came)):
        return None
    lines = difflib.unified_diff(
        wanted.splitlines(), came.splitlines(), "the page", "printed", lineterm="", n=1
    )
    return "\n".join(lines)


def _even(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def _pattern(wanted: str, figures_vary: bool) -> str:
    """What matches all lines, each with a line end behind it."""
    return "".join(
        r"(?:.*\n)*?" if line == ANYTHING else _line(line, figures_vary) + r"\n"
        for line in wanted.splitlines()
    )


def _line(line: str, figures_vary: bool) -> str:
    parts = [_numbers(p) if figures_vary else re.escape(p) for p in line.split(ANYTHING)]
    return ".*?".join(parts)


def _numbers(text: str) -> str:
    pieces = re.split(f"({NUMBER})", text)
    return "".join(NUMBER if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
