"""The log holds what the code and the pages cite from it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = re.findall(r"^## (.+)$", (ROOT / "experiments/LOG.md").read_text("utf8"), re.M)
PLACES = ("src", "benchmarks", "docs", "experiments", "README.md", "CONTRIBUTING.md")
CITED = re.compile(r'LOG(?:\.md)?[`)]*, "([^"]+)"')
"""a title, maybe cut short by three dots, maybe over two lines of a comment"""

SCRIPTS = [p for p in sorted((ROOT / "experiments").iterdir()) if p.suffix in {".py", ".sh"}]


def citations() -> list[tuple[str, str]]:
    """(file, title) of each title that is cited."""
    files = [
        path
        for place in PLACES
        for path in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*"))
        if path.suffix in {".py", ".md", ".c", ".h", ".sh"} and path.is_file()
    ]
    return [
        (path.relative_to(ROOT).as_posix(), re.sub(r"\s+(?:#|\*|//)?\s*", " ", title))
        for path in files
        for title in CITED.findall(path.read_text("utf8"))
    ]


@pytest.mark.parametrize(("file", "title"), citations())
def test_what_is_cited_is_there(file: str, title: str) -> None:
    begins = title.removesuffix("...").strip()
    found = [h for h in HEADINGS if h == title or (title.endswith("...") and h.startswith(begins))]
    assert found, f"{file} cites LOG, {title!r}"


def test_titles_are_cited_that_this_test_finds() -> None:
    assert ("src/ulmfit/stages/deciding.py", "Which epoch to keep") in citations()


def test_no_title_stands_twice() -> None:
    assert len(HEADINGS) == len(set(HEADINGS))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_every_experiment_has_a_result_or_is_named_as_one_without(script: Path) -> None:
    assert script.name in (ROOT / "experiments/LOG.md").read_text("utf8")
