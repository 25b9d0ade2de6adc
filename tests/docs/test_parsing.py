"""A mistake in a line that cannot run here is noticed."""

import pytest
import typer
from blocks import blocks
from parsing import parse, parse_line


@pytest.mark.parametrize(
    "line",
    [
        "python3 -m venv .venv  # once",
        "pip install --quiet -c constraints.txt -e '.[tune,track]'",
        ".venv/bin/pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu",
        "pip install 'ulmfit[hub]'",
        "make demo",
        "ulmfit push model you/reviews",
        "# a comment",
        "",
    ],
)
def test_a_right_line_passes(line: str) -> None:
    parse_line(line)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("pip install '.[nonsense]'", "no extra .*nonsense"),
        ("pip install '.[hub,nonsense]'", "no extra .*nonsense"),
        ("pip install -c constraint.txt .", "no constraint.txt"),
        ("pip install torch==1.0", "constraints.txt has"),
        ("pip install torhc", "torhc is not in constraints.txt"),
        ("hf auth logon", "tried"),
        ("python3 -m vnev .venv", "tried"),
        ("curl https://example.org", "tried"),
        ("make demos", "demos"),
        ("ulmfit trian reviews.csv", "trian"),
        ("ulmfit", "no such command"),
    ],
)
def test_a_wrong_line_is_noticed(line: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        parse_line(line)


@pytest.mark.parametrize("line", ["pip instal .", "pip install --cc constraints.txt .", "pip"])
def test_pip_is_called_as_these_pages_call_it(line: str) -> None:
    with pytest.raises(SystemExit):
        parse_line(line)


def test_a_wrong_option_is_noticed() -> None:
    with pytest.raises(typer.TyperException):
        parse_line("ulmfit train x.csv --out m --wings")


def page(mark: str, line: str) -> str:
    return f"<!-- test: {mark} -->\n```sh\n{line} \\\n    '.[hub]'\n```\n"


def test_every_line_of_a_block_is_parsed_and_a_reason_given() -> None:
    (right,) = blocks(page("parsed only, it installs", "pip install"))
    parse(right, "page:1")
    (wrong,) = blocks(page("parsed only, it installs", "true\nhf auth logon\npip install"))
    with pytest.raises(AssertionError, match="true"):
        parse(wrong, "page:1")
    (silent,) = blocks(page("parsed only", "pip install"))
    with pytest.raises(AssertionError, match="say why"):
        parse(silent, "page:1")
