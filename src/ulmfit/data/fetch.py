"""A data set from its publisher, or from a local copy: checked, unpacked, recorded."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ulmfit.data.catalogue import Dataset, Download
from ulmfit.data.download import DownloadError, Progress, download, file_sha256
from ulmfit.data.unpack import is_archive, unpack
from ulmfit.errors import InputError

LOCK = "fetched.json"  # beside the data: the sha256 of everything that was fetched
LOCK_VERSION = 1


@dataclass(frozen=True)
class Fetched:
    """A data set on disk. `parts` are those that are there, `missing` those that are not."""

    folder: Path
    parts: dict[str, Path]
    missing: tuple[str, ...]
    sha256: dict[str, str]
    already_there: bool


@dataclass
class _Work:
    """One fetch under way."""

    dataset: Dataset
    folder: Path
    sha256: dict[str, str]  # by file name, as the lock holds them
    check: bool
    progress: Progress | None
    say: Callable[[str], None]


def fetch(
    dataset: Dataset,
    root: Path,
    *,
    local: Sequence[Path] = (),
    check: bool = True,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda message: None,
) -> Fetched:
    """Fetch a data set into `root/NAME` and unpack it; what is there already is left alone.

    Args:
        dataset: one of the catalogue.
        root: the folder for all data sets; made if need be.
        local: files, or folders with files, to take instead of any download: the publisher's
            archive or files, or single parts of it.
        check: refuse a local file whose sha256 is not the publisher's.
        progress: called with bytes there and bytes in all during a download.
        say: called with what a person should know, such as a sha256 that nobody published.

    Raises:
        InputError: a local file is missing or not the data set's.
        DownloadError: a download failed, its bytes are wrong, or the archive lacks a part.
    """
    folder = root / dataset.name
    work = _Work(dataset, folder, _read_lock(folder), check, progress, say)
    already = not _missing(work) and (folder / LOCK).exists()
    if not already:
        for path in _files(local, dataset):
            _take(work, path)
        for wanted in () if local else dataset.downloads:
            _download(work, wanted)
        _write_lock(work)
    there = {part: folder / path for part, path in dataset.parts.items()}
    missing = _missing(work)
    if missing and not local:
        raise DownloadError(f"{folder}: {', '.join(missing)} was not in what was downloaded")
    return Fetched(
        folder,
        {part: path for part, path in there.items() if part not in missing},
        missing,
        work.sha256,
        already,
    )


def _missing(work: _Work) -> tuple[str, ...]:
    parts = work.dataset.parts
    return tuple(part for part, path in parts.items() if not (work.folder / path).exists())


def _download(work: _Work, wanted: Download) -> None:
    expected = wanted.sha256 or work.sha256.get(wanted.name)
    target = work.folder / wanted.name
    work.folder.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and file_sha256(target) == expected):
        found = download(wanted.urls, target, expected, progress=work.progress)
        if expected is None:
            work.say(f"{wanted.name}: nobody published a sha256; {found} is kept in {LOCK}")
        work.sha256[wanted.name] = found
    work.sha256[wanted.name] = work.sha256.get(wanted.name) or file_sha256(target)
    if is_archive(target):
        _unpack(work, target)
        target.unlink()


def _files(local: Sequence[Path], dataset: Dataset) -> Iterator[Path]:
    """Local files; of a folder, those that have the name of a download or a part."""
    names = {d.name for d in dataset.downloads} | {Path(p).name for p in dataset.parts.values()}
    for path in local:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.name in names and p.is_file())
            if not inside:
                raise InputError(f"{path}: none of {', '.join(sorted(names))} is in this folder")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise InputError(f"{path}: there is no such file or folder")


def _take(work: _Work, path: Path) -> None:
    """Put a local file where the download would have put it."""
    found = file_sha256(path)
    parts = work.dataset.parts
    by_sha = {sha: parts[part] for part, sha in work.dataset.part_sha256.items()}
    by_sha |= {d.sha256: d.name for d in work.dataset.downloads if d.sha256}
    by_name = {Path(p).name: p for p in parts.values()} | {
        d.name: d.name for d in work.dataset.downloads
    }
    place = by_sha.get(found) or by_name.get(path.name)
    if work.check and (place is None or _is_other(work, place, found)):
        raise InputError(_not_the_publishers(work.dataset, path, found))
    work.folder.mkdir(parents=True, exist_ok=True)
    if is_archive(path):
        _unpack(work, path)
    else:
        _copy(path, work.folder / (place or path.name))
    work.sha256[path.name] = found


def _is_other(work: _Work, place: str, found: str) -> bool:
    """Whether a published sha256 for this place is another one."""
    known = {d.name: d.sha256 for d in work.dataset.downloads}
    known |= {work.dataset.parts[part]: sha for part, sha in work.dataset.part_sha256.items()}
    return known.get(place) not in (None, found)


def _not_the_publishers(dataset: Dataset, path: Path, found: str) -> str:
    wanted = "; ".join(f"{d.name} (sha256 {d.sha256})" for d in dataset.downloads)
    return (
        f"{path}: its sha256 is {found}, which is no file of {dataset.name}; expected {wanted}. "
        "A file of your own needs no fetching: give it to the command that uses it"
    )


def _unpack(work: _Work, archive: Path) -> None:
    """Unpack aside, then move what is in it into the folder."""
    with _aside(work.folder / ".unpacking") as aside:
        unpack(archive, aside)
        _check_parts(work, archive, aside)
        for item in sorted(aside.iterdir()):
            target = work.folder / item.name
            if target.is_dir():
                shutil.rmtree(target)
            item.replace(target)


def _check_parts(work: _Work, archive: Path, aside: Path) -> None:
    for part, path in work.dataset.parts.items():
        if not (aside / path).exists():
            raise InputError(f"{archive}: {path} is not in the archive")
        sha = work.dataset.part_sha256.get(part)
        if work.check and sha is not None and file_sha256(aside / path) != sha:
            raise InputError(f"{archive}: {path} has other bytes than the published file")


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.replace(target)


def _read_lock(folder: Path) -> dict[str, str]:
    path = folder / LOCK
    if not path.exists():
        return {}
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(sha) for name, sha in held["sha256"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: damaged ({error}); remove it to fetch anew") from error


def _write_lock(work: _Work) -> None:
    path = work.folder / LOCK
    held = {"version": LOCK_VERSION, "dataset": work.dataset.name, "sha256": work.sha256}
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8") as out:
        json.dump(held, out, indent=2, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
