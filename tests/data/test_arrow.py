"""Arrow files and saved `datasets`: every row in order, class labels by name, damage told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ulmfit.data.sources import check_sources, read_rows
from ulmfit.errors import InputError

TEXTS = ["a fine film", "a dull plot", "so so"]
FEATURES = {
    "text": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
}


def table(texts: list[str] = TEXTS, labels: list[int] | None = None) -> pa.Table:
    labels = labels or [1, 0, -1]
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    made = pa.table({"text": texts, "label": pa.array(labels, pa.int64())})
    return made.replace_schema_metadata(metadata)


def write_stream(path: Path, rows: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)


def write_file(path: Path, rows: pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=2)


def save(folder: Path, shards: list[pa.Table], **state: Any) -> Path:
    """A folder as `Dataset.save_to_disk` leaves it."""
    folder.mkdir()
    names = [f"data-{i:05}-of-{len(shards):05}.arrow" for i in range(len(shards))]
    for name, rows in zip(names, shards, strict=True):
        write_stream(folder / name, rows)
    told = {"_data_files": [{"filename": name} for name in names], **state}
    (folder / "state.json").write_text(json.dumps(told))
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    return folder


def told(path: Path, **options: Any) -> list[tuple[str, str | None]]:
    return [(row.text, row.label) for row in read_rows([path], **options)]


PAIRS = list(zip(TEXTS, ["pos", "neg", None], strict=True))


@pytest.mark.parametrize("write", [write_stream, write_file])
def test_a_file_of_either_format(write: Callable[[Path, pa.Table], None], tmp_path: Path) -> None:
    write(tmp_path / "a.arrow", table())
    assert told(tmp_path / "a.arrow") == PAIRS


def test_a_saved_data_set_is_read_shard_after_shard(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [table(), table(["one more"], [0])])
    assert told(folder) == [*PAIRS, ("one more", "neg")]
    assert [row.line for row in read_rows([folder])] == [1, 2, 3, 4]
    (schema,) = check_sources([folder], need_label=True)
    assert schema.columns == ("text", "label") and schema.label == "label"


def test_rows_of_a_large_batch_come_one_by_one(tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(1000)]
    write_stream(tmp_path / "a.arrow", table(texts, [0] * 1000))
    assert [row.text for row in read_rows([tmp_path / "a.arrow"])] == texts


def test_lists_of_class_labels_become_names(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [pa.table({"text": ["x"], "tags": [[1, 0, 7]]})])
    for kind in ("List", "Sequence", "LargeList"):
        tags = {"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "_type": kind}
        info = {"features": {**FEATURES, "tags": tags}}
        (folder / "dataset_info.json").write_text(json.dumps(info))
        (row,) = read_rows([folder])
        assert row.fields["tags"] == ["b", "a", None]


@pytest.mark.parametrize("info", ["{}", '{"features": 3}', '{"features": {"label": {"names": 1}}}'])
def test_without_names_a_label_is_its_number(info: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [table().replace_schema_metadata()])
    (folder / "dataset_info.json").write_text(info)
    assert [row.label for row in read_rows([folder])] == ["1", "0", "-1"]


def test_a_dictionary_of_splits_asks_for_one(tmp_path: Path) -> None:
    root = tmp_path / "splits"
    root.mkdir()
    (root / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    save(root / "train", [table()])
    with pytest.raises(InputError, match=r"several splits; .*splits/train, .*splits/test"):
        read_rows([root])
    assert told(root / "train") == PAIRS


def test_a_folder_that_holds_a_state_file_by_chance_is_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("[1]")
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    with pytest.raises(InputError, match=r"state\.json"):  # .json is a supported kind
        list(read_rows([tmp_path]))


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ("{", "not readable as JSON"),
        ("[]", "a JSON object is wanted"),
        ("{}", "not as this `datasets` writes it"),
        ('{"_data_files": [{"filename": "../saved/data-00000-of-00001.arrow"}]}', "no file beside"),
        ('{"_data_files": [{"filename": "gone.arrow"}]}', "'gone.arrow', which is no file"),
    ],
)
def test_a_state_that_is_not_right(state: str, match: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [table()])
    (folder / "state.json").write_text(state)
    with pytest.raises(InputError, match=match):
        read_rows([folder])


def test_rows_chosen_by_indices_are_not_taken_for_all(tmp_path: Path) -> None:
    folder = save(tmp_path / "saved", [table()], _indices_data_files=[{"filename": "i.arrow"}])
    with pytest.raises(InputError, match="save it anew"):
        read_rows([folder])


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        read_rows([path])
    path.write_bytes(b"ARROW1 and no more")
    with pytest.raises(InputError, match="not a whole Arrow file"):
        read_rows([path])
    write_stream(path, table(["a long text " * 50] * 400, [0] * 400))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"damaged after row|not a whole"):
        list(read_rows([path]))


def test_columns_are_checked_at_the_door(tmp_path: Path) -> None:
    write_stream(tmp_path / "a.arrow", pa.table({"text": [1, 2]}))
    with pytest.raises(InputError, match="'text' holds int64, not strings"):
        read_rows([tmp_path / "a.arrow"])
    with pytest.raises(InputError, match="no column 'body'"):
        read_rows([save(tmp_path / "saved", [table()])], text=["body"])
    folder = save(tmp_path / "other", [table(), pa.table({"label": [1]})])
    with pytest.raises(InputError, match="'text' holds nothing"):
        read_rows([folder])


def test_a_string_that_is_not_utf8_is_one_bad_row(tmp_path: Path) -> None:
    borders, letters = b"\0\0\0\0\2\0\0\0\4\0\0\0", b"ok\xff\xfe"
    buffers = [None, pa.py_buffer(borders), pa.py_buffer(letters)]
    bad = pa.Array.from_buffers(pa.string(), 2, buffers)
    write_stream(tmp_path / "a.arrow", pa.table({"text": bad}))
    messages: list[str] = []
    rows = read_rows([tmp_path / "a.arrow"], skip_bad_rows=True, on_bad=messages.append)
    assert [row.text for row in rows] == ["ok"]
    assert "row 2" in messages[0] and "UTF-8" in messages[0]


def test_what_datasets_itself_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets", reason="the extra [hub] is not installed")
    datasets.disable_progress_bars()
    names = datasets.ClassLabel(names=["neg", "pos"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    rows = {"text": [*TEXTS, "the last"], "label": [1, 0, -1, 1]}
    made = datasets.Dataset.from_dict(rows, features=features).shuffle(seed=3)
    made.save_to_disk(str(tmp_path / "saved"), num_shards=2)
    wanted = [
        (row["text"], None if row["label"] < 0 else features["label"].int2str(row["label"]))
        for row in made
    ]
    assert told(tmp_path / "saved") == wanted and wanted != [*PAIRS, ("the last", "pos")]
    datasets.DatasetDict(train=made, test=made).save_to_disk(str(tmp_path / "splits"))
    with pytest.raises(InputError, match="splits/train"):
        read_rows([tmp_path / "splits"])
    assert told(tmp_path / "splits" / "test") == wanted
