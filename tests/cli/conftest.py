"""The command line called in this process, and tiny models to call it on."""

import json
import random
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ulmfit.cli import main

GOOD = ("great", "lovely", "fine", "happy", "warm", "kind", "bright")
BAD = ("awful", "broken", "late", "rude", "cold", "dull", "grey")


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The object on the last line of stdout, which is the only one there."""
        *before, last = self.out.splitlines()
        assert not [line for line in before if line.startswith("{")]
        told = json.loads(last)
        assert isinstance(told, dict)
        return told


Call = Callable[..., Ended]


@pytest.fixture(scope="session")
def call() -> Call:
    def run(*arguments: object) -> Ended:
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        code = end.value.code
        assert isinstance(code, int)
        return Ended(code, out.getvalue(), err.getvalue())

    return run


def reviews(rows: int, seed: int = 0) -> str:
    draw = random.Random(seed)
    lines = ["id,text,label"]
    for number in range(rows):
        words, label = ((GOOD, "pos"), (BAD, "neg"))[number % 2]
        first, second = draw.choice(words), draw.choice(words)
        lines.append(f"{number},the {first} film was {second} and it was {second},{label}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with reviews.csv and text.txt."""
    folder = tmp_path_factory.mktemp("tiny")
    draw = random.Random(0)
    texts = [
        f"the {draw.choice(GOOD + BAD)} film was {draw.choice(GOOD + BAD)} . we saw it in town ."
        for _ in range(30)
    ]
    (folder / "text.txt").write_text("\n\n".join(texts))
    (folder / "reviews.csv").write_text(reviews(40))
    return folder


PRETRAIN = ("--embedding", 16, "--hidden", 16, "--layers", 2, "--min-count", 1, "--workers", 1)


@pytest.fixture(scope="session")
def small_lm() -> tuple[object, ...]:
    """The options that make `ulmfit pretrain` quick."""
    return PRETRAIN


@pytest.fixture(scope="session")
def lm(tiny: Path, call: Call) -> Path:
    """A language model of both directions."""
    out = tiny / "lm"
    ended = call("pretrain", tiny / "text.txt", "--out", out, "--direction", "both", *PRETRAIN)
    assert ended.code == 0, ended.err
    return out


@pytest.fixture(scope="session")
def classifier(tiny: Path, lm: Path, call: Call) -> Path:
    out = tiny / "classifier"
    ended = call(
        *("train", tiny / "reviews.csv", "--lm", lm, "--out", out, "--no-finetune"),
        *("--direction", "forward", "--epochs", 2, "--workers", 1),
    )
    assert ended.code == 0, ended.err
    return out


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
