"""How to make the same model again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ulmfit.pipeline.record import FIT
from ulmfit.report.examination import Findings
from ulmfit.report.markup import Child, Markup, element, join, spelled
from ulmfit.report.numbers import plural, whole
from ulmfit.report.sections.frame import folded, paragraph, section
from ulmfit.report.tables import table, terms


def again(found: Findings) -> Markup | None:
    """Nothing where there is no record."""
    if found.record is None:
        return None
    run = found.record.run
    sessions = run.get("sessions", [])
    return section(
        "again",
        "How to make it again",
        _command(run.get("command_line", [])),
        paragraph(
            f"The same {'fit' if run.get('command') == FIT else 'command'} with the same data, "
            "versions and kind of machine gives the same bytes. With other versions or another "
            "processor the figures differ a little."
        ),
        _versions(sessions, run.get("options", {})),
        _inputs(run.get("inputs", []), {told["path"] for told, _ in found.changed}),
    )


def _command(words: Sequence[str]) -> Markup | None:
    if not words:
        return None
    line = spelled(shlex.join(map(str, words)))
    return element("pre", element("code", line), tabindex=0)


def _versions(sessions: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Markup | None:
    if not sessions:
        return None
    last = sessions[-1]
    versions = ", ".join(f"{name} {number}" for name, number in last["versions"].items())
    low = [str(layer + 1) for layer in last.get("fp32_layers", [])]
    but = f" (layer {', '.join(low)} in fp32)" if low else ""
    machine = (
        f"{str(last['device']).upper()} in {last['precision']}{but}, "
        f"{plural(last['cores'], 'core')} ({last['cpu']}), {plural(last['threads'], 'thread')}"
    )
    told: list[tuple[str, Child]] = [
        ("Seed", str(options.get("machine", {}).get("seed", 0))),
        ("Versions", spelled(versions)),
        ("Machine", spelled(f"{machine}; {last['system']}")),
    ]
    if len(sessions) > 1:
        told.append(("Sittings", _sittings(sessions)))
    return terms(told)


def _sittings(sessions: Sequence[Mapping[str, Any]]) -> str:
    same = all(s["versions"] == sessions[0]["versions"] for s in sessions)
    note = "with the same versions" if same else "with different versions: the last is told"
    return f"{len(sessions)}: it was interrupted and resumed, {note}"


def _inputs(inputs: Sequence[Mapping[str, Any]], changed: set[str]) -> Markup | None:
    if not inputs:
        return None
    rows: list[list[Child]] = [
        [
            join(
                element("bdi", spelled(str(told["path"])), class_="path"),
                element("small", " not as it was") if told["path"] in changed else None,
            ),
            str(told["role"]),
            element("code", str(told["sha256"]), class_="hash"),
            whole(told["bytes"]),
        ]
        for told in inputs
    ]
    shown = table("Inputs and their hashes", ("Input", "As", "SHA-256", "Bytes"), rows, "lllr")
    explained = paragraph(
        "Of a folder, the hash is that of its “sha256  name” lines in the order of the names; of a "
        "model, that of its config.json, which vouches for the rest.",
        class_="remark",
    )
    return folded("Data and language model, with their hashes", shown, explained)
