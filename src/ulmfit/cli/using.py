"""The commands that use a model: predict, evaluate, perplexity, generate."""

from __future__ import annotations

from typing import Annotated

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, evaluation_lines, fitted, perplexity_lines, tell
from ulmfit.cli.piping import PIPE, file_to_write, files_of


def predict(
    model: a.Model,
    input: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT", help="Files or folders of texts; - takes what is piped in, by lines."
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A .csv, .tsv, .jsonl or .parquet file; -: JSON lines on stdout.",
        ),
    ] = PIPE,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    abstain_below: a.AbstainBelow = None,
    device: a.Device = "auto",
    precision: a.AnswerPrecision = "auto",
    json: a.Json = False,
) -> None:
    """Add label and probabilities to every row."""
    from ulmfit.bundle import load
    from ulmfit.cli.progress import counting, tell_skipped
    from ulmfit.pipeline.use import predict_file

    skipped: list[str] = []
    if PIPE in input and format is None:
        format = "lines"
    with (
        making(out),
        files_of(input) as files,
        file_to_write(out, ".jsonl") as path,
        counting("predicting") as progress,
    ):
        rows = predict_file(
            load(model),
            a.source(files, text, "", format, skip_bad_rows),
            path,
            a.machine(device, precision),
            progress,
            skipped.append,
            abstain_below,
        )
    tell_skipped(skipped)
    result = {"out": out, "rows": rows, "skipped": skipped}
    lines = [f"{rows:,} rows written to {out}"]
    answer(result, tell(lines) if out == PIPE else lines, json)


def evaluate(
    model: a.Model,
    data: a.Data,
    text: a.Text = None,
    label: a.Label = None,
    separator: a.Separator = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    abstain_below: a.AbstainBelow = None,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Show how right the surest answers are, share by share."),
    ] = False,
    device: a.Device = "auto",
    precision: a.AnswerPrecision = "auto",
    json: a.Json = False,
) -> None:
    """Measure a classifier on labelled texts."""
    from ulmfit.bundle import load
    from ulmfit.cli.progress import counting, tell_skipped
    from ulmfit.pipeline.use import evaluate
    from ulmfit.stages.deciding import Policy

    bundle, skipped = load(model), list[str]()
    Policy(coverage=1.0 if coverage else None).check(bundle.target.kind)
    with counting("predicting") as progress:
        figures = evaluate(
            bundle,
            a.source(data, text, label, format, skip_bad_rows, separator),
            a.machine(device, precision),
            progress,
            skipped.append,
            abstain_below,
        )
    tell_skipped(skipped)
    answer({"model": model, **figures}, fitted(evaluation_lines(figures, coverage)), json)


def perplexity(
    lm: a.LanguageModel,
    corpus: a.Corpus,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    direction: Annotated[
        a.OneDirection | None,
        typer.Option("--direction", help="Which model, where the LM has both."),
    ] = None,
    device: a.Device = "auto",
    precision: a.ExactPrecision = "auto",
    workers: a.Workers = 0,
    json: a.Json = False,
) -> None:
    """Measure a language model on texts."""
    from ulmfit.cli.progress import counting, tell_skipped
    from ulmfit.pipeline.use import perplexity
    from ulmfit.pretrained import open_pretrained

    skipped: list[str] = []
    with counting("measuring", "tokens") as progress:
        figures = perplexity(
            open_pretrained(lm),
            a.source(corpus, text, "", format, skip_bad_rows),
            a.machine(device, precision, workers),
            direction,
            progress,
            skipped.append,
        )
    tell_skipped(skipped)
    answer({"model": lm, **figures}, perplexity_lines(figures), json)


def generate(
    lm: a.LanguageModel,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to go on from.")] = "",
    tokens: Annotated[
        int, typer.Option("--tokens", metavar="N", min=1, help="How many to add.")
    ] = 60,
    temperature: Annotated[
        float, typer.Option("--temperature", metavar="X", help="Lower is safer, higher is wilder.")
    ] = 0.8,
    direction: Annotated[
        a.OneDirection | None, typer.Option("--direction", help="backward writes what precedes.")
    ] = None,
    seed: a.Seed = 0,
    json: a.Json = False,
) -> None:
    """Let a language model go on with a text."""
    from ulmfit.pipeline.use import generate
    from ulmfit.pretrained import open_pretrained

    bundle = open_pretrained(lm)
    written = generate(
        bundle, text, tokens=tokens, temperature=temperature, seed=seed, direction=direction
    )
    answer({"model": lm, "text": written}, [written], json)
