"""Document vectors are the pooled outputs of the encoder, in order, whatever the batch."""

import numpy as np
import pytest
import torch

from ulmfit.bundle import Bundle, Direction, HeadConfig, empty_classifier
from ulmfit.data.stream import reverse_document
from ulmfit.errors import InputError
from ulmfit.model.awd_lstm import AWDLSTM, Architecture
from ulmfit.model.dropout import Dropouts
from ulmfit.model.heads import LanguageModel
from ulmfit.predict import Predictor
from ulmfit.text import Encoder
from ulmfit.vectors import document_vectors

BOTH: tuple[Direction, ...] = ("forward", "backward")


@pytest.fixture(scope="module")
def language_model(encoder: Encoder) -> Bundle:
    sizes = Architecture(len(encoder.vocab), 6, 8, 2)
    torch.manual_seed(0)
    weights = {d: LanguageModel(AWDLSTM(sizes, Dropouts())).state_dict() for d in BOTH}
    return Bundle("language-model", sizes, encoder, weights)


@pytest.fixture(scope="module")
def classifier(encoder: Encoder) -> Bundle:
    sizes, head = Architecture(len(encoder.vocab), 6, 8, 2), HeadConfig(chunk=7)
    torch.manual_seed(1)
    weights = {d: empty_classifier(sizes, head, 2).state_dict() for d in BOTH}
    return Bundle("classifier", sizes, encoder, weights, labels=["bad", "good"], head=head)


def outputs(bundle: Bundle, text: str, direction: Direction) -> torch.Tensor:
    """The last layer's outputs for one text read alone and in one piece: (time, embedding)."""
    encoder = AWDLSTM(bundle.architecture, Dropouts(0, 0, 0, 0, 0))
    weights = bundle.weights[direction]
    own = {n.removeprefix("encoder."): t for n, t in weights.items() if n.startswith("encoder.")}
    encoder.load_state_dict(own)
    ids = bundle.encoder.encode(text).astype(np.int64)
    if direction == "backward":
        ids = reverse_document(ids)
    with torch.inference_mode():
        return encoder(torch.from_numpy(ids)[:, None], encoder.initial_states(1)).raw[:, 0]


@pytest.mark.parametrize("kind", ["language_model", "classifier"])
def test_a_vector_is_last_maximum_and_mean_of_both_directions(kind, texts, request):
    bundle = request.getfixturevalue(kind)
    got = np.stack(list(document_vectors(bundle, texts)))
    for text, vector in zip(texts, got, strict=True):
        parts = []
        for direction in BOTH:
            h = outputs(bundle, text, direction)
            parts += [h[-1], h.amax(0), h.mean(0)]
        np.testing.assert_allclose(vector, torch.cat(parts).numpy(), atol=1e-5)


def test_the_order_and_the_company_of_a_text_change_nothing(language_model, texts):
    once = np.stack(list(document_vectors(language_model, texts)))
    mixed = [texts[i] for i in (3, 0, 3, 17, 39)]
    again = np.stack(list(document_vectors(language_model, mixed)))
    np.testing.assert_allclose(again, once[[3, 0, 3, 17, 39]], atol=1e-5)


def test_a_predictor_gives_the_vectors_that_its_answers_come_from(classifier, texts):
    predictor = Predictor(classifier)
    vectors = torch.from_numpy(np.stack(list(predictor.vectors(texts))))
    answers = []
    for i, direction in enumerate(BOTH):
        head = classifier.classifier(direction).head
        with torch.inference_mode():
            answers.append(head(vectors[:, 18 * i : 18 * (i + 1)]).double().softmax(1))
    wanted = torch.stack(answers).mean(0).numpy()
    np.testing.assert_allclose(list(predictor.probabilities(texts)), wanted, atol=1e-6)


def test_no_text_no_vector(language_model):
    assert list(document_vectors(language_model, [])) == []


@pytest.mark.parametrize("wrong", [None, b"bytes", 3.0])
def test_what_is_no_text_is_named(language_model, wrong):
    with pytest.raises(InputError, match=f"text 2: a string is wanted, not {type(wrong).__name__}"):
        list(document_vectors(language_model, ["a text", wrong]))
