"""The papers' data sets: who publishes them, what the bytes are, what is inside.

Where a sha256 comes from stands beside it:
[a] the file was at hand and hashed for this project;
[b] TensorFlow Datasets' `url_checksums` (not downloaded for this project);
[c] Hugging Face `datasets`' `dataset_infos.json` (not downloaded for this project).
A source with none has its sha256 recorded when it is first downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ulmfit.errors import InputError


@dataclass(frozen=True, slots=True)
class Download:
    """One file as its publisher gives it; several addresses are tried in turn."""

    name: str
    urls: tuple[str, ...]
    sha256: str | None = None
    size: int | None = None  # bytes


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set. `parts` are paths under its folder once all is downloaded and unpacked."""

    name: str
    title: str
    source: str
    downloads: tuple[Download, ...]
    parts: Mapping[str, str]
    other_names: tuple[str, ...] = ()
    part_sha256: Mapping[str, str] = field(default_factory=dict)


# Zhang et al. publish on Google Drive, which asks for a click; fast.ai keeps the same archives.
_ZHANG = "Zhang, Zhao and LeCun 2015, "
_FASTAI = "https://s3.amazonaws.com/fast-ai-nlp/"
_AG = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
_TREC = "https://cogcomp.seas.upenn.edu/Data/QA/QC/"
_MERITY = "Merity et al. 2017, CC BY-SA"
_SMERITY = "https://wikitext.smerity.com/"
_METAMIND = "https://s3.amazonaws.com/research.metamind.io/wikitext/"


def _zhang_parts(folder: str) -> dict[str, str]:
    return {"train": f"{folder}/train.csv", "test": f"{folder}/test.csv"}


def _wikitext_parts(folder: str) -> dict[str, str]:
    return {part: f"{folder}/wiki.{part}.tokens" for part in ("train", "valid", "test")}


IMDB = Dataset(
    "imdb",
    "IMDb, Large Movie Review Dataset: 25,000 + 25,000 reviews, 50,000 unlabelled",
    "Maas et al. 2011",
    (
        Download(
            "aclImdb_v1.tar.gz",
            ("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",  # [b]
            84_125_825,
        ),
    ),
    {"train": "aclImdb/train", "test": "aclImdb/test"},  # train holds the unlabelled `unsup`
)
TREC = Dataset(
    "trec",
    "TREC-6, question classification: 5,452 + 500 questions, 6 classes (50 fine)",
    "Li and Roth 2002",
    (
        Download(
            "train_5500.label",
            (_TREC + "train_5500.label",),
            "9e4c8bdcaffb96ed61041bd64b564183d52793a8e91d84fc3a8646885f466ec3",  # [a] [c]
            335_858,
        ),
        Download(
            "TREC_10.label",
            (_TREC + "TREC_10.label",),
            "033f22c028c2bbba9ca682f68ffe204dc1aa6e1cf35dd6207f2d4ca67f0d0e8e",  # [a] [c]
            23_354,
        ),
    ),
    {"train": "train_5500.label", "test": "TREC_10.label"},
    ("trec-6", "trec6"),
)
AG = Dataset(
    "ag",
    "AG News: 120,000 + 7,600 articles, 4 classes",
    _ZHANG + "as mhjabreel/CharCnn_Keras keeps it",
    (
        Download(
            "train.csv",
            (_AG + "train.csv",),
            "76a0a2d2f92b286371fe4d4044640910a04a803fdd2538e0f3f29a5c6f6b672e",  # [c]
            29_470_338,
        ),
        Download(
            "test.csv",
            (_AG + "test.csv",),
            "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699",  # [a] [c]
            1_857_427,
        ),
    ),
    {"train": "train.csv", "test": "test.csv"},
    ("ag-news", "agnews"),
)
DBPEDIA = Dataset(
    "dbpedia",
    "DBpedia ontology: 560,000 + 70,000 abstracts, 14 classes",
    _ZHANG + "from fast.ai",
    (
        Download(
            "dbpedia_csv.tgz",
            (_FASTAI + "dbpedia_csv.tgz",),
            "42db5221ddedddb673a4cabcc5f3a7d869714c878bcfe4ba94b29d14aa38e417",  # [c]
            68_341_743,
        ),
    ),
    _zhang_parts("dbpedia_csv"),
)
YELP_BI = Dataset(
    "yelp-bi",
    "Yelp polarity: 560,000 + 38,000 reviews, 2 classes",
    _ZHANG + "from fast.ai",
    (
        Download(
            "yelp_review_polarity_csv.tgz",
            (_FASTAI + "yelp_review_polarity_csv.tgz",),
            "528f22e286cad085948acbc3bea7e58188416546b0e364d0ae4ca0ce666abe35",  # [b] [c]
            166_373_201,
        ),
    ),
    _zhang_parts("yelp_review_polarity_csv"),
    ("yelp-polarity",),
)
YELP_FULL = Dataset(
    "yelp-full",
    "Yelp full: 650,000 + 50,000 reviews, 5 classes",
    _ZHANG + "from fast.ai",
    (
        Download(
            "yelp_review_full_csv.tgz",
            (_FASTAI + "yelp_review_full_csv.tgz",),
            "56006b0a17a370f1e366504b1f2c3e3754e4a3dda17d3e718a885c552869a559",  # [c]
            196_146_755,
        ),
    ),
    _zhang_parts("yelp_review_full_csv"),
)
WIKITEXT_2 = Dataset(
    "wikitext-2",
    "WikiText-2: 2.1 M + 0.2 M + 0.2 M tokens",
    _MERITY,
    (
        Download(
            "wikitext-2-v1.zip",
            (_SMERITY + "wikitext-2-v1.zip", _METAMIND + "wikitext-2-v1.zip"),
            "92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c",  # [c]
            4_475_746,
        ),
    ),
    _wikitext_parts("wikitext-2"),
    ("wikitext2",),
    {  # [a]
        "train": "9e9fa1ad55b1c2c95b08e37dd8e653f638fac2c6de904b79e813611eefbc985f",
        "valid": "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
        "test": "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
    },
)
WIKITEXT_103 = Dataset(
    "wikitext-103",
    "WikiText-103: 103 M + 0.2 M + 0.2 M tokens",
    _MERITY,
    (
        Download(
            "wikitext-103-v1.zip",
            (_SMERITY + "wikitext-103-v1.zip", _METAMIND + "wikitext-103-v1.zip"),
            "242ba0f20b329cfdf1ccc61e9e9e5b59becf189db7f7a81cd2a0e2fc31539590",  # [c]
            190_229_076,
        ),
    ),
    _wikitext_parts("wikitext-103"),
    ("wikitext103",),
    {  # [a]
        "valid": "9aee9f52d6e77de6c7751fc5e7c44287db3ec0eaf15477098acc6b93c1c4250b",
        "test": "56db52eb157b1ab5c89646eef70510c1eca6e12a3bfdb99f0d6b05b4eacb75b9",
    },
)
CATALOGUE = (IMDB, TREC, AG, DBPEDIA, YELP_BI, YELP_FULL, WIKITEXT_2, WIKITEXT_103)


def find_dataset(name: str) -> Dataset:
    """The data set of that name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    wanted = name.strip().lower().replace("_", "-")
    for dataset in CATALOGUE:
        if wanted == dataset.name or wanted in dataset.other_names:
            return dataset
    names = ", ".join(dataset.name for dataset in CATALOGUE)
    raise InputError(f"no data set is called {name!r}; there are {names}")
