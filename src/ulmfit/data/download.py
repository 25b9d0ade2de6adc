"""One file over HTTP, resumed where a broken download stopped, checked before it is there."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

Progress = Callable[[int, int | None], None]  # bytes there, bytes in all if known

CHUNK = 1 << 18  # bytes
TIMEOUT = 30.0  # seconds without a byte
PATIENCE = 4  # tries in a row that bring nothing
_BROKEN = (OSError, http.client.HTTPException)


class DownloadError(Exception):
    """A download failed; the message says what, where and what can be done."""


class _StatusError(Exception):
    """The server answered, and with a refusal."""


def download(
    urls: Sequence[str],
    target: Path,
    sha256: str | None = None,
    *,
    progress: Progress | None = None,
    pause: float = 1.0,
) -> str:
    """Download a file to `target` and return its sha256.

    Bytes go to `NAME.part`, which stays after a failure, and the next call goes on from
    there (HTTP Range; from the start, if the server has no Range or another file by now).

    Args:
        urls: addresses of the same file, tried in turn.
        target: the file; it appears whole and checked, or not at all.
        sha256: what the bytes must be; None takes any.
        progress: called after each chunk.
        pause: seconds before a second try; doubles with each.

    Raises:
        DownloadError: no address gave the file, or its bytes are other ones.
    """
    part = target.with_name(target.name + ".part")
    resumed = part.exists() and part.stat().st_size > 0
    _from_any(urls, part, progress, pause)
    found = file_sha256(part)
    if sha256 is not None and found != sha256 and resumed:  # the old beginning may be at fault
        _forget(part)
        _from_any(urls, part, progress, pause)
        found = file_sha256(part)
    if sha256 is not None and found != sha256:
        _forget(part)
        raise DownloadError(
            f"{target.name} from {urls[0]}: the sha256 is {found}, expected {sha256}. "
            "The file was thrown away: it is damaged, or the publisher changed it"
        )
    part.replace(target)
    _forget(part)
    return found


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_any(urls: Sequence[str], part: Path, progress: Progress | None, pause: float) -> None:
    reasons = []
    for url in urls:
        try:
            return _patiently(url, part, progress, pause)
        except _StatusError as error:
            reasons.append(f"{url}: {error}")
        except _BROKEN as error:
            reasons.append(f"{url}: {_reason(error)}")
    there = part.stat().st_size if part.exists() else 0
    kept = f" {there:,} bytes are kept: the same command goes on from there." if there else ""
    raise DownloadError(
        f"could not download {'; '.join(reasons)}.{kept} "
        "A copy from elsewhere can be given with --from FILE"
    )


def _patiently(url: str, part: Path, progress: Progress | None, pause: float) -> None:
    """Try again and again, as long as each few tries bring some bytes."""
    idle = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            return _once(url, part, progress)
        except _BROKEN:
            gained = part.exists() and part.stat().st_size > before
            idle = 0 if gained else idle + 1
            if idle == PATIENCE:
                raise
            time.sleep(0.0 if gained else pause * 2 ** (idle - 1))


def _once(url: str, part: Path, progress: Progress | None) -> None:
    """One request; returns when the file is whole."""
    there = part.stat().st_size if part.exists() else 0
    mark = _mark_file(part).read_text() if there and _mark_file(part).exists() else ""
    headers = {"User-Agent": "ulmfit", "Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
        if mark:
            headers["If-Range"] = mark
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT
        ) as answer:
            goes_on = answer.status == 206 and _start(answer) == there
            if answer.status == 206 and not goes_on:
                _forget(part)
                raise OSError(f"the server sent another range than the one from byte {there:,}")
            _mark_file(part).write_text(_validator(answer))
            with part.open("ab" if goes_on else "wb", buffering=0) as out:
                _copy(answer, out, there if goes_on else 0, progress)
    except urllib.error.HTTPError as error:
        _refused(error, part, there)


def _copy(
    answer: http.client.HTTPResponse, out: FileIO, there: int, progress: Progress | None
) -> None:
    length = answer.headers.get("Content-Length")
    total = there + int(length) if length is not None else None
    while chunk := answer.read(CHUNK):
        _write(out, chunk)
        there += len(chunk)
        if progress is not None:
            progress(there, total)
    os.fsync(out.fileno())
    if total is not None and there < total:
        raise OSError(f"the connection closed after {there:,} of {total:,} bytes")


def _write(out: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[out.write(rest) :]
    except OSError as error:  # a full disk: trying again would not help
        raise DownloadError(f"{out.name!s}: cannot be written ({error.strerror})") from error


def _refused(error: urllib.error.HTTPError, part: Path, there: int) -> None:
    """Sort an error status: done already, try again, or give up on this address."""
    with error:
        if error.code == 416:  # nothing after `there`: whole, or not this file's beginning
            if error.headers.get("Content-Range") == f"bytes */{there}":
                return
            _forget(part)
            raise OSError("what was there before did not fit and is downloaded anew")
        if error.code >= 500 or error.code == 429:
            raise OSError(f"the server answered {error.code} {error.reason}")
        raise _StatusError(f"the server answered {error.code} {error.reason}")


def _start(answer: http.client.HTTPResponse) -> int:
    """The first byte of a partial answer, from `Content-Range: bytes 5-9/10`."""
    said = answer.headers.get("Content-Range", "")
    first = said.removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdigit() else -1


def _validator(answer: http.client.HTTPResponse) -> str:
    """What names this version of the file to the server (RFC 9110, 13.1.5); no weak tags."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


def _mark_file(part: Path) -> Path:
    return part.with_name(part.name + ".version")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _mark_file(part).unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(reason) or type(reason).__name__
