"""A Hugging Face hub on this machine: as much of its HTTP interface as the client asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import torch

from ulmfit import bundle as bundles
from ulmfit.bundle import Bundle, HeadConfig, empty_classifier
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.text import Encoder

TOKEN = "hf_of_the_test"


@dataclass
class Repository:
    """Commits of files, and the branches that name them."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        told = repr(sorted(files.items())) + str(len(self.commits))
        sha = hashlib.sha1(told.encode()).hexdigest()
        self.commits[sha] = files
        self.branches[branch] = sha
        return sha

    def at(self, revision: str) -> str | None:
        sha = self.branches.get(revision, revision)
        return sha if sha in self.commits else None


class FakeHub:
    """Serves `repositories` over HTTP; remembers every request and every card it validated."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.cards: list[str] = []
        self.complaints: list[dict[str, str]] = []  # about the next cards
        self.down = False
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                hub.answer(self, b"")

            do_HEAD = do_GET

            def do_POST(self) -> None:
                hub.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name: str, files: dict[str, bytes], branch: str = "main") -> str:
        """Make a commit without HTTP; the sha."""
        return self.repositories.setdefault(name, Repository()).commit(branch, files)

    def files(self, name: str, branch: str = "main") -> dict[str, bytes]:
        repository = self.repositories[name]
        return repository.commits[repository.branches[branch]]

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append(f"{request.command} {path}")
        if self.down:
            return _send(request, 503, b"{}")
        parts = path.strip("/").split("/")
        if request.command == "POST":
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return _send(request, 401, b'{"error": "who are you?"}')
            return self._post(request, parts, body)
        if parts[:2] == ["api", "models"]:
            return self._info(request, "/".join(parts[2:4]), parts[4:])
        if len(parts) < 5 or parts[2] != "resolve":
            return _send(request, 404, b"{}")
        return self._file(request, "/".join(parts[:2]), parts[3], "/".join(parts[4:]))

    def _info(self, request: BaseHTTPRequestHandler, name: str, rest: list[str]) -> None:
        repository = self.repositories.get(name)
        if repository is None:
            return _send(request, 404, b"{}", {"X-Error-Code": "RepoNotFound"})
        sha = repository.at(rest[1] if rest else "main")
        if sha is None:
            return _send(request, 404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        files = repository.commits[sha]
        if rest and rest[0] == "tree":
            tree = [
                {"type": "file", "path": p, "size": len(c), "oid": _oid(c)}
                for p, c in files.items()
            ]
            return _json(request, tree)
        siblings = [{"rfilename": path} for path in files]
        return _json(request, {"id": name, "modelId": name, "sha": sha, "siblings": siblings})

    def _file(self, request: BaseHTTPRequestHandler, name: str, revision: str, path: str) -> None:
        repository = self.repositories[name]
        sha = repository.at(revision)
        if sha is None or path not in repository.commits[sha]:
            return _send(request, 404, b"{}", {"X-Error-Code": "EntryNotFound"})
        content = repository.commits[sha][path]
        return _send(request, 200, content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": sha})

    def _post(self, request: BaseHTTPRequestHandler, parts: list[str], body: bytes) -> None:
        if parts[1] == "validate-yaml":
            self.cards.append(json.loads(body)["content"])
            told = {"errors": self.complaints, "warnings": []}
            return _json(request, told, 400 if self.complaints else 200)
        if parts[1] == "repos":
            asked = json.loads(body)
            name = f"{asked.get('organization') or 'me'}/{asked['name']}"
            taken = name in self.repositories
            if not taken:
                self.repositories[name] = Repository(
                    private=asked.get("visibility") == "private" or bool(asked.get("private"))
                )
                self.repositories[name].commit("main", {".gitattributes": b""})
            made = {"url": f"{self.address}/{name}", "name": name, "id": name}
            return _json(request, made, 409 if taken else 200)
        name, verb, branch = "/".join(parts[2:4]), parts[4], "/".join(parts[5:])
        repository = self.repositories[name]
        if verb == "branch":
            repository.branches.setdefault(branch, repository.branches["main"])
            return _json(request, {})
        if verb == "preupload":
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            return _json(request, {"files": files})
        return _json(request, self._commit(repository, name, branch, body))

    def _commit(self, repository: Repository, name: str, branch: str, body: bytes) -> Any:
        files = dict(repository.commits.get(repository.branches.get(branch, ""), {}))
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        sha = repository.commit(branch, files)
        url = f"{self.address}/{name}/commit/{sha}"
        return {"success": True, "commitOid": sha, "commitUrl": url, "hookOutput": ""}


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _json(request: BaseHTTPRequestHandler, value: Any, status: int = 200) -> None:
    _send(request, status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The hub that the client talks to in this test, with an empty cache and a token."""
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars

    served = FakeHub()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "ENDPOINT", served.address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        served.address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    disable_progress_bars()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="session")
def classifier(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a classifier of both directions, not trained, with figures."""
    sizes, head = Architecture(len(encoder.vocab), 16, 16, 2), HeadConfig()
    torch.manual_seed(0)
    weights = {d: empty_classifier(sizes, head, 2).state_dict() for d in ("forward", "backward")}
    made = Bundle(
        "classifier",
        sizes,
        encoder,
        weights,  # type: ignore[arg-type]
        labels=["bad: *worse*", "good\n---"],
        head=head,
        metrics={"validation": {"accuracy": 0.875, "loss": 0.4}, "train_rows": 20},
    )
    folder = tmp_path_factory.mktemp("model") / "model"
    bundles.save(made, folder, "# A text classifier\n\n---\n\nmore\n")
    return folder


@pytest.fixture(scope="session")
def lm(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a language model, not trained."""
    sizes = Architecture(len(encoder.vocab), 16, 16, 2)
    torch.manual_seed(0)
    weights = LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict()
    figures = {"forward": {"validation": {"loss": 4.5, "perplexity": 90.0, "epoch": 1}}}
    made = Bundle("language-model", sizes, encoder, {"forward": weights}, metrics=figures)
    folder = tmp_path_factory.mktemp("lm") / "lm"
    bundles.save(made, folder, "# A language model\n")
    return folder
