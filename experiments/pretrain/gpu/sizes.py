"""What each call of LEASE.md would send, beside what may be sent.

    python experiments/pretrain/gpu/sizes.py ["Lease 1"]      # in the repository's root

A call takes along all that git tracks or does not ignore, and the ignored folders it carries.
Exit code 1: a call is too large, or carries what is not there yet.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = Path(__file__).with_name("LEASE.md")
ROOM = 64 << 20  # bytes of one call
MARGIN = 1 << 20  # names and headers travel too
LONGEST = 2000  # characters of a command
PARTS = re.compile(r"^## (?P<part>[^\n]+)$|^```json\n(?P<call>.+?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Call:
    """The arguments of one call, and the part of LEASE.md where it stands."""

    part: str
    command: str
    carry: tuple[str, ...] = ()
    timeout_s: int = 600


def calls(text: str) -> Iterator[Call]:
    """The calls in the order of the page."""
    part = ""
    for match in PARTS.finditer(text):
        part = match["part"] or part
        if match["call"]:
            told = json.loads(match["call"])
            yield Call(part, **{**told, "carry": tuple(told.get("carry", ()))})


def tree(root: Path) -> int:
    """Bytes of what git tracks or does not ignore, as far as it is there."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*command, "--exclude-standard"], capture_output=True, check=True, text=True
    )
    return sum(_size(root / name) for name in set(listed.stdout.split("\0")) - {""})


def _size(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(_size(each) for each in path.iterdir())
    return path.lstat().st_size if path.is_symlink() or path.exists() else 0


def wrong(call: Call, root: Path, sent: int) -> list[str]:
    """Why a call that sends so many bytes would fail."""
    told = [f"{name} is not there" for name in call.carry if not (root / name).is_dir()]
    if sent > ROOM - MARGIN:
        told.append(f"{(sent + MARGIN - ROOM) / 1e6:.1f} MB too much")
    if len(call.command) > LONGEST:
        told.append(f"the command has {len(call.command)} characters")
    return told


def main() -> int:
    """A line for each call of the parts of the page whose titles begin as is asked."""
    root, failed = Path.cwd(), False
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    own = tree(root)
    print(f"the tree: {own / 1e6:.1f} MB; room for {(ROOM - MARGIN - own) / 1e6:.1f} MB beside it")
    part, number = "", 0
    for call in calls(CALLS.read_text("utf8")):
        if not call.part.startswith(wanted):
            continue
        if call.part != part:
            part, number = call.part, 0
            print(part)
        number += 1
        carried = sum(_size(root / name) for name in call.carry)
        reasons = wrong(call, root, own + carried)
        failed = failed or bool(reasons)
        names = ", ".join(call.carry) or "nothing"
        print(
            f"  call {number}: {names} ({carried / 1e6:.1f} MB), {(own + carried) / 1e6:.1f} MB "
            f"in all: {'; '.join(reasons) or 'fits'}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
