"""What is seen while a command works: the plan, the pace, lines and bars."""

from io import StringIO

import pytest
from rich.console import Console

from ulmfit.cli.bars import Bars
from ulmfit.cli.lines import Lines
from ulmfit.cli.output import fitted
from ulmfit.cli.pace import Pace, Standing
from ulmfit.cli.plan import epoch_line, plan_lines
from ulmfit.cli.progress import counting, follow
from ulmfit.pipeline import Note, Texts
from ulmfit.presets import PRESETS
from ulmfit.run import Plan, Validated
from ulmfit.training.loop import EpochEnd, Step
from ulmfit.wording import duration, folded


def plan_of(stage: str, preset: str, groups: int = 5) -> Plan:
    settings = PRESETS[preset].classifier
    phases = [
        {
            "name": p.name,
            "epochs": p.epochs,
            "thawed": list(p.thawed),
            "peak_rates": [rate if i in p.thawed else 0.0 for i, rate in enumerate(p.peaks)],
        }
        for p in settings.phases(groups)
    ]
    return Plan(stage, phases, 1234, 3_400_000, 754.0)


def step(number: int, total: int = 100, phase: str = "all", seconds: float = 0.5) -> Step:
    return Step(phase, 0, number, total, 4.5, (1e-3,), 1000, seconds)


def test_the_plan_of_gradual_unfreezing():
    lines = plan_lines(plan_of("classifier, forward", "v2"))
    assert lines[0] == "plan: classifier, forward"
    assert [line.split("  ")[1] for line in lines[2:7]] == [
        *("head", "LSTM 3", "LSTM 2", "LSTM 1", "embedding")
    ]
    assert lines[2].split()[-2:] == ["0.01", "1-54"]
    assert lines[6].split()[-1] == "5-54"  # the lowest group learns last
    assert lines[-1] == "  54 epochs, 1,234 steps, about 3.4 million tokens, about 13 min"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_plan_fits_80_columns(preset):
    assert max(map(len, plan_lines(plan_of("classifier, backward", preset)))) <= 80


def test_a_group_that_thaws_twice():
    phases = [
        {"name": "a", "epochs": 1, "thawed": [1], "peak_rates": [0.0, 1e-3]},
        {"name": "b", "epochs": 2, "thawed": [0], "peak_rates": [1e-4, 0.0]},
        {"name": "c", "epochs": 2, "thawed": [0, 1], "peak_rates": [1e-4, 1e-4]},
    ]
    top, bottom = plan_lines(Plan("pretraining, forward", phases, 1, 1, 1.0))[2:4]
    assert top.split()[-4:] == ["0.001,", "0.0001", "1,", "4-5"]
    assert bottom.split()[-2:] == ["0.0001", "2-5"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 s"), (45, "45 s"), (600, "10 min"), (12_000, "3 h 20 min")],
)
def test_duration(seconds, told):
    assert duration(seconds) == told


def test_pace_within_a_phase():
    pace = Pace()
    for number in range(1, 11):
        standing = pace.step(step(number))
    assert standing == Standing(10, 100, 2000.0, 45.0)


def test_pace_counts_the_phases_to_come_as_planned():
    pace = Pace(Plan("x", [], 300, 0, 600.0))  # 2 s a step
    assert pace.step(step(50, phase="first")).seconds_left == 50 * 0.5 + 200 * 2
    standing = pace.step(step(1, 200, phase="all", seconds=1.0))
    assert (standing.done, standing.total) == (101, 300)
    assert standing.seconds_left == 199


def test_lines_come_every_ten_seconds(capsys):
    now = [0.0]
    lines = Lines(lambda: now[0])
    pace = Pace()
    for number in range(1, 61):
        now[0] += 0.5
        one = step(number)
        lines.step(one, pace.step(one))
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert told[0] == "  step 20 of 100 (epoch 1), loss 4.5000, 2,000 tokens/s, 40 s left"


def test_counts_in_lines_have_rate_and_time_left(capsys):
    now = [0.0]
    lines = Lines(lambda: now[0])
    for done in (0, 500, 1000):
        lines.count("reading", done, 3000, "texts")
        now[0] += 10
    assert capsys.readouterr().err.splitlines() == [
        "  reading: 500 of 3,000 texts, 50 texts/s, 50 s left",
        "  reading: 1,000 of 3,000 texts, 50 texts/s, 40 s left",
    ]


def events():
    yield Note("[counting] words")
    yield Texts("counting", 7)
    yield plan_of("classifier, forward", "v2")
    yield step(1)
    yield EpochEnd("all", 0, 4.25)
    yield Validated(0, {"loss": 4.125, "accuracy": 0.875}, True)
    return "made"


def test_follow_shows_in_lines_and_returns(capsys):
    assert follow(events(), Lines()) == "made"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[0] == "[counting] words"
    assert captured.err.splitlines()[-1] == (
        "  epoch 1: train loss 4.2500, validation loss 4.125, accuracy 87.50% (kept)"
    )


def test_follow_shows_bars_on_a_terminal():
    terminal = StringIO()
    console = Console(file=terminal, force_terminal=True, width=80, color_system=None)
    assert follow(events(), Bars(console)) == "made"
    shown = terminal.getvalue()
    assert "[counting] words" in shown and "plan: classifier, forward" in shown
    assert "1/1234" in shown and "2,000 tokens/s" in shown and "left" in shown


def test_follow_closes_what_it_follows_when_showing_fails():
    closed = []

    def endless():
        try:
            while True:
                yield Note("x")
        finally:
            closed.append(True)

    class Torn(Lines):
        def say(self, line: str) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        follow(endless(), Torn())
    assert closed


def test_counting_gives_a_function(capsys):
    with counting("predicting") as progress:
        progress(5)
        progress(10, 20)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("figures", [{"loss": 4.12534, "perplexity": 1e6}, {"accuracy": 1.0}])
def test_an_epochs_line_fits_80_columns(figures):
    assert len(epoch_line(Validated(99, figures, True), 14.2534)) <= 80


def test_an_epochs_line_names_its_figures_in_words():
    line = epoch_line(Validated(2, {"loss": 0.079, "micro_f1": 0.5075, "mae": 1.25}, False), 0.1008)
    assert line == (
        "  epoch 3: train loss 0.1008, validation loss 0.079, micro F1 0.5075, mean distance 1.25"
    )


def test_no_word_is_cut_at_the_edge_of_a_terminal():
    labels = ", ".join(f"{name}-label {n:,}" for n, name in enumerate(["good", "bad", "so-so"] * 9))
    lines = folded(f"  27 labelled rows: {labels}", 80).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) > 2
    assert " ".join(line.strip() for line in lines) == f"27 labelled rows: {labels}"
    assert lines[0].startswith("  27") and all(line.startswith("  ") for line in lines[1:])
    assert folded("short  and   spaced", 80) == "short  and   spaced"
    assert folded("a" * 100, 80) == "a" * 100  # a path stays one that can be copied


@pytest.mark.parametrize("terminal", [True, False])
def test_results_are_folded_on_a_terminal_alone(monkeypatch, terminal):
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    line = "test        accuracy 93.20% (95%: 90.66% to 95.09%) on 500 rows"
    (told,) = fitted([line])
    assert (max(map(len, told.splitlines())) <= 40) == terminal
    assert " ".join(told.split()) == " ".join(line.split())


def test_a_note_is_folded_above_the_bar():
    written = StringIO()
    bars = Bars(Console(file=written, width=40))
    bars.say("40 labelled rows: " + ", ".join(["label 12"] * 8))
    assert max(map(len, written.getvalue().splitlines())) <= 40
