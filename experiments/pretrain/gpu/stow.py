"""The files of a folder -> folders small enough to carry one a call, laid over each other there.

    python stow.py runs/packed --name ids     # .lease/ids-0/packed/000.xz, .lease/ids-1/packed/...

`lease.py keep` puts them together again on the other machine, as kept/packed.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

LEASE = Path(".lease")


def main() -> None:
    """Stow what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--name", required=True, help="of the folders")
    parser.add_argument("--mb", type=float, default=31.0, help="largest folder")
    asked = parser.parse_args()
    for folder in stow(asked.source, asked.name, int(asked.mb * 1e6)):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.1f} MB")


def stow(source: Path, name: str, limit: int, lease: Path = LEASE) -> list[Path]:
    """The folders that were written; those of an earlier call are gone.

    Raises:
        ValueError: a file is larger than a folder may be.
    """
    for old in lease.glob(f"{name}-*"):
        shutil.rmtree(old)
    rooms: list[int] = []  # left in each folder
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        size = path.stat().st_size
        if size > limit:
            raise ValueError(f"{path}: {size} bytes do not fit in a folder of {limit}")
        number = next((i for i, room in enumerate(rooms) if size <= room), len(rooms))
        if number == len(rooms):
            rooms.append(limit)
        rooms[number] -= size
        target = lease / f"{name}-{number}" / source.name / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return [lease / f"{name}-{number}" for number in range(len(rooms))]


if __name__ == "__main__":
    main()
