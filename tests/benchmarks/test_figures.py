"""What is made of the sides' answers, against independent counts."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from benchmarks.machine import instruction_sets, share_between
from benchmarks.material import spread_batches
from benchmarks.measured.growing import exponent
from benchmarks.measured.predicting import agreement, milliseconds, recurrent_weights
from benchmarks.measured.training import gemm_share, operations_per_token
from benchmarks.pairs import Spread
from torch.utils.flop_counter import FlopCounterMode

from ulmfit.model.awd_lstm import Architecture
from ulmfit.model.lstm_paths import lstm_reference

SIZES = Architecture(vocabulary=60, embedding=8, hidden=20, layers=3)


def test_operations_of_a_step_are_those_that_torch_counts() -> None:
    time, batch = 100, 4
    embedding = torch.randn(SIZES.vocabulary, SIZES.embedding, requires_grad=True)
    x = embedding[torch.randint(SIZES.vocabulary, (time, batch))]
    with FlopCounterMode(display=False) as counter:
        for features, hidden in SIZES.layer_sizes():
            w_ih = torch.randn(4 * hidden, features, requires_grad=True)
            w_hh = torch.randn(4 * hidden, hidden, requires_grad=True)
            zero = torch.zeros(batch, hidden)
            x, _ = lstm_reference(x, (zero, zero), w_ih, w_hh, torch.zeros(4 * hidden))
        logits = x.flatten(0, 1) @ embedding.t()
        F.cross_entropy(logits, torch.randint(SIZES.vocabulary, (time * batch,))).backward()
    counted = counter.get_total_flops() / (time * batch)
    assert counted == pytest.approx(operations_per_token(SIZES), rel=0.01)


def test_the_share_of_the_matrix_rate() -> None:
    per_token = operations_per_token(SIZES)
    training = [{"work": 50, "seconds": 1.0}]  # tokens
    gemm = [{"work": 100 * per_token, "seconds": 1.0}]
    assert gemm_share(training, gemm, SIZES).median == pytest.approx(0.5)


def test_every_step_reads_the_recurrent_weights() -> None:
    lstms = [torch.nn.LSTM(i, o) for i, o in SIZES.layer_sizes()]
    assert recurrent_weights(SIZES) == sum(lstm.weight_hh_l0.numel() for lstm in lstms)


def test_milliseconds_of_one_text() -> None:
    assert milliseconds([{"work": 10, "seconds": 0.2}]) == Spread(20.0, 20.0, 20.0)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_exponent_of_a_power(power: float) -> None:
    seconds = {str(n): 3 * n**power for n in (1_000, 30, 10_000)}
    assert exponent(seconds) == pytest.approx(power)


def test_agreement_of_answers() -> None:
    ours, theirs = [{"answers": [0.1, 0.6, 0.9]}], [{"answers": [0.1, 0.4, 0.8]}]
    found = agreement(ours, theirs)
    assert found["largest_difference"] == pytest.approx(0.2)
    assert found["same_decision"] == pytest.approx(2 / 3)
    with pytest.raises(RuntimeError, match="3 answers on one side, 2"):
        agreement(ours, [{"answers": [0.1, 0.4]}])


def test_batches_are_spread_over_all_lengths_and_hold_one_length_each() -> None:
    lengths = np.random.default_rng(0).permutation(1_000)
    rows = spread_batches(lengths, wanted=4, batch=10)
    batches = np.sort(lengths[rows].reshape(4, 10))
    assert len(np.unique(rows)) == 40
    assert (np.ptp(batches, axis=1) == 9).all()
    assert batches.mean() == pytest.approx(lengths.mean(), rel=0.02)


def test_instruction_sets_that_matter() -> None:
    assert instruction_sets("fpu avx2 fma sse amx_bf16 avx512_bf16") == [
        "amx_bf16",
        "avx2",
        "avx512_bf16",
        "fma",
    ]


def test_how_busy_the_machine_was() -> None:
    before = "cpu  100 5 10 1000 20 0 5 0 0 0\ncpu0 1 1 1 1"
    after = "cpu  120 10 15 1060 30 0 5 0 0 0\ncpu0 1 1 1 1"
    assert share_between(before, after) == pytest.approx(0.3)
