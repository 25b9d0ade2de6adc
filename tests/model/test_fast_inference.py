"""Compiled reading of documents, held to the model itself, and to its own promise of no batch."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence

from ulmfit.compiled import Unavailable
from ulmfit.model import fast_inference
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.fast_inference import FastEncoder, fastest_path
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.model.native import words
from ulmfit.model.native.code import library
from ulmfit.model.native.layers import ROWS, Kind

Ids = NDArray[np.int64]
SIZES = [Architecture(60, 5, 7, 1), Architecture(60, 21, 37, 3), Architecture(60, 32, 48, 2)]
LENGTHS = (1, 1, 2, 3, 5, 8, 30, 31, 32, 77, 200)


@pytest.fixture(autouse=True)
def compiler() -> None:
    try:
        library()
    except Unavailable as error:
        pytest.skip(str(error))


def encoder(sizes: Architecture, spread: float = 0.4) -> AWDLSTM:
    """Weights so large that every gate moves."""
    made = AWDLSTM(sizes, Dropouts(0, 0, 0, 0, 0)).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in made.parameters():
        parameter.data.normal_(std=spread, generator=generator)
    return made


def documents(lengths: tuple[int, ...] = LENGTHS) -> list[Ids]:
    draw = np.random.default_rng(1)
    return [draw.integers(0, 60, length) for length in lengths]


def truth(made: AWDLSTM, texts: list[Ids], pooled_tokens: int) -> NDArray[np.float32]:
    """By the model itself, in one padded batch."""
    head = PooledClassifier(made.architecture.embedding, 2)
    model = TextClassifier(made, head, chunk=13, pooled_tokens=pooled_tokens).eval()
    ids = pad_sequence([torch.from_numpy(text) for text in texts])
    with torch.inference_mode():
        return model.pool(ids, torch.tensor([len(text) for text in texts])).numpy()


@pytest.mark.parametrize("pooled_tokens", [1, 40, 1400])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_fp32_is_the_model(sizes: Architecture, pooled_tokens: int) -> None:
    made, texts = encoder(sizes), documents()
    got = FastEncoder(made, pooled_tokens).pool(texts)
    np.testing.assert_allclose(got, truth(made, texts, pooled_tokens), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kind", "error"), [("bf16", 0.01), ("int8", 0.03)])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_other_kinds_are_the_model_rounded(sizes: Architecture, kind: Kind, error: float) -> None:
    made, texts = encoder(sizes, spread=0.2), documents()
    wanted = truth(made, texts, 1400)
    got = FastEncoder(made, 1400, kind).pool(texts)
    off = np.linalg.norm(got - wanted) / np.linalg.norm(wanted)
    assert 1e-4 < off < error, "it is rounded, and no more than that"


@pytest.mark.parametrize("kind", ["fp32", "bf16", "int8"])
def test_gates_far_out_stay_finite_and_right(kind: Kind) -> None:
    made, texts = encoder(SIZES[1], spread=30.0), documents()
    got = FastEncoder(made, 1400, kind).pool(texts)
    assert np.isfinite(got).all()
    if kind == "fp32":  # so hard a switch is chaos after a few steps
        np.testing.assert_allclose(got[:4], truth(made, texts[:4], 1400), atol=1e-3)


@pytest.mark.parametrize("kind", ["fp32", "bf16", "int8"])
def test_an_answer_is_the_same_to_the_last_bit_in_any_batch(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, texts = encoder(SIZES[1]), documents(LENGTHS * 18)
    monkeypatch.setattr(words, "TABLE_BYTES", 20 * 4 * 4 * 48)  # of the 60 words, 20
    fast = FastEncoder(made, 1400, kind)
    assert len(texts) > ROWS
    first, again = fast.pool(texts), fast.pool(texts)  # the table is there the second time
    assert np.array_equal(first, again)
    assert np.array_equal(fast.pool(texts[::-1])[::-1], first)
    alone = np.concatenate([FastEncoder(made, 1400, kind).pool([text]) for text in texts[:11]])
    assert np.array_equal(alone, first[:11])


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads: int) -> None:
    made, texts = encoder(SIZES[1]), documents(LENGTHS * 3)
    wanted, before = FastEncoder(made, 1400).pool(texts), torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        assert np.array_equal(FastEncoder(made, 1400).pool(texts), wanted)
    finally:
        torch.set_num_threads(before)


def test_no_document_gives_no_row() -> None:
    assert FastEncoder(encoder(SIZES[0]), 1400).pool([]).shape == (0, 15)


def test_what_the_model_learns_later_is_not_seen() -> None:
    made, texts = encoder(SIZES[0]), documents()
    fast = FastEncoder(made, 1400)
    before = fast.pool(texts)
    for parameter in made.parameters():
        parameter.data.zero_()
    assert np.array_equal(fast.pool(texts), before)


@pytest.fixture
def unprobed() -> Iterator[None]:
    fastest_path.cache_clear()
    yield
    fastest_path.cache_clear()


def test_the_probe_finds_this_code_right(unprobed: None) -> None:
    assert fastest_path("fp32") == "fp32"
    assert fastest_path("bf16") == ("bf16" if library().has_fast_bf16() else "torch")
    assert fastest_path("int8") == ("int8" if library().has_fast_i8() else "fp32")


def no_library() -> None:
    raise Unavailable("there is no C compiler (cc)")


@pytest.mark.parametrize("kind", ["fp32", "bf16", "int8"])
def test_without_a_compiler_torch_computes_and_it_is_told(
    kind: Kind, unprobed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_inference, "library", no_library)
    with pytest.warns(UserWarning, match="slower here, computed by torch: there is no C compiler"):
        assert fastest_path(kind) == "torch"


def test_code_that_is_wrong_is_not_used(unprobed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastEncoder, "pool", lambda self, texts: np.ones((len(texts), 63), "f4"))
    with pytest.warns(UserWarning, match="gives wrong numbers"):
        assert fastest_path("fp32") == "torch"
