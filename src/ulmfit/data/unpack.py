"""Archives of strangers, unpacked into one folder and nowhere else."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ulmfit.errors import InputError

_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive that `unpack` knows."""
    return path.name.lower().endswith(_SUFFIXES)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the files of a tar or zip archive into `folder`.

    Links and devices are refused, and names that lead out of the folder; rights and owners
    in the archive are not taken over.

    Raises:
        InputError: it is no such archive, is damaged, or has such a member.
    """
    members = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    try:
        for name, stream in members(archive):
            target = folder / _inside(name, archive)
            target.parent.mkdir(parents=True, exist_ok=True)
            with stream, target.open("wb") as out:
                shutil.copyfileobj(stream, out, 1 << 20)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise InputError(f"{archive}: the archive is damaged ({error})") from error


def _inside(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name)
    outside = path.is_absolute() or not path.parts or ".." in path.parts
    if outside or any(mark in name for mark in "\\:\0"):
        raise InputError(f"{archive}: member {name!r} would be written outside the folder")
    return path


def _tar_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            if member.isdir():
                continue
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is None:
                raise InputError(f"{archive}: member {member.name!r} is a link or a device")
            yield member.name, stream


def _zip_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as bundle:
        for info in bundle.infolist():
            if not info.is_dir():
                yield info.filename, bundle.open(info)
