"""Help is complete, fits 80 columns, and names what there is."""

import re

import pytest

from ulmfit.cli import app
from ulmfit.data.sources import FORMATS
from ulmfit.presets import PRESETS

COMMANDS = [
    info.callback.__name__.replace("_", "-") for info in app.registered_commands if info.callback
]


def test_every_command_of_the_project_is_there():
    assert set(COMMANDS) == {
        *("pretrain", "finetune", "train", "predict", "evaluate", "perplexity", "generate"),
        *("report", "explain", "suggest", "clean"),
        *("models", "data", "resume", "demo", "push", "pull"),
        *("cross-validate", "tune", "find-rate", "track"),
    }


def test_the_help_names_every_command_in_a_whole_line(call):
    ended = call("--help")
    assert ended.code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\S.*[^.]\.$", ended.out, re.MULTILINE)  # not cut short


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command(call, command):
    ended = call(command, "--help")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "--json" in ended.out
    bare = [p.name for p in app.registered_commands if p.callback is None]
    assert not bare
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if re.match(r"  -", line):  # an option's text stands beside it or in the next line
            assert len(re.split(r"\s{2,}", line.strip())) > 1 or following.startswith(" " * 10)


def test_the_help_of_train_names_presets_and_formats(call):
    told = " ".join(call("train", "--help").out.split()).replace("- ", "-")
    for preset in PRESETS:
        assert preset in told
    for name in FORMATS:
        assert re.search(rf"(?<![\w-]){name}(?![\w-])", told), name


def test_version(call):
    ended = call("--version")
    assert ended.code == 0 and re.fullmatch(r"ulmfit \d+\.\d+\.\d+\S*\n", ended.out)
