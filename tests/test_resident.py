"""A corpus on the device: the same windows as from the disk, in any order and direction."""

import numpy as np
import pytest
import torch

from ulmfit import resident
from ulmfit.corpus import Corpus
from ulmfit.data.stream import BPTTStream
from ulmfit.resident import ResidentCorpus, has_room, resident_windows

CPU = torch.device("cpu")


@pytest.mark.parametrize("gathered", [1, 50, 1 << 24], ids=lambda n: f"{n} tokens at a time")
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_the_stream_is_what_documents_read(
    corpus: Corpus, backward: bool, gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "GATHERED", gathered)
    order = np.random.default_rng(0).permutation(len(corpus.lengths))[:30]
    documents = corpus.documents(order, backward)
    stream = ResidentCorpus(corpus, CPU).stream(order, backward)
    assert stream.tolist() == documents.read(0, len(documents)).tolist()


@pytest.mark.parametrize("start", [0, 3])
@pytest.mark.parametrize("multiple", [1, 4])
def test_windows_are_those_of_the_plan(corpus: Corpus, start: int, multiple: int) -> None:
    order = np.arange(len(corpus.lengths))
    plan = BPTTStream(corpus.documents(order), 4, 12, seed=1, multiple=multiple)
    stream = ResidentCorpus(corpus, CPU).stream(order)
    windows = list(resident_windows(stream, plan, 4, start))
    wanted = list(plan.windows(start))
    assert len(windows) == len(wanted) > 3
    for got, want in zip(windows, wanted, strict=True):
        assert got.ids.tolist() == want.ids.tolist()
        assert got.targets.tolist() == want.targets.tolist()


def test_a_cpu_has_no_memory_of_its_own_for_it(corpus: Corpus) -> None:
    assert not has_room(CPU, corpus)
