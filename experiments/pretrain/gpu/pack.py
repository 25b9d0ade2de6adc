"""A prepared corpus -> pieces small enough to send one by one, with a manifest that checks them.

    python pack.py runs/wiki.run packed --test ../shared/data/wikitext-103/wiki.test.tokens

`runs/wiki.run` is the folder of an `ulmfit pretrain` that has turned its texts into ids.
`packed` gets manifest.json, pieces of the ids (000.xz, ...) and, small as they are, tokenizer.json,
the documents' borders and the ids of the test text. `unpack.py` is the way back.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
from pathlib import Path

import coding
import numpy as np

from ulmfit.corpus import Corpus, open_corpus, prepare
from ulmfit.data.sources import read_rows
from ulmfit.text.encoder import Encoder

MANIFEST = "manifest.json"
SMALL = "small.xz"  # all but the ids: {path: bytes in hexadecimal}


def main() -> None:
    """Pack what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder with corpus/ and tokenizer.json")
    parser.add_argument("out", type=Path)
    parser.add_argument("--test", type=Path, help="a .tokens file to measure the model on")
    parser.add_argument("--piece-mb", type=float, default=30.0, help="largest piece")
    parser.add_argument("--documents", type=int, help="only so many, for a trial")
    asked = parser.parse_args()
    corpus = open_corpus(asked.run / "corpus")
    if asked.documents:
        corpus = first_documents(corpus, asked.documents, beside(asked.out, "trial"))
    if asked.test:
        encode_test(asked.test, asked.run, beside(asked.out, "test"))
    pack(corpus, asked.run / "tokenizer.json", asked.out, int(asked.piece_mb * 1e6), asked.test)


def pack(
    corpus: Corpus, tokenizer: Path, out: Path, limit: int, test: Path | None = None
) -> dict[str, object]:
    """Write `out`; what manifest.json says."""
    out.mkdir(parents=True)
    listed = []
    for number, (piece, tokens) in enumerate(coding.pieces(corpus.ids, limit)):
        name = f"{number:03}.xz"
        (out / name).write_bytes(piece)
        listed.append({**fingerprint(out / name), "tokens": tokens})
        print(f"{name}: {len(piece) / 1e6:.1f} MB, {tokens:,} tokens", flush=True)
    folders = {"corpus": corpus.folder} | ({"test": beside(out, "test")} if test else {})
    small = {"tokenizer.json": tokenizer.read_bytes()}
    for name, folder in folders.items():
        for path in sorted(folder.iterdir()):
            if path.name != "ids.bin" or name == "test":
                small[f"{name}/{path.name}"] = path.read_bytes()
    told = json.dumps({path: data.hex() for path, data in small.items()})
    (out / SMALL).write_bytes(lzma.compress(told.encode(), preset=6))
    digest = hashlib.sha256(np.ascontiguousarray(corpus.ids)).hexdigest()
    manifest = {"ids_sha256": digest, "pieces": listed, "small": fingerprint(out / SMALL)}
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def beside(out: Path, what: str) -> Path:
    """Where `what` is written on the way to `out`."""
    return out.with_name(f"{out.name}-{what}")


def fingerprint(path: Path) -> dict[str, object]:
    """Name, size and sha256 of a file."""
    data = path.read_bytes()
    return {"name": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def first_documents(corpus: Corpus, count: int, folder: Path) -> Corpus:
    """The first `count` documents of a corpus as a corpus of their own."""
    folder.mkdir(parents=True)
    offsets = corpus.offsets[: count + 1]
    ids = corpus.ids[: offsets[-1]]
    (folder / "ids.bin").write_bytes(ids.tobytes())
    np.save(folder / "offsets.npy", offsets)
    stats = json.loads((corpus.folder / "stats.json").read_text())
    stats |= {"documents": len(offsets) - 1, "tokens": len(ids)}
    (folder / "stats.json").write_text(json.dumps(stats))
    return open_corpus(folder)


def encode_test(path: Path, run: Path, folder: Path) -> None:
    """The ids of a WikiText file; its `words` become the file's own tokens, as papers count."""
    rows = list(read_rows([path]))
    prepare((row.text for row in rows), Encoder.load(run / "tokenizer.json"), folder)
    stats = json.loads((folder / "stats.json").read_text())
    stats["words"] = sum(int(str(row.fields["tokens"])) for row in rows)
    (folder / "stats.json").write_text(json.dumps(stats))


if __name__ == "__main__":
    main()
