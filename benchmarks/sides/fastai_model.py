"""fastai's classifier with the shared weights, and data loaders over the shared ids."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from fastai.text.all import (
    AWD_LSTM,
    Callback,
    CancelValidException,
    CrossEntropyLossFlat,
    DataLoaders,
    SortedDL,
    TensorCategory,
    TensorText,
    TextLearner,
    awd_lstm_clas_config,
    awd_lstm_clas_split,
    get_text_classifier,
    pad_input_chunk,
)


class NoValidation(Callback):
    """Only training is timed."""

    def before_validate(self) -> None:
        raise CancelValidException


def classifier(path: Path) -> torch.nn.Module:
    weights = {name: torch.from_numpy(value) for name, value in np.load(path).items()}
    vocabulary, embedding = weights["embedding"].shape
    layers = sum(name.endswith("w_hh") for name in weights)
    hidden = weights["0.w_hh"].shape[1]
    config = {**awd_lstm_clas_config, "emb_sz": embedding, "n_hid": hidden, "n_layers": layers}
    model = get_text_classifier(AWD_LSTM, vocabulary, 2, config=config)
    encoder, head = model[0].module, model[1].layers
    with torch.no_grad():
        encoder.encoder.weight.copy_(weights["embedding"])
        for i, rnn in enumerate(encoder.rnns):
            rnn.weight_hh_l0_raw.copy_(weights[f"{i}.w_hh"])
            rnn.module.weight_hh_l0.copy_(weights[f"{i}.w_hh"])
            rnn.module.weight_ih_l0.copy_(weights[f"{i}.w_ih"])
            rnn.module.bias_ih_l0.copy_(weights[f"{i}.bias"])
            rnn.module.bias_hh_l0.zero_()
        head[0][2].weight.copy_(weights["linear1"])
        head[1][2].weight.copy_(weights["linear2"])
        for block in head:
            block[0].bias.zero_()  # of the batch norm; fastai's begins at 0.001
    return model


def loaders(documents: list[np.ndarray], labels: np.ndarray, batch: int) -> DataLoaders:
    """The same documents to train on, shuffled by fastai, and to predict, in order of length."""
    items = [
        (TensorText(torch.from_numpy(ids)), TensorCategory(torch.tensor(int(label))))
        for ids, label in zip(documents, labels, strict=True)
    ]
    make = partial(
        SortedDL,
        items,
        bs=batch,
        res=[len(ids) for ids in documents],
        before_batch=partial(pad_input_chunk, pad_idx=1, pad_first=True, seq_len=72),
        num_workers=0,
    )
    return DataLoaders(make(shuffle=True), make(shuffle=False))


def learner(dls: DataLoaders, model: torch.nn.Module, **options: object) -> TextLearner:
    return TextLearner(
        dls, model, loss_func=CrossEntropyLossFlat(), splitter=awd_lstm_clas_split, **options
    )
