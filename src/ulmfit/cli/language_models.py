"""The commands that make a language model: pretrain, finetune."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ulmfit.cli import arguments as a
from ulmfit.cli.model_making import make_model
from ulmfit.cli.tracking import Track, tracked

Direction = Annotated[a.DirectionName, typer.Option("--direction", help="Which models to train.")]
Start = Annotated[
    str | None,
    typer.Option("--start", metavar="LM", help="Go on from a language model; sizes may grow."),
]
Embedding = Annotated[
    int | None,
    typer.Option("--embedding", metavar="N", min=1, help="Size of a word's vector [400]."),
]
Hidden = Annotated[
    int | None, typer.Option("--hidden", metavar="N", min=1, help="Size of the LSTM layers [1150].")
]
Layers = Annotated[
    int | None, typer.Option("--layers", metavar="N", min=1, help="Number of LSTM layers [3].")
]
Tokenizer = Annotated[
    Literal["word", "subword"],
    typer.Option("--tokenizer", help="subword: for languages without spaces."),
]
Rules = Annotated[
    Literal["default", "paper"], typer.Option("--rules", help="How text is prepared.")
]
MaxVocabulary = Annotated[
    int, typer.Option("--max-vocabulary", metavar="N", min=9, help="Most words to keep.")
]
MinCount = Annotated[
    int, typer.Option("--min-count", metavar="N", min=1, help="Fewest times a word is seen.")
]
Passes = Annotated[
    int | None, typer.Option("--epochs", metavar="N", min=1, help="Passes over the corpus [1].")
]
Tokens = Annotated[
    int | None,
    typer.Option("--tokens", metavar="N", min=1, help="Tokens to see, instead of epochs."),
]
Batch = Annotated[
    int | None, typer.Option("--batch", metavar="N", min=1, help="Rows of a batch [64].")
]
Rate = Annotated[
    float | None, typer.Option("--rate", metavar="X", min=1e-9, help="Peak learning rate [0.004].")
]
Softmax = Annotated[
    Literal["full", "sampled"] | None,
    typer.Option("--softmax", help="sampled: faster training on a CPU, an estimated loss [full]."),
]
Storage = Annotated[
    Literal["fp32", "bf16", "int8", "int6", "int5"],
    typer.Option("--storage", help="How weights are saved."),
]
TuningEpochs = Annotated[
    int | None,
    typer.Option("--epochs", metavar="N", min=1, help="Epochs [preset default: 3]."),
]


def pretrain(
    corpus: a.Corpus,
    out: a.Out,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    start: Start = None,
    direction: Direction = "forward",
    embedding: Embedding = None,
    hidden: Hidden = None,
    layers: Layers = None,
    tokenizer: Tokenizer = "word",
    rules: Rules = "default",
    max_vocabulary: MaxVocabulary = 30_000,
    min_count: MinCount = 2,
    epochs: Passes = None,
    tokens: Tokens = None,
    batch: Batch = None,
    rate: Rate = None,
    softmax: Softmax = None,
    settings: a.Settings = None,
    storage: Storage = "fp32",
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    track: Track = None,
    overwrite: a.Overwrite = False,
    json: a.Json = False,
) -> None:
    """Train a language model on general text."""
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
        softmax=softmax,
        settings=a.settings(settings),
        time_budget=time_budget,
        storage=storage,
        start=start,
    )
    events = pipeline.pretrain(options, overwrite=overwrite)
    make_model(tracked(events, track, options), out, json)


def finetune(
    lm: a.LanguageModel,
    corpus: a.Corpus,
    out: a.Out,
    text: a.Text = None,
    format: a.Format = None,
    skip_bad_rows: a.SkipBadRows = False,
    preset: a.Preset = "default",
    settings: a.Settings = None,
    direction: a.Direction = None,
    epochs: TuningEpochs = None,
    time_budget: a.TimeBudget = None,
    device: a.Device = "auto",
    precision: a.Precision = "auto",
    workers: a.Workers = 0,
    seed: a.Seed = 0,
    track: Track = None,
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
        settings=a.settings(settings),
        time_budget=time_budget,
    )
    events = pipeline.finetune(options, overwrite=overwrite)
    make_model(tracked(events, track, options), out, json)
