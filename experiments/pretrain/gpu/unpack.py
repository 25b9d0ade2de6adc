"""Pieces of a packed corpus -> the corpus, every byte checked.

    python unpack.py packed data     # data/corpus, data/test, data/tokenizer.json

The pieces may lie in several folders (`python unpack.py part-1 part-2 data`): what was sent one by
one need not be gathered first. A piece that is missing or was changed is named.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import coding
import numpy as np
from numpy.typing import NDArray

from ulmfit.errors import InputError

MANIFEST, SMALL = "manifest.json", "small"


def main() -> None:
    """Unpack what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pieces", type=Path, nargs="+", help="folders that hold the pieces")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    unpack(asked.pieces, asked.out)


def unpack(folders: Sequence[Path], out: Path) -> None:
    """Write `out`/corpus and what else was packed.

    Raises:
        InputError: a piece is missing or was changed.
    """
    manifest = json.loads(found(folders, MANIFEST).read_text())
    paths = [checked(folders, piece) for piece in manifest["pieces"]]
    small = json.loads(lzma.decompress(checked(folders, manifest[SMALL]).read_bytes()))
    with ProcessPoolExecutor() as workers:
        parts = list(workers.map(ids_of, paths))
    ids = np.concatenate(parts)
    if hashlib.sha256(ids).hexdigest() != manifest["ids_sha256"]:
        raise InputError(
            f"{paths[0].parent}: the pieces are whole but the ids are not those packed"
        )
    (out / "corpus").mkdir(parents=True, exist_ok=True)
    ids.tofile(out / "corpus" / "ids.bin")
    for name, data in small.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(bytes.fromhex(data))


def ids_of(path: Path) -> NDArray[np.uint16]:
    """The ids in one piece."""
    return coding.opened(path.read_bytes())


def found(folders: Sequence[Path], name: str) -> Path:
    """The file called `name` in the first folder that has it."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{name}: in none of {', '.join(map(str, folders))}")


def checked(folders: Sequence[Path], told: dict[str, Any]) -> Path:
    """A piece that is what the manifest says."""
    path = found(folders, told["name"])
    data = path.read_bytes()
    if len(data) != told["bytes"] or hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise InputError(
            f"{path}: {len(data)} bytes, not the {told['bytes']} that were packed, or changed"
        )
    return path


if __name__ == "__main__":
    main()
