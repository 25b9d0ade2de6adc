"""push and pull as commands, and hf:// names where a command takes a model's folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from ulmfit.cli import main

from .conftest import FakeHub


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: object) -> tuple[Any, str, Any]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        last = out.splitlines()[-1] if out else "null"
        return end.value.code, out + err, json.loads(last) if "--json" in words else None

    return run


def test_push_and_pull(call: Any, hub: FakeHub, lm: Path, tmp_path: Path) -> None:
    code, said, _ = call("push", lm, "me/lm", "--license", "mit", "-m", "the first")
    assert code == 0 and "hf://me/lm" in said and "no license" not in said
    code, said, _ = call("push", lm, "me/lm@other")
    assert code == 0 and "hf://me/lm@other" in said and "no license" in said
    code, _, told = call("pull", "me/lm", "--out", tmp_path / "lm", "--json")
    assert code == 0 and told == {"name": "me/lm", "model": str(tmp_path / "lm")}
    assert (tmp_path / "lm" / "config.json").is_file()


def test_a_command_takes_a_name_of_the_hub(
    call: Any, hub: FakeHub, lm: Path, classifier: Path, tmp_path: Path
) -> None:
    for model, name in ((lm, "me/lm"), (classifier, "me/reviews")):
        assert call("push", model, name)[0] == 0
    code, _, told = call("generate", "hf://me/lm", "the film", "--tokens", 3, "--json")
    assert code == 0 and told["text"].startswith("the film")
    texts = tmp_path / "texts.csv"
    texts.write_text("text\nthe film was good\n")
    out = tmp_path / "out.csv"
    code, _, told = call("predict", "hf://me/reviews", texts, "-o", out, "--json")
    assert code == 0 and told["rows"] == 1 and out.is_file()


def test_what_is_wrong_is_told(call: Any, hub: FakeHub, lm: Path, tmp_path: Path) -> None:
    for words in (
        ("push", tmp_path, "me/lm"),
        ("push", lm, "me"),
        ("pull", "me/never", "--out", tmp_path / "x"),
        ("evaluate", "hf://me/never", tmp_path / "x.csv"),
        ("generate", "hf://never"),
    ):
        code, said, told = call(*words, "--json")
        assert code == 2 and told["error"] in said and "Traceback" not in said
    hub.down = True
    code, _, told = call("pull", "me/lm", "--out", tmp_path / "x", "--json")
    assert code == 1 and "cannot be reached" in told["error"]
    assert not (tmp_path / "x").exists()
