"""What a run was given, told by hash: whoever repeats it can see that the data is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypedDict

from ulmfit.data.sources import files_read
from ulmfit.manifest import fingerprint
from ulmfit.pipeline.options import FinetuneOptions, Options, Source, TrainOptions
from ulmfit.pretrained import HERE

MODELS = ("lm", "teacher")  # roles of a model's folder
CLOCKS = 3600.0  # seconds that the clock of a file server may be wrong


class Input(TypedDict):
    """A file or folder that a run read."""

    role: str
    """"corpus", "data", "unlabelled", "test", "lm" or "teacher" """
    path: str
    files: int
    bytes: int
    sha256: str
    """of the file; of a folder, of `sha256  name` lines of the files that are read from it, in the
    order of the names; of a model, of its config.json, which vouches for the rest"""


def inputs(options: Options) -> list[Input]:
    """Every input of a run, hashed as it stands.

    Raises:
        OSError: one cannot be read.
    """
    return [
        Input(**{**described(role, _place(role, name), format), "path": name})
        for role, name, format in _given(options)
    ]


def _given(options: Options) -> Iterator[tuple[str, str, str | None]]:
    """Role, path (or an embedded model's name) and format of every input."""
    data = getattr(options, "data", None)
    for role in ("corpus", "data", "unlabelled", "test"):
        given = getattr(options, role, ())
        source = given if isinstance(given, Source) else data if role == "test" else None
        for path in given.paths if isinstance(given, Source) else given:
            yield role, path, source.format if source else None
    if isinstance(options, TrainOptions):
        yield "lm", options.language_model, None
    elif isinstance(options, FinetuneOptions):
        yield "lm", options.lm, None
    if start := getattr(options, "start", None):
        yield "lm", start, None
    if teacher := getattr(options, "teacher", None):
        yield "teacher", teacher, None


def _place(role: str, name: str) -> Path:
    """Where the bytes are that stand for an input."""
    if role not in MODELS:
        return Path(name)
    return (Path(name) if Path(name).exists() else HERE / name) / "config.json"


def described(role: str, path: Path, format: str | None = None) -> Input:
    """One file or folder; `format` is what its files were said to be."""
    if not path.is_dir():
        file = fingerprint(path)
        return Input(role=role, path=str(path), files=1, bytes=file.bytes, sha256=file.sha256)
    files = {p.relative_to(path).as_posix(): fingerprint(p) for p in files_read(path, format)}
    lines = "".join(f"{file.sha256}  {name}\n" for name, file in files.items())
    digest = hashlib.sha256(lines.encode("utf8", "surrogateescape")).hexdigest()
    size = sum(file.bytes for file in files.values())
    return Input(role=role, path=str(path), files=len(files), bytes=size, sha256=digest)


def changed(options: Options, told: Sequence[Input], since: float) -> str:
    """How the first input that changed differs from what it was, for a person; "" if none did.

    The size is looked at first. A file that was last touched well before the run began is not
    hashed again: a large corpus takes minutes.

    Args:
        options: of the run.
        told: its inputs, as `inputs` gave them.
        since: when it began, in seconds since 1970.

    Raises:
        OSError: an input cannot be read.
    """
    for (role, name, format), then in zip(_given(options), told, strict=False):
        place = _place(role, name)
        files = files_read(place, format) if place.is_dir() else [place]
        size = sum(path.stat().st_size for path in files)
        now = Input(**{**then, "path": name, "files": len(files), "bytes": size})
        if now["bytes"] == then["bytes"] and _touched([place, *files]) > since - CLOCKS:
            now = Input(**{**described(role, place, format), "path": name})
        if found := difference(then, now):
            return found
    return ""


def _touched(paths: Sequence[Path]) -> float:
    """When one of these was last written, moved or put in place; a link counts as what it is."""
    folders = {path.parent for path in paths[1:]}  # where there are several, a folder's members
    stats = [stat for path in (*paths, *folders) for stat in (path.stat(), path.lstat())]
    return max(max(stat.st_mtime, stat.st_ctime) for stat in stats)


def difference(then: Input, now: Input) -> str:
    """How an input differs from what it was, for a person; "" if it does not."""
    if then["files"] != now["files"]:
        how = f"files: {then['files']:,} then, {now['files']:,} now"
    elif then["bytes"] != now["bytes"]:
        how = f"bytes: {then['bytes']:,} then, {now['bytes']:,} now"
    elif then["sha256"] != now["sha256"]:
        how = "as many bytes, but others"
    else:
        return ""
    return f"{now['path']}: not what it was ({how})"
