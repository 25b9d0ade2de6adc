"""How much work a benchmark does: the whole, or a check that everything runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ulmfit.model.awd_lstm import Architecture


@dataclass(frozen=True)
class Sizes:
    """Of one round. Default: chosen so that all takes about forty minutes on two idle cores."""

    rounds: int = 5
    warm: int = 3
    """rounds of training before those: fastai needs so many to take its memory from the system"""
    architecture: Architecture = field(default_factory=Architecture)
    """of both sides where the same architecture is compared; the papers'"""
    tokenise: int = 25_000
    """texts"""
    megabytes: tuple[int, ...] = (10, 100, 1000)
    """of text, whose tokenising is watched for memory"""
    windows: int = 6
    """of 64 x 70 tokens; half as many of 128 x 70"""
    predict: tuple[int, int] = (128, 64)
    """documents, in batches of so many alike in length"""
    train: tuple[int, int] = (64, 32)
    fit: int = 2_000
    """texts that TF-IDF and fastText learn from"""
    embed: int = 48
    """texts that MiniLM embeds to learn from: it reads some 15 a second"""
    single: int = 10
    """texts of 100 words, one after the other"""
    lengths: tuple[int, ...] = (30, 100, 300, 1_000, 3_000, 10_000, 30_000)
    """tokens of one document"""
    fastai_lengths: tuple[int, ...] = (30, 100, 300, 1_000)
    corpora: tuple[int, ...] = (16, 64, 256, 1_024, 4_096)
    """documents of a corpus"""
    fastai_corpora: tuple[int, ...] = (16, 64)

    @classmethod
    def quick(cls) -> Sizes:
        """Small models, little text, two rounds: figures of no meaning."""
        return cls(
            rounds=2,
            warm=1,
            architecture=Architecture(30_000, 48, 96, 3),
            tokenise=200,
            megabytes=(2, 4),
            windows=2,
            predict=(16, 8),
            train=(8, 4),
            fit=200,
            embed=4,
            single=2,
            lengths=(30, 300),
            fastai_lengths=(30, 100),
            corpora=(4, 16),
            fastai_corpora=(4, 8),
        )
