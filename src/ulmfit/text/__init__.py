"""Words: text -> tokens -> ids, and back. Knows no files of data and no tensors."""

from ulmfit.text.building import build_encoder
from ulmfit.text.encoder import Encoder
from ulmfit.text.id_files import IdStats, write_ids
from ulmfit.text.rules import PAPER_RULES, Rules
from ulmfit.text.subword import SubwordTokenizer
from ulmfit.text.tokenizer import WordTokenizer
from ulmfit.text.vocab import Vocab

__all__ = [
    "PAPER_RULES",
    "Encoder",
    "IdStats",
    "Rules",
    "SubwordTokenizer",
    "Vocab",
    "WordTokenizer",
    "build_encoder",
    "write_ids",
]
