"""The commands that make a model: pretrain, finetune, train, resume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.errors import making
from ulmfit.cli.output import answer, model_lines, model_result

if TYPE_CHECKING:
    from collections.abc import Generator

    from ulmfit.bundle import Bundle
    from ulmfit.pipeline import Event


def _make(events: Generator[Event, None, Bundle], out: str, as_json: bool) -> None:
    from ulmfit.cli.progress import follow
    from ulmfit.pipeline.runs import run_folder

    with making(out, run_folder(out)):
        result = model_result(follow(events), out)
    answer(result, model_lines(result), as_json)


def pretrain(
    corpus: a.Corpus,
    out: a.Out,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    direction: Annotated[
        a.DirectionName, typer.Option("--direction", help="Which models to train.")
    ] = "forward",
    embedding: Annotated[
        int, typer.Option("--embedding", metavar="N", min=1, help="Size of a word's vector.")
    ] = 400,
    hidden: Annotated[
        int, typer.Option("--hidden", metavar="N", min=1, help="Size of the LSTM layers.")
    ] = 1150,
    layers: Annotated[
        int, typer.Option("--layers", metavar="N", min=1, help="Number of LSTM layers.")
    ] = 3,
    tokenizer: Annotated[
        Literal["word", "subword"],
        typer.Option("--tokenizer", help="subword: for languages without spaces."),
    ] = "word",
    rules: Annotated[
        Literal["default", "paper"], typer.Option("--rules", help="How text is prepared.")
    ] = "default",
    max_vocabulary: Annotated[
        int, typer.Option("--max-vocabulary", metavar="N", min=9, help="Most words to keep.")
    ] = 30_000,
    min_count: Annotated[
        int, typer.Option("--min-count", metavar="N", min=1, help="Fewest times a word is seen.")
    ] = 2,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="Passes over the corpus.")
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option("--tokens", metavar="N", min=1, help="Tokens to see, instead of epochs."),
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", min=1, help="Streams side by side.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="X", min=0.0, help="Peak learning rate.")
    ] = None,
    storage: Annotated[
        Literal["fp32", "bf16", "int8"], typer.Option("--storage", help="How weights are saved.")
    ] = "fp32",
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Train a language model on general text, from scratch."""
    from ulmfit import pipeline
    from ulmfit.pipeline.options import PretrainOptions

    options = PretrainOptions(
        corpus=a.source(corpus, text, "", format, skip_bad_rows),
        out=out,
        machine=a.machine(device, precision, workers, seed),
        direction=direction,
        embedding=embedding,
        hidden=hidden,
        layers=layers,
        tokenizer=tokenizer,
        rules=rules,
        max_vocabulary=max_vocabulary,
        min_count=min_count,
        epochs=epochs,
        tokens=tokens,
        batch=batch,
        rate=rate,
        time_budget=time_budget,
        storage=storage,
    )
    _make(pipeline.pretrain(options, overwrite=overwrite), out, json)


def finetune(
    lm: a.LanguageModel,
    corpus: a.Corpus,
    out: a.Out,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    preset: a.Preset = "default",
    direction: a.Direction = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="Instead of the preset's.")
    ] = None,
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Fine-tune a language model on your own text."""
    from ulmfit import pipeline
    from ulmfit.pipeline.options import FinetuneOptions

    options = FinetuneOptions(
        lm=lm,
        corpus=a.source(corpus, text, "", format, skip_bad_rows),
        out=out,
        machine=a.machine(device, precision, workers, seed),
        preset=preset,
        direction=direction,
        epochs=epochs,
        time_budget=time_budget,
    )
    _make(pipeline.finetune(options, overwrite=overwrite), out, json)


def train(
    data: a.Data,
    out: a.Out,
    lm: Annotated[
        str | None,
        typer.Option("--lm", metavar="LM", help="Language model: a folder or an embedded one."),
    ] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option("--unlabelled", metavar="PATH", help="More text for the LM; repeatable."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="PATH", help="Measure on these rows too; repeatable."),
    ] = None,
    text: a.Text = None,
    label: a.Label = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    labels: Annotated[
        int | None,
        typer.Option("--labels", metavar="N", min=2, help="Use the labels of N rows, balanced."),
    ] = None,
    preset: a.Preset = "default",
    direction: a.Direction = None,
    finetune: Annotated[
        bool,
        typer.Option("--finetune/--no-finetune", help="Fine-tune the LM on the texts first."),
    ] = True,
    lm_epochs: Annotated[
        int | None,
        typer.Option("--lm-epochs", metavar="N", min=1, help="Of the LM, not the preset's."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", metavar="N", min=1, help="Of all layers, not the preset's."),
    ] = None,
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Train a classifier on labelled texts: the whole road."""
    from ulmfit import pipeline
    from ulmfit.pipeline.options import TrainOptions

    options = TrainOptions(
        data=a.source(data, text, label, format, skip_bad_rows),
        out=out,
        machine=a.machine(device, precision, workers, seed),
        lm=lm,
        unlabelled=tuple(unlabelled or ()),
        test=tuple(test or ()),
        preset=preset,
        direction=direction,
        labels=labels,
        finetune=finetune,
        lm_epochs=lm_epochs,
        epochs=epochs,
        time_budget=time_budget,
    )
    _make(pipeline.train(options, overwrite=overwrite), out, json)


def resume(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of the run: the model's with .run behind.")
    ],
    json: a.Json = False,
) -> None:
    """Go on with an interrupted pretrain, finetune or train."""
    from ulmfit import pipeline
    from ulmfit.pipeline.runs import asked

    _, options = asked(Path(run))
    _make(pipeline.resume(Path(run)), options.out, json)
