"""The pages as a whole: none is lost, no link is dead, and nothing public goes untold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from blocks import blocks, pages

import ulmfit
from ulmfit.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {page.relative_to(DOCS).as_posix(): page.read_text("utf8") for page in pages(DOCS)}
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[\w-]+)?\)")


def without_code(page: str) -> str:
    """The prose of a page."""
    return re.sub(r"^( *)```.*?^\1```", "", page, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in kept}


def test_every_page_is_in_the_contents() -> None:
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", PAGES["index.md"], re.MULTILINE | re.DOTALL)
    lines = "\n".join(trees).splitlines()
    listed = [f"{line}.md" for line in lines if line and not line.startswith(":")]
    assert sorted(listed) == sorted(PAGES.keys() - {"index.md"})


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for path, anchor in LINK.findall(without_code(PAGES[name])):
        target = (DOCS / name).parent / path if path else DOCS / name
        assert target.is_file(), f"{name}: {path}"
        if anchor:
            assert anchor[1:] in anchors(target.read_text("utf8")), f"{name}: {path}{anchor}"


def test_the_python_reference_tells_every_public_name() -> None:
    told = re.findall(
        r"^\.\. (?:auto)?\w+:: ulmfit\.(\w+)(?:\(\))?$", PAGES["reference/python.md"], re.M
    )
    assert sorted(told) == sorted(ulmfit.__all__)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_at_work(command: str) -> None:
    shown = [block.code for page in PAGES.values() for block in blocks(page)]
    assert any(re.search(rf"^ulmfit {command}\b", code, re.MULTILINE) for code in shown)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_told(command: str) -> None:
    """In a block or in prose; the reference, which repeats the help, does not count."""
    told = "\n".join(page for name, page in PAGES.items() if name != "reference/commands.md")
    missing = []
    for parameter in COMMANDS[command].params:
        ways = [o for o in parameter.opts + parameter.secondary_opts if o.startswith("--")]
        if ways and not re.search(rf"(?<![\w-])({'|'.join(ways)})(?![\w-])", told):
            missing += ways
    assert not missing, f"ulmfit {command}: no page speaks of {', '.join(missing)}"


def test_the_command_reference_is_what_the_program_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("sphinx")
    from command_help import helps

    from ulmfit.cli import main

    told = helps()
    assert set(told) == {"ulmfit", *(f"ulmfit {command}" for command in COMMANDS)}
    for name, text in told.items():
        with pytest.raises(SystemExit):
            main([*name.split()[1:], "--help"])
        assert capsys.readouterr().out.strip() == text.strip()


def test_the_presets_table_tells_every_value() -> None:
    pytest.importorskip("sphinx")
    from preset_values import values

    from ulmfit.presets import V2

    told = dict(values(V2))
    assert told["classifier.peak"] == "0.01" and told["language_model.dropouts.weight"] == "0.5"
    assert told["language_model.betas"] == "[0.7, 0.99]" and told["keep_vocabulary"] == "false"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """In a process of its own: Python's warnings in Sphinx and its extensions are theirs."""
    pytest.importorskip("sphinx")
    build = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", DOCS, tmp_path]
    subprocess.run(build, check=True)
    assert "ulmfit-train" in (tmp_path / "reference" / "commands.html").read_text("utf8")
