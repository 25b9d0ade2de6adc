"""`docs/tools/fill.py` runs the commands of a page and writes into it what they print."""

import re
from pathlib import Path

import pytest

pytest.importorskip("pyte")
from blocks import blocks
from fill import FILLED, filled, took
from terminal import Terminal

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = """# A page

<!-- test: file names.txt -->
```text
Ada
```

```sh
cat names.txt
mkdir deeper && cd deeper
export GREETING=hello
```

<!-- test: parsed only, it installs -->
```sh
pip install everything
```

Then:

```sh
pwd | xargs basename; echo $GREETING
```
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    (tmp_path / "desk").mkdir()
    return Terminal(tmp_path / "desk", tmp_path / "state")


def test_a_page_is_filled(terminal: Terminal) -> None:
    page = "".join(filled(PAGE, terminal, install=False))
    outputs = [b.output.code for b in blocks(page) if b.output]
    assert outputs == ["Ada\n", "deeper\nhello\n"]
    assert all(b.output is None or b.output.marked("recorded") == "" for b in blocks(page))
    assert "All commands of this page together took less than a second" in page


def test_a_page_is_filled_anew(terminal: Terminal) -> None:
    page = "".join(filled(PAGE, terminal, install=False))
    assert FILLED.sub("\n", page).strip() == PAGE.strip()


def test_what_was_drawn_over_is_gone(terminal: Terminal) -> None:
    done = terminal.run(r"printf 'working 1%%\rworking 2%%\r\e[2Kdone\n'; seq 40 | tail -n 1")
    assert (done.code, done.shown) == (0, "done\n40")


def test_a_terminal_has_80_columns(terminal: Terminal) -> None:
    assert terminal.run("tput cols; test -t 1").shown == "80"
    lines = terminal.run("printf '%0100d' 0").shown.splitlines()
    assert [len(line) for line in lines] == [80, 20]


def test_pip_does_not_warn_of_this_machine(terminal: Terminal) -> None:
    assert terminal.run("echo $PIP_QUIET").shown == "1"


def test_long_outputs_are_kept_whole(terminal: Terminal) -> None:
    assert terminal.run("seq 500").shown.split() == [str(n) for n in range(1, 501)]


def test_a_failing_command_stops_the_filling(terminal: Terminal) -> None:
    with pytest.raises(SystemExit, match="exit code 3"):
        list(filled("```sh\necho before\nexit 3\n```\n", terminal))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "less than a second"), (9.6, "10 s"), (75, "1 min 15 s"), (3720, "1 h 2 min")],
)
def test_times(seconds: float, told: str) -> None:
    assert took(seconds) == told


@pytest.mark.parametrize("page", sorted((DOCS / "walkthroughs").glob("*.md")), ids=lambda p: p.stem)
def test_a_walk_through_is_filled(page: Path) -> None:
    text = page.read_text("utf8")
    commands = [block for block in blocks(text) if block.language == "sh"]
    assert len(FILLED.findall(text)) == len(commands) + 1, f"docs/tools/fill.py {page.name}"
    assert re.search(r"^All commands of this page together took .+ on .+\.$", text, re.M)
