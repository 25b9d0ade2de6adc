"""What a run was given, told by hash: whoever repeats it can see that the data is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypedDict

from ulmfit.manifest import fingerprint
from ulmfit.pipeline.options import Options, Source
from ulmfit.pretrained import DEFAULT, HERE


class Input(TypedDict):
    """A file or folder that a run read."""

    role: str
    """"corpus", "data", "unlabelled", "test" or "lm" """
    path: str
    files: int
    bytes: int
    sha256: str
    """of the file; of a folder, of `sha256  name` lines in the order of the names; of a language
    model, of its config.json, which vouches for the rest"""


def inputs(options: Options) -> list[Input]:
    """Every input of a run, hashed as it stands.

    Raises:
        OSError: one cannot be read.
    """
    found = []
    for role in ("corpus", "data", "unlabelled", "test"):
        given = getattr(options, role, ())
        paths = given.paths if isinstance(given, Source) else given
        found += [described(role, Path(path)) for path in paths]
    if hasattr(options, "lm"):
        found.append(_language_model(options.lm or DEFAULT))
    if start := getattr(options, "start", None):
        found.append(_language_model(start))
    return found


def described(role: str, path: Path) -> Input:
    """One file or folder."""
    if not path.is_dir():
        file = fingerprint(path)
        return Input(role=role, path=str(path), files=1, bytes=file.bytes, sha256=file.sha256)
    members = sorted(p for p in path.rglob("*") if p.is_file())
    files = {p.relative_to(path).as_posix(): fingerprint(p) for p in members}
    lines = "".join(f"{file.sha256}  {name}\n" for name, file in files.items())
    digest = hashlib.sha256(lines.encode("utf8", "surrogateescape")).hexdigest()
    size = sum(file.bytes for file in files.values())
    return Input(role=role, path=str(path), files=len(files), bytes=size, sha256=digest)


def _language_model(name: str) -> Input:
    folder = Path(name) if Path(name).exists() else HERE / name
    return Input(**{**described("lm", folder / "config.json"), "path": name})
