"""Downloads against a local server that breaks, lies and lacks; archives of strangers."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ulmfit.data.catalogue import CATALOGUE, Dataset, Download, find_dataset
from ulmfit.data.download import DownloadError, download
from ulmfit.data.fetch import LOCK, fetch
from ulmfit.data.unpack import unpack
from ulmfit.errors import InputError

BODY = os.urandom(3_000_000)
Put = Callable[[str, str | bytes], Path]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Server:
    """What the server has and how it misbehaves; each request's Range header is kept."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    lengths: bool = True
    break_after: list[int] = field(default_factory=list)  # bytes of each of the next answers
    statuses: list[int] = field(default_factory=list)  # of each of the next answers
    tag: str = '"v1"'
    asked: list[str | None] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    behaviour: Server

    def do_GET(self) -> None:
        what = self.behaviour
        wanted = self.headers.get("Range")
        what.asked.append(wanted)
        body = what.files.get(self.path.lstrip("/"))
        if what.statuses or body is None:
            self.send_error(what.statuses.pop(0) if what.statuses else 404)
            return
        same = self.headers.get("If-Range", what.tag) == what.tag
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and same else 0
        start = start if what.ranges else 0
        if start >= len(body) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if what.lengths:
            self.send_header("Content-Length", str(len(body) - start))
        self.send_header("ETag", what.tag)
        self.end_headers()
        stop = what.break_after.pop(0) if what.break_after else len(body)
        self.wfile.write(body[start : start + stop])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    what = Server(files={"file.bin": BODY})
    handler = type("LocalHandler", (Handler,), {"behaviour": what})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        what.url = f"http://127.0.0.1:{running.server_address[1]}/"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield what
        running.shutdown()
        thread.join()


def get(server: Server, target: Path, sha256: str | None = sha(BODY)) -> str:
    return download([server.url + "file.bin"], target, sha256, pause=0.001)


class TestDownload:
    def test_the_file_is_there_and_nothing_else(self, server: Server, tmp_path: Path) -> None:
        seen: list[tuple[int, int | None]] = []
        found = download(
            [server.url + "file.bin"],
            tmp_path / "f",
            progress=lambda done, total: seen.append((done, total)),
        )
        assert found == sha(BODY)
        assert (tmp_path / "f").read_bytes() == BODY
        assert [p.name for p in tmp_path.iterdir()] == ["f"]
        assert seen[-1] == (len(BODY), len(BODY))

    def test_a_broken_connection_goes_on_where_it_stopped(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.break_after = [1_000_000, 500_000]
        get(server, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == BODY
        assert server.asked == [None, "bytes=1000000-", "bytes=1500000-"]

    def test_a_later_call_goes_on_where_the_last_one_gave_up(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.break_after = [1_000_000, 0, 0, 0, 0]
        with pytest.raises(DownloadError, match=r"1,000,000 bytes are kept.*--from FILE"):
            get(server, tmp_path / "f")
        assert not (tmp_path / "f").exists()
        server.asked.clear()
        get(server, tmp_path / "f")
        assert server.asked == ["bytes=1000000-"]
        assert (tmp_path / "f").read_bytes() == BODY

    def test_without_range_it_begins_anew(self, server: Server, tmp_path: Path) -> None:
        server.ranges = False
        server.break_after = [1_000_000]
        get(server, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == BODY
        assert server.asked == [None, "bytes=1000000-"]

    def test_another_version_on_the_server_is_not_glued_to_the_old_half(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.break_after = [1_000_000, 0, 0, 0, 0]
        with pytest.raises(DownloadError):
            get(server, tmp_path / "f", None)
        server.files["file.bin"], server.tag = BODY[::-1], '"v2"'
        get(server, tmp_path / "f", None)
        assert (tmp_path / "f").read_bytes() == BODY[::-1]

    def test_a_foreign_part_file_is_found_out(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "f.part").write_bytes(b"x" * 1000)
        get(server, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == BODY
        assert server.asked == ["bytes=1000-", None]

    @pytest.mark.parametrize("there", [len(BODY), len(BODY) + 5])
    def test_a_part_file_that_is_whole_or_too_long(
        self, server: Server, tmp_path: Path, there: int
    ) -> None:
        (tmp_path / "f.part").write_bytes((BODY + b"extra")[:there])
        get(server, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == BODY

    def test_wrong_bytes_are_thrown_away(self, server: Server, tmp_path: Path) -> None:
        with pytest.raises(DownloadError, match=f"sha256 is {sha(BODY)}, expected {'0' * 64}"):
            get(server, tmp_path / "f", "0" * 64)
        assert list(tmp_path.iterdir()) == []

    def test_no_content_length(self, server: Server, tmp_path: Path) -> None:
        server.lengths = False
        get(server, tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == BODY

    def test_a_server_in_trouble_is_asked_again(self, server: Server, tmp_path: Path) -> None:
        server.statuses = [503, 429, 500]
        get(server, tmp_path / "f")
        assert len(server.asked) == 4

    def test_a_refusal_is_told_and_the_next_address_taken(
        self, server: Server, tmp_path: Path
    ) -> None:
        gone = server.url + "gone.bin"
        with pytest.raises(DownloadError, match=r"gone\.bin: the server answered 404.*--from FILE"):
            download([gone], tmp_path / "f", pause=0.001)
        assert download([gone, server.url + "file.bin"], tmp_path / "f") == sha(BODY)

    def test_nobody_answers(self, tmp_path: Path) -> None:
        with pytest.raises(DownloadError, match=r"127\.0\.0\.1:1/f: .*refused"):
            download(["http://127.0.0.1:1/f"], tmp_path / "f", pause=0.001)


def tar(members: dict[str, bytes | None]) -> bytes:
    """A .tar.gz; None makes a symbolic link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content or b"")
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info, io.BytesIO(content or b""))
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


class TestUnpack:
    @pytest.mark.parametrize(
        "name", ["../out", "/tmp/ulmfit-out", "a/../../out", "c:\\out", "a\\b"]
    )
    def test_nothing_is_written_outside(self, put: Put, tmp_path: Path, name: str) -> None:
        for path in (
            put("in/a.tgz", tar({name: b"x"})),
            put("in/a.zip", zipped({name: b"x"})),
        ):
            with pytest.raises(InputError, match="outside the folder"):
                unpack(path, tmp_path / "in" / "to")
        assert not (tmp_path / "out").exists() and not Path("/tmp/ulmfit-out").exists()

    def test_links_are_refused(self, put: Put, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is a link or a device"):
            unpack(put("a.tgz", tar({"passwd": None})), tmp_path / "to")

    def test_damage_is_said(self, put: Put, tmp_path: Path) -> None:
        whole_tar, whole_zip = tar({"a": BODY}), zipped({"a": BODY})
        for name, content in [
            ("a.tgz", b"no archive"),
            ("b.tgz", whole_tar[: len(whole_tar) // 2]),
            ("a.zip", b"no archive"),
            ("b.zip", whole_zip.replace(BODY[:100], bytes(100))),
        ]:
            with pytest.raises(InputError, match=rf"{name}: the archive is damaged"):
                unpack(put(name, content), tmp_path / "to")


TRAIN, TEST = b"1,good\n", b"2,bad\n"
ARCHIVE = tar({"set/train.csv": TRAIN, "set/test.csv": TEST})


def small(url: str, sha256: str | None = sha(ARCHIVE), archive: str = "set.tgz") -> Dataset:
    return Dataset(
        "small",
        "A small set",
        "nobody",
        (Download(archive, (url + archive,), sha256),),
        {"train": "set/train.csv", "test": "set/test.csv"},
        part_sha256={"test": sha(TEST)},
    )


class TestFetch:
    def test_download_unpack_and_not_again(self, server: Server, tmp_path: Path) -> None:
        server.files["set.tgz"] = ARCHIVE
        got = fetch(small(server.url), tmp_path)
        assert got.parts["train"].read_bytes() == TRAIN
        assert got.sha256 == {"set.tgz": sha(ARCHIVE)}
        assert {p.name for p in got.folder.iterdir()} == {"set", LOCK}
        again = fetch(small(server.url), tmp_path)
        assert again.already_there and again.parts == got.parts
        assert len(server.asked) == 1

    def test_an_unknown_sha256_is_recorded_said_and_held_to(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.files["set.tgz"] = ARCHIVE
        said: list[str] = []
        got = fetch(small(server.url, None), tmp_path, say=said.append)
        assert "nobody published a sha256" in said[0] and sha(ARCHIVE) in said[0]
        got.parts["train"].unlink()
        server.files["set.tgz"] = tar({"set/train.csv": b"changed", "set/test.csv": TEST})
        with pytest.raises(DownloadError, match=f"expected {sha(ARCHIVE)}"):
            fetch(small(server.url, None), tmp_path)

    def test_an_archive_without_its_parts(self, server: Server, tmp_path: Path) -> None:
        server.files["set.tgz"] = tar({"set/train.csv": TRAIN})
        with pytest.raises(InputError, match=r"set/test\.csv is not in the archive"):
            fetch(small(server.url, None), tmp_path)
        server.files["set.tgz"] = tar({"set/train.csv": TRAIN, "set/test.csv": b"other"})
        with pytest.raises(InputError, match=r"set/test\.csv has other bytes"):
            fetch(small(server.url, None), tmp_path)
        assert not (tmp_path / "small" / "set").exists()

    def test_a_local_copy_is_checked_and_needs_no_network(self, put: Put, tmp_path: Path) -> None:
        nowhere = small("http://127.0.0.1:1/")
        got = fetch(nowhere, tmp_path / "data", local=[put("my-copy.tgz", ARCHIVE)])
        assert got.parts["test"].read_bytes() == TEST
        other = put("set.tgz", tar({"set/train.csv": b"mine", "set/test.csv": TEST}))
        said = rf"set\.tgz: its sha256 is .* no file of small; expected set\.tgz .*{sha(ARCHIVE)}"
        with pytest.raises(InputError, match=said):
            fetch(nowhere, tmp_path / "data2", local=[other])
        assert not (tmp_path / "data2").exists()
        mine = fetch(nowhere, tmp_path / "data2", local=[other], check=False)
        assert mine.parts["train"].read_bytes() == b"mine"

    def test_single_parts_are_taken_and_the_missing_ones_named(
        self, put: Put, tmp_path: Path
    ) -> None:
        nowhere = small("http://127.0.0.1:1/")
        got = fetch(nowhere, tmp_path / "data", local=[put("here/test.csv", TEST)])
        assert (set(got.parts), got.missing) == ({"test"}, ("train",))
        put("here/train.csv", TRAIN)
        got = fetch(nowhere, tmp_path / "data", local=[tmp_path / "here"])
        assert (set(got.parts), got.missing) == ({"train", "test"}, ())
        with pytest.raises(InputError, match="no such file"):
            fetch(nowhere, tmp_path / "data3", local=[tmp_path / "none"])

    def test_the_real_trec(self, shared: Path, tmp_path: Path) -> None:
        got = fetch(find_dataset("trec"), tmp_path, local=[shared / "trec"])
        assert not got.missing and set(got.sha256) == {"train_5500.label", "TREC_10.label"}

    def test_the_real_wikitext(self, shared: Path, tmp_path: Path) -> None:
        got = fetch(find_dataset("WikiText-2"), tmp_path, local=[shared / "wikitext-2"])
        assert not got.missing
        mixed_up = shared / "wikitext-103" / "wiki.test.tokens"
        with pytest.raises(InputError, match="no file of wikitext-2"):
            fetch(find_dataset("wikitext-2"), tmp_path / "b", local=[mixed_up])


class TestCatalogue:
    def test_the_papers_sets_are_there(self) -> None:
        names = "imdb trec ag dbpedia yelp-bi yelp-full wikitext-2 wikitext-103"
        assert [dataset.name for dataset in CATALOGUE] == names.split()
        with pytest.raises(InputError, match=r"'mnist'; there are imdb, trec"):
            find_dataset("mnist")

    def test_every_hash_has_the_form_of_one(self) -> None:
        for dataset in CATALOGUE:
            hashes = [d.sha256 for d in dataset.downloads] + list(dataset.part_sha256.values())
            assert all(h is None or re.fullmatch("[0-9a-f]{64}", h) for h in hashes)
            assert all(u.startswith("https://") for d in dataset.downloads for u in d.urls)
