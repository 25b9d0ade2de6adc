"""Reading documents: order and batch change nothing, whichever way they are read."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ulmfit import device as devices
from ulmfit import reading
from ulmfit.bundle import Bundle, HeadConfig
from ulmfit.compiled import Unavailable
from ulmfit.corpus import Corpus
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.fast_inference import FastEncoder, fastest_path
from ulmfit.model.heads import PooledClassifier, TextClassifier
from ulmfit.model.native.code import library
from ulmfit.reading import DocumentReader, Pool, answering_precision
from ulmfit.text import Encoder

PAD = 1
IdArray = NDArray[np.int64]


@pytest.fixture
def model(corpus: Corpus) -> TextClassifier:
    torch.manual_seed(0)
    sizes = Architecture(int(corpus.ids.max()) + 1, 6, 8, 2)
    encoder = AWDLSTM(sizes, Dropouts())
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return TextClassifier(encoder, PooledClassifier(6, 3, 5), chunk=13, pooled_tokens=30)


def one_by_one(model: TextClassifier, documents: list[IdArray]) -> NDArray[np.float64]:
    model.eval()
    with torch.no_grad():
        logits = [model(torch.from_numpy(d)[:, None], torch.tensor([len(d)])) for d in documents]
    return torch.cat(logits).double().numpy()


@pytest.fixture(params=["torch", "fp32"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "fp32":
        try:
            library()
        except Unavailable as error:
            pytest.skip(str(error))
    monkeypatch.setattr(reading, "fastest_path", lambda kind: request.param)
    return str(request.param)


@pytest.mark.parametrize("tokens", [1, 50, 300, 10**6])
def test_order_is_kept_and_the_batch_does_not_matter(
    model: TextClassifier,
    documents: list[IdArray],
    path: str,
    tokens: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "INFERENCE_TOKENS", tokens)
    model.train()
    got = DocumentReader(model, PAD).logits(documents)
    assert model.training, "the mode it was in is put back"
    wanted = one_by_one(model, documents)
    assert np.abs(got - wanted).max() < 1e-5
    assert np.abs(wanted - wanted.mean(0)).max() > 0.01, "the documents differ"
    order = np.random.default_rng(0).permutation(len(documents))
    shuffled = DocumentReader(model, PAD).logits([documents[i] for i in order])
    assert np.abs(shuffled - wanted[order]).max() < 1e-5


def test_the_vectors_are_what_the_head_is_given(
    model: TextClassifier, documents: list[IdArray], path: str
) -> None:
    reader = DocumentReader(model.eval(), PAD)
    vectors = reader.vectors(documents)
    assert vectors.shape == (len(documents), 18) and vectors.dtype == np.float32
    with torch.no_grad():
        logits = model.head(torch.from_numpy(vectors)).double().numpy()
    np.testing.assert_allclose(reader.logits(documents), logits, atol=1e-6)


def test_no_document_gives_no_row(model: TextClassifier, path: str) -> None:
    assert DocumentReader(model.eval(), PAD).logits([]).shape == (0, 3)


def test_int8_is_close_and_is_int8(model: TextClassifier, documents: list[IdArray]) -> None:
    if reading.fastest_path("int8") != "int8":
        pytest.skip("this CPU has no fast int8")
    wanted = one_by_one(model, documents)
    got = DocumentReader(model, PAD, "int8").logits(documents)
    assert 0 < np.abs(got - wanted).max() < 0.05 * np.abs(wanted).max()


@pytest.mark.parametrize("found", ["int8", "fp32", "torch"])
def test_int8_is_read_the_way_the_probe_found(
    model: TextClassifier,
    documents: list[IdArray],
    found: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(reading, "fastest_path", lambda kind: asked.append(kind) or found)
    monkeypatch.setattr(
        reading, "FastEncoder", lambda e, n, kind: asked.append((n, kind)) or FastEncoder(e, n)
    )
    got = DocumentReader(model, PAD, "int8").logits(documents)
    assert np.abs(got - one_by_one(model, documents)).max() < 1e-5
    assert asked == ["int8", *([] if found == "torch" else [(30, found)])]


@pytest.mark.parametrize(
    ("units", "found", "by"),
    [
        ("AVX512-bf16", "bf16", "compiled"),
        ("AVX512-bf16", "torch", "torch"),
        ("AMX", "bf16", "torch"),
        (None, "bf16", "torch"),
    ],
)
def test_bf16_is_compiled_where_that_is_the_fastest(
    model: TextClassifier,
    documents: list[IdArray],
    units: str | None,
    found: str,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []

    def by_torch(model: TextClassifier, pad_id: int, precision: str) -> Pool:
        read.append(("torch", precision))
        return FastEncoder(model.encoder, 30).pool

    monkeypatch.setattr(devices, "cpu_bf16_units", lambda: units)
    monkeypatch.setattr(reading, "fastest_path", lambda kind: found)
    monkeypatch.setattr(reading, "_by_torch", by_torch)
    monkeypatch.setattr(
        reading,
        "FastEncoder",
        lambda e, n, kind: read.append(("compiled", kind)) or FastEncoder(e, n),
    )
    got = DocumentReader(model, PAD, "bf16").logits(documents)
    assert read == [(by, "bf16")]
    assert np.abs(got - one_by_one(model, documents)).max() < 1e-5


def test_the_probe_leaves_the_random_numbers_of_the_run_that_asks() -> None:
    fastest_path.cache_clear()
    before = torch.get_rng_state()
    fastest_path("fp32")
    assert torch.equal(torch.get_rng_state(), before)


def test_int8_is_refused_on_a_gpu(model: TextClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "is_accelerator", lambda device: True)
    with pytest.raises(InputError, match="int8 is for a CPU; on cpu take bf16 or fp32"):
        DocumentReader(model, PAD, "int8")


def test_a_precision_that_does_not_exist_is_refused(model: TextClassifier) -> None:
    with pytest.raises(InputError, match="fp64"):
        DocumentReader(model, PAD, "fp64")  # type: ignore[arg-type]


def test_training_in_int8_is_refused() -> None:
    with pytest.raises(InputError, match="int8 is for a classifier's predictions"):
        devices.is_bf16(torch.device("cpu"), "int8")


def found(metrics: dict[str, Any], encoder: Encoder) -> Bundle:
    """A classifier with these metrics; its weights do not matter here."""
    sizes = Architecture(len(encoder.vocab), 4, 6, 1)
    return Bundle("classifier", sizes, encoder, {}, head=HeadConfig(), metrics=metrics)


CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("stored", "here", "wanted"),
    [(75, 75, "int8"), (75, 127, "int8"), (127, 127, "int8"), (127, 75, "fp32")],
)
def test_int8_is_trusted_only_where_it_rounds_as_finely_as_where_it_was_measured(
    stored: int, here: int, wanted: str, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "int8_is_fast", lambda: True)
    monkeypatch.setattr(reading, "int8_levels", lambda: here)
    bundle = found({"int8": {"alike": True, "levels": stored}}, encoder)
    assert answering_precision(bundle, CPU, "auto") == wanted
    assert answering_precision(bundle, CPU, "int8") == "int8", "whoever asks has it"


@pytest.mark.parametrize(
    "told",
    [
        *({"alike": True}, {"alike": True, "levels": None}, {"alike": True, "levels": "1"}),
        *({"alike": False, "levels": 75}, {"alike": "no", "levels": 75}, {"levels": 75}),
        *({}, None, True, "alike", ["alike"], 1),
    ],
    ids=str,
)
def test_what_is_not_told_of_int8_is_read_in_fp32(
    told: Any, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older bundle's metrics name no levels; a stranger's may hold anything."""
    monkeypatch.setattr(reading, "int8_is_fast", lambda: True)
    monkeypatch.setattr(reading, "int8_levels", lambda: 127)
    assert answering_precision(found({"int8": told}, encoder), CPU, "auto") == "fp32"
    assert answering_precision(found({}, encoder), CPU, "auto") == "fp32"


def learned_head(features: int, outputs: int, hidden: int) -> PooledClassifier:
    """Its running statistics are no longer those of the beginning."""
    head = PooledClassifier(features, outputs, hidden).eval()
    for norm in (head.norm1, head.norm2):
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    return head


@pytest.fixture
def compiler() -> None:
    try:
        library()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_logits_are_the_same_to_the_last_bit_in_any_batch(
    precision: Any,
    documents: list[IdArray],
    compiler: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a head of the size that is used: torch's own differs here between batches."""
    if fastest_path(precision) != precision:
        pytest.skip(f"this CPU has no fast {precision}")
    monkeypatch.setattr(devices, "cpu_bf16_units", lambda: "AVX512-bf16")
    torch.manual_seed(0)
    sizes = Architecture(max(int(d.max()) for d in documents) + 1, 400, 8, 1)
    model = TextClassifier(AWDLSTM(sizes, Dropouts()), learned_head(400, 2, 50)).eval()
    reader = DocumentReader(model, PAD, precision)
    together = reader.logits(documents)
    for size in (1, 2, 7):
        batches = [documents[i : i + size] for i in range(0, len(documents), size)]
        assert np.array_equal(np.concatenate([reader.logits(b) for b in batches]), together)
