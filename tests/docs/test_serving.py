"""The web server of docs/how-to/serve-from-python.md answers over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blocks import blocks

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "serve-from-python.md"


@pytest.fixture
def client(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Of the page's server; the test needs fastapi."""
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx2")
    from fastapi.testclient import TestClient

    (server,) = (
        block.code for block in blocks(PAGE.read_text("utf8")) if "FastAPI()" in block.code
    )
    names: dict[str, Any] = {"__name__": "server"}
    monkeypatch.chdir(desk)
    exec(compile(server, PAGE.name, "exec"), names)
    with TestClient(names["app"]) as made:
        yield made


def test_each_text_gets_its_answer_in_order(client: Any) -> None:
    texts = ["A lovely film: warm from the start.", "A dull film, and a slow one."]
    for asked, wanted in ((texts, ["pos", "neg"]), (texts[::-1], ["neg", "pos"]), ([], [])):
        response = client.post("/classify", json=asked)
        assert response.status_code == 200
        assert [answer["label"] for answer in response.json()] == wanted
        assert all(0.5 <= answer["confidence"] <= 1 for answer in response.json())


def test_too_many_texts_are_refused(client: Any) -> None:
    response = client.post("/classify", json=["A film."] * 1_001)
    assert (response.status_code, response.json()["detail"]) == (
        413,
        "at most 1,000 texts a request",
    )


@pytest.mark.parametrize("body", ["A film.", {"text": "A film."}, [1, 2]])
def test_what_is_no_list_of_texts_is_refused(client: Any, body: object) -> None:
    assert client.post("/classify", json=body).status_code == 422
