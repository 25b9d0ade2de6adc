"""Which columns hold the text and the label: found by name, or named by the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ulmfit.errors import InputError

LabelColumns = str | Sequence[str] | None
"""what a user asks for: a column, several of 0 and 1, or None to find one"""
NO_LABEL = ""  # given as the label column: take none, whatever the columns are called

TEXT_NAMES = ("review", "sentence", "content", "body", "comment", "message", "document", "tweet")
LABEL_NAMES = ("labels", "class", "category", "sentiment", "target", "topic")


@dataclass(frozen=True, slots=True)
class Columns:
    """The chosen columns.

    `label` is None where all rows are unlabelled, and several names where each column stands for
    a label and says 0 or 1.
    """

    text: tuple[str, ...]
    label: str | tuple[str, ...] | None


def choose_columns(
    names: Sequence[str], text: Sequence[str] | None, label: LabelColumns, where: str
) -> Columns:
    """Choose among the columns `names` of the source called `where`.

    A name that the user gave is taken as it is, or in another case if only one fits. Else
    `text` and `label` are looked for, then the common names above if just one is there.

    Raises:
        InputError: no such column, or several that fit; the message lists what there is.
    """
    if repeated := sorted({name for name in names if list(names).count(name) > 1}):
        raise InputError(f"{where}: column {repeated[0]!r} stands there more than once")
    chosen = tuple(_named(name, names, where, "text") for name in text or ())
    if not chosen:
        found = _found(names, "text", TEXT_NAMES, where)
        if found is None:
            raise InputError(
                f"{where}: no column is named 'text'. {listed(names)} "
                "Name the one with the texts: --text COLUMN (several are joined)"
            )
        chosen = (found,)
    if label is None:
        rest = [name for name in names if name not in chosen]
        return Columns(chosen, _found(rest, "label", LABEL_NAMES, where))
    return Columns(chosen, _labels(label, names, where))


def _labels(
    label: str | Sequence[str], names: Sequence[str], where: str
) -> str | tuple[str, ...] | None:
    """The label columns that the user named."""
    if isinstance(label, str):
        return _named(label, names, where, "label") if label != NO_LABEL else None
    several = tuple(_named(name, names, where, "label") for name in label)
    if len(set(several)) < len(several):
        raise InputError(f"{where}: --label names a column twice ({', '.join(several)})")
    return several if len(several) > 1 else several[0]


def require_column(wanted: str, names: Sequence[str], where: str, option: str) -> None:
    """Raise InputError unless the source called `where` has the column that `option` names."""
    if wanted not in names:
        raise InputError(f"{where}: there is no column {wanted!r} (--{option}). {listed(names)}")


def _named(wanted: str, names: Sequence[str], where: str, option: str) -> str:
    """The column that the user named."""
    alike = [name for name in names if name.casefold() == wanted.casefold()]
    if wanted not in names and len(alike) == 1:
        return alike[0]
    require_column(wanted, names, where, option)
    return wanted


def _found(names: Sequence[str], first: str, others: Sequence[str], where: str) -> str | None:
    """The column called `first`, else the only one that has one of the other names."""
    if first in names:
        return first
    alike = [name for name in names if name.strip().casefold() == first]
    alike = alike or [name for name in names if name.strip().casefold() in others]
    if len(alike) > 1:
        several = " and ".join(map(repr, alike))
        raise InputError(
            f"{where}: the {first} could be in {several}. Name the one: --{first} COLUMN"
        )
    return alike[0] if alike else None


def listed(names: Sequence[str]) -> str:
    """The columns that there are, for a person."""
    shown = ", ".join(repr(name if len(name) <= 40 else name[:39] + "…") for name in names[:30])
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    return f"The columns are {shown}{more}."
