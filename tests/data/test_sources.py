"""Every format gives the same rows; what is wrong is said with file and line."""

from __future__ import annotations

import csv
import gzip
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulmfit.data.labels import Label
from ulmfit.data.rows import Row
from ulmfit.data.sources import FORMATS, check_sources, read_rows
from ulmfit.data.write_rows import PredictionWriter
from ulmfit.errors import InputError

Put = Callable[[str, str | bytes], Path]
PAIRS = [("good film", "pos"), ('say "no",\nand leave', "neg"), ("größe 日本 \U0001f600", None)]


def pairs(rows: Iterator[Row]) -> list[tuple[str, Label | None]]:
    return [(row.text, row.label) for row in rows]


def write_table(path: Path, delimiter: str) -> None:
    with path.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerows([("id", "label", "text"), *((7, b, a) for a, b in PAIRS)])


def test_the_same_rows_from_every_table(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ",")
    write_table(tmp_path / "b.tsv", "\t")
    write_table(tmp_path / "semicolons.csv", ";")
    dicts = [{"id": 7, "label": label, "text": text} for text, label in PAIRS]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, dicts)))
    pq.write_table(pa.Table.from_pylist(dicts), tmp_path / "d.parquet")
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for path in sorted(tmp_path.iterdir()):
        rows = list(read_rows([path]))
        assert pairs(iter(rows)) == PAIRS, path
        assert all(list(row.fields) == ["id", "label", "text"] for row in rows)
        assert {row.file for row in rows} == {str(path)}
    assert pairs(read_rows([tmp_path])) == PAIRS * 6  # the folder is all of its files


def test_a_row_begins_on_the_line_that_is_named(put: Put) -> None:
    path = put("a.csv", 'text,label\n"two\nlines",x\n\nlast,y\n')
    assert [row.line for row in read_rows([path])] == [2, 5]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_any_text_survives_csv_and_jsonl(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts = [t for t in texts if not t.isspace()] or ["x"]
    folder = tmp_path_factory.mktemp("texts")
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["text"], *([t] for t in texts)])
    (folder / "a.jsonl").write_text("\n".join(json.dumps({"text": t}) for t in texts))
    assert [row.text for row in read_rows([folder / "a.csv"])] == texts
    assert [row.text for row in read_rows([folder / "a.jsonl"])] == texts


def test_lone_surrogates_and_nul_pass(put: Put) -> None:
    path = put("a.jsonl", '{"text": "a\\ud800\\u0000b"}\n')
    assert [row.text for row in read_rows([path])] == ["a\ud800\0b"]


@pytest.mark.parametrize(
    ("label", "read"),
    [
        *[("1", "1"), ("1.0", "1"), ('"1"', "1"), ('" pos "', "pos"), ("true", "true")],
        *[("2.5", "2.5"), ("null", None), ('""', None), ('"  "', None), ("NaN", None)],
    ],
)
def test_labels_are_strings_and_nothing_is_no_label(put: Put, label: str, read: str | None) -> None:
    path = put("a.jsonl", f'{{"text": "t", "label": {label}}}\n')
    assert [row.label for row in read_rows([path])] == [read]


def test_a_label_that_comes_late_in_a_jsonl_is_seen(put: Put) -> None:
    path = put("a.jsonl", '{"text": "t"}\n' * 200 + '{"text": "t", "label": "x"}\n')
    assert Counter(row.label for row in read_rows([path])) == {None: 200, "x": 1}


def test_columns_that_come_late_in_a_jsonl_are_there(put: Put) -> None:
    labelled = '{"text": "t", "sentiment": "x", "counts": 2, "a": 1, "b": 0}\n'
    path = put("a.jsonl", '{"text": "t"}\n' * 120 + labelled)
    for label, read in [(None, "x"), ("sentiment", "x"), (["a", "b"], ("a",)), ("", None)]:
        (schema,) = check_sources([path], label=label, need_label=label != "")
        assert (schema.label is None) == (read is None)
        assert [row.label for row in read_rows([path], label=label)][-1] == read
    check_sources([path], weight="counts", need_label=True)
    with pytest.raises(InputError, match=r"no column 'stars' \(--label\).*'counts'"):
        check_sources([path], label="stars")
    path = put("b.jsonl", '{"text": "t"}\n' * 120)
    assert check_sources([path])[0].label is None
    with pytest.raises(InputError, match="no column is named 'label'"):
        check_sources([path], need_label=True)


class TestColumns:
    def test_found_by_name_in_any_case_or_by_a_common_name(self, put: Put) -> None:
        for header in ("Text,LABEL", "review,sentiment", "Sentence,Class"):
            assert pairs(read_rows([put("a.csv", f"{header}\nt,l\n")])) == [("t", "l")]

    def test_named_by_the_user_and_joined(self, put: Put) -> None:
        path = put("a.csv", "head,body,kind,label\nh,b,k,l\n,only b,k,l\n")
        rows = read_rows([path], text=["head", "Body"], label="kind")
        assert pairs(rows) == [("h\nb", "k"), ("only b", "k")]

    def test_no_label_is_taken_when_none_is_wanted(self, put: Put) -> None:
        assert pairs(read_rows([put("a.csv", "text,label\nt,l\n")], label="")) == [("t", None)]

    @pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
    def test_empty_columns_of_a_spreadsheet_are_kept_apart(self, put: Put, suffix: str) -> None:
        path = put("a.csv", "text,label,, \nt,l,,\nu,m,3,x\n")
        names = ("text", "label", "column 3", "column 4")
        assert check_sources([path])[0].columns == names
        rows = list(read_rows([path]))
        assert pairs(iter(rows)) == [("t", "l"), ("u", "m")]
        assert [tuple(row.fields.values())[2:] for row in rows] == [("", ""), ("3", "x")]
        with PredictionWriter(path.with_name(f"out.{suffix}"), []) as out:
            for row in rows:
                out.write(row.fields, "l")
        back = list(read_rows([out.path]))
        assert pairs(iter(back)) == pairs(iter(rows))
        assert [row.fields for row in back] == [
            {**row.fields, "label_predicted": "l"} for row in rows
        ]

    @pytest.mark.parametrize(
        ("header", "options", "said"),
        [
            ("a,b", {}, r"no column is named 'text'.*'a', 'b'.*--text"),
            ("text,b", {"label": "c"}, r"no column 'c'.*'text', 'b'"),
            ("a,b", {"text": ["c"]}, r"no column 'c' \(--text\).*'a', 'b'"),
            ("review,content", {}, "'review' and 'content'.*--text"),
            ("text,topic,class", {}, "'topic' and 'class'.*--label"),
            ("text,text", {}, "'text' stands there more than once"),
        ],
    )
    def test_a_wrong_column_is_said_at_the_call(
        self, put: Put, header: str, options: dict[str, str], said: str
    ) -> None:
        path = put("a.csv", header + "\n1,2\n")
        for door in (read_rows, check_sources):
            with pytest.raises(InputError, match=said):
                door([path], **options)  # type: ignore[operator]


class TestFolders:
    def make(self, put: Put) -> Path:
        for name in ("neg/2_3.txt", "neg/10_1.txt", "pos/1_9.txt", "unsup/0_0.txt"):
            put(f"train/{name}", f"text of {name}")
        put("train/urls_pos.txt", "http://x")
        put("train/labeledBow.feat", "9 0:1")
        return put("imdb.vocab", "the\n").parent

    def test_one_folder_per_class(self, put: Put) -> None:
        rows = list(read_rows([self.make(put) / "train"]))
        assert [(row.text, row.label) for row in rows] == [
            ("text of neg/10_1.txt", "neg"),
            ("text of neg/2_3.txt", "neg"),
            ("text of pos/1_9.txt", "pos"),
            ("text of unsup/0_0.txt", None),
        ]
        assert rows[0].fields["file"] == "neg/10_1.txt"

    def test_no_class_shrinks_unseen(self, put: Put, tmp_path: Path) -> None:
        for name in ("neg/0.txt", "neg/1.TXT", "neg/2", "pos/0.txt", "pos/.DS_Store"):
            put(name, f"text of {name}")
        put("pos/Thumbs.db", "of Windows")
        texts = ["text of neg/0.txt", "text of neg/1.TXT", "text of neg/2", "text of pos/0.txt"]
        assert [row.text for row in read_rows([tmp_path])] == texts
        for name in ("neg/3.1", "neg/4.1", "neg/5.md"):
            put(name, "passed over")
        told: list[str] = []
        rows = read_rows([tmp_path], skip_bad_rows=True, on_bad=told.append)
        assert [row.text for row in rows] == texts
        assert len(told) == 1 and f"{tmp_path / 'neg'}: " in told[0]
        assert "(2 in .1, 1 in .md)" in told[0]
        with pytest.raises(InputError, match=r"do not end in \.txt .*--skip-bad-rows"):
            list(read_rows([tmp_path]))

    def test_train_and_test_are_never_read_together(self, put: Put) -> None:
        root = self.make(put)
        put("test/pos/1.txt", "t")
        with pytest.raises(InputError, match=r"both 'train' and 'test'"):
            read_rows([root])
        put("csv/my-train.csv", "text\na\n")
        path = put("csv/my-test.csv", "text\na\n")
        with pytest.raises(InputError, match="training and test files"):
            read_rows([path.parent])

    def test_each_text_file_of_a_folder_is_a_document(self, put: Put) -> None:
        put("d/a.txt", "one\n\ntwo\n")
        path = put("d/b.txt", "three")
        assert [r.text for r in read_rows([path.parent])] == ["one\n\ntwo", "three"]

    @pytest.mark.parametrize("first", ["a", "c"], ids=["before", "behind"])
    @pytest.mark.parametrize("folder", ["d", "tree/pos"], ids=["flat", "of classes"])
    def test_a_file_that_cannot_be_read_is_one_bad_document(
        self, put: Put, tmp_path: Path, folder: str, first: str
    ) -> None:
        put(f"{folder}/b.txt", "fine")
        bad = put(f"{folder}/{first}.txt", "not UTF-8".encode("UTF-16"))
        root = tmp_path / folder.split("/")[0]
        told: list[str] = []
        rows = read_rows([root], skip_bad_rows=True, on_bad=told.append)
        assert [row.text for row in rows] == ["fine"]
        assert len(told) == 1 and "is UTF-16" in told[0]
        with pytest.raises(InputError, match=f"{bad}: the file is UTF-16, .*iconv"):
            list(read_rows([root]))

    def test_a_folder_of_texts_is_opened_in_linear_time(
        self, put: Put, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        paths = [put(f"d/{number}.txt", "t") for number in range(100)]
        hashed: Counter[str] = Counter()
        real = PurePath.__hash__

        def counted(path: Path) -> int:
            hashed.update([path.name])
            return real(path)

        monkeypatch.setattr(PurePath, "__hash__", counted)
        assert len(list(read_rows([paths[0].parent]))) == 100
        assert max(hashed.values()) < 10, "no file is looked at once for every other"

    @pytest.mark.parametrize("content", [{}, {"a.docx": "x"}, {"sub/a.csv": "text\nx\n"}])
    def test_a_folder_without_data_says_so(
        self, put: Put, tmp_path: Path, content: dict[str, str]
    ) -> None:
        for name, text in content.items():
            put(name, text)
        with pytest.raises(InputError, match=r"no file of a supported kind.*\.csv"):
            read_rows([tmp_path])


class TestLineFormats:
    def test_trec(self, put: Put) -> None:
        path = put("t.label", "NUM:dist How far ?\nLOC:city Où , \xe9 ?\n".encode("latin-1"))
        assert pairs(read_rows([path])) == [("How far ?", "NUM"), ("Où , é ?", "LOC")]
        assert [r.label for r in read_rows([path], label="fine")] == ["NUM:dist", "LOC:city"]

    def test_fasttext_is_known_by_its_first_line(self, put: Put) -> None:
        path = put("t.txt", "__label__a one two\nno label\n__label__b\tthree\n")
        assert pairs(read_rows([path])) == [("one two", "a"), ("no label", None), ("three", "b")]

    def test_plain_text_is_split_at_blank_lines(self, put: Put) -> None:
        path = put("t.txt", "\n\none\r\nmore\r\n \r\n\r\ntwo")
        rows = list(read_rows([path]))
        assert [(r.text, r.line) for r in rows] == [("one\nmore", 3), ("two", 7)]
        assert [r.text for r in read_rows([path], format="lines")] == ["one", "more", "two"]
        rows = list(read_rows([path], format="lines", blank_texts=True))
        lines = path.read_text().splitlines()
        assert [r.text for r in rows] == [line.strip() for line in lines], "each has its answer"
        assert [r.line for r in rows] == list(range(1, len(lines) + 1))

    def test_quotes_may_mean_nothing(self, put: Put) -> None:
        path = put("t.tsv", 'text\tlabel\n"half quoted\t1\n')
        assert pairs(read_rows([path], format="tsv-unquoted")) == [('"half quoted', "1")]
        for text in ('"half quoted', '"a" start'):
            for name, mark, told in [("t.tsv", "\t", True), ("t.csv", ",", False)]:
                path = put(name, f"text{mark}label\n{text}{mark}1\n")
                with pytest.raises(InputError, match=r"line 2: a quote") as caught:
                    list(read_rows([path]))
                assert ("--format tsv-unquoted" in str(caught.value)) == told


class TestZhang:
    def test_known_by_content_and_joined(self, put: Put) -> None:
        path = put("t.csv", '"3","Title","He said ""x"""\n"4","T2","D2"\n')
        assert pairs(read_rows([path])) == [('Title\nHe said "x"', "3"), ("T2\nD2", "4")]
        assert check_sources([path])[0].columns == ("class", "title", "description")

    def test_reviews_have_their_newlines_back(self, put: Put) -> None:
        path = put("t.csv", '"1","bad\\n\\n\\""really\\"" bad"\n')
        assert pairs(read_rows([path])) == [('bad\n\n"really" bad', "1")]

    def test_a_header_is_not_taken_for_a_row(self, put: Put) -> None:
        assert check_sources([put("t.csv", "label,text\n1,one\n2,two\n")])[0].format == "csv"


BAD = {
    "too few columns": ("a.csv", "text,label\nok,1\nalone\nok,2\n", "a.csv, line 3: 1 columns"),
    "a quote within": ("a.csv", 'text,label\nok,1\n"a "b" c",1\nok,2\n', "line 3: a quote"),
    "no text": ("a.csv", "text,label\nok,1\n ,1\nok,2\n", "line 3: there is no text in column"),
    "null text": ("a.jsonl", '{"text":"ok"}\n{"text":null}\n{"text":"ok"}\n', "line 2: there"),
    "no key": ("a.jsonl", '{"text":"ok"}\n{"texd":"x"}\n{"text":"ok"}\n', "line 2: there is no"),
    "a number": ("a.jsonl", '{"text":"ok"}\n{"text":5}\n{"text":"ok"}\n', "line 2: .*not text"),
    "bad JSON": ("a.jsonl", '{"text":"ok"}\n{"text":\n{"text":"ok"}\n', "line 2: not JSON"),
    "deep JSON": ("a.jsonl", '{"text":"ok"}\n' + "[" * 10**5 + '\n{"text":"ok"}\n', "line 2: not"),
    "a list": ("a.jsonl", '{"text":"ok"}\n[1]\n{"text":"ok"}\n', "line 2: a JSON list"),
    "an object": (
        "a.jsonl",
        '{"text":"ok"}\n{"text":"x","label":{"a":1}}\n{"text":"ok"}\n',
        "line 2: column 'label' holds an object",
    ),
    "a list in a list": (
        "a.jsonl",
        '{"text":"ok"}\n{"text":"x","label":["a",["b"]]}\n{"text":"ok"}\n',
        r"line 2: column 'label' holds a list with \['b'\] in it",
    ),
    "nothing in a list": (
        "a.jsonl",
        '{"text":"ok"}\n{"text":"x","label":["a",null]}\n{"text":"ok"}\n',
        "line 2: column 'label' holds a list with None in it",
    ),
    "no TREC": ("a.label", "NUM:x ok\nok\nNUM:x ok\n", "line 2: expected 'COARSE:fine text'"),
    "labels alone": ("a.ft", "__label__a ok\n__label__a __label__b\n__label__a ok\n", "no text"),
    "a byte": ("a.csv", b"text,label\nok,1\nm\xe9,1\nok,2\n", "line 3: byte 0xe9 at offset 17"),
    "a byte 2": (
        "a.jsonl",
        b'{"text":"ok"}\n\xff\n{"text":"ok"}\n',
        "line 2: byte 0xff at offset 14",
    ),
    "a byte 3": ("a.txt", b"ok\n\n\xff\n\nok", "line 3: byte 0xff at offset 4"),
    "after a mark": ("a.txt", b"\xef\xbb\xbfok\n\n\xff\n\nok", "line 3: byte 0xff at offset 7"),
}


@pytest.mark.parametrize(("name", "content", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_stops_or_is_skipped_and_told(
    put: Put, name: str, content: str | bytes, said: str
) -> None:
    path = put(name, content)
    with pytest.raises(InputError, match=said) as caught:
        list(read_rows([path]))
    assert str(path) in str(caught.value)
    told: list[str] = []
    rows = read_rows([path], skip_bad_rows=True, on_bad=told.append)
    assert [row.text for row in rows] == ["ok", "ok"]
    assert len(told) == 1


def test_a_document_of_several_bad_lines_takes_no_other_with_it(put: Put) -> None:
    path = put("a.txt", b"bad \xe9\nbad \xe9\n\nsecond is clean\n\nthird clean")
    told: list[str] = []
    rows = read_rows([path], skip_bad_rows=True, on_bad=told.append)
    assert [row.text for row in rows] == ["second is clean", "third clean"]
    assert len(told) == 1 and "line 1: byte 0xe9" in told[0]


def test_an_unclosed_quote_names_the_row_it_opens_in(put: Put) -> None:
    path = put("a.csv", 'text,label\nok,1\n"never closed,1\n' + "more,2\n" * 50)
    with pytest.raises(InputError, match=r"line 3: a quote .* is never closed"):
        list(read_rows([path]))


def test_a_bad_byte_says_how_to_convert(put: Put) -> None:
    with pytest.raises(InputError, match=r"iconv -f WINDOWS-1252 -t UTF-8 a.csv"):
        list(read_rows([put("a.csv", b"text\n\xe9\n")]))


@pytest.mark.parametrize("form", ["UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32"])
def test_characters_of_two_or_four_bytes_say_how_to_convert(put: Put, form: str) -> None:
    with pytest.raises(InputError, match=f"is {form}, not UTF-8. .*iconv -f {form} -t"):
        read_rows([put("b.csv", "text,label\nx,1\n".encode(form))])


def test_a_row_without_a_text_is_read_where_it_may_be(put: Put) -> None:
    path = put("a.csv", "title,text,label\n,,1\nA,,2\n , ,\n")
    rows = list(read_rows([path], text=["title", "text"], blank_texts=True))
    assert [(row.text, row.label, row.line) for row in rows] == [
        ("", "1", 2),
        ("A", "2", 3),
        ("", None, 4),
    ]


def test_null_text_and_bad_strings_in_parquet(tmp_path: Path) -> None:
    bad = pa.array([b"ok", b"\xff", None, b"ok"], pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"text": bad}), tmp_path / "a.parquet")
    told: list[str] = []
    rows = read_rows([tmp_path / "a.parquet"], skip_bad_rows=True, on_bad=told.append)
    assert [(row.text, row.line) for row in rows] == [("ok", 1), ("ok", 4)]
    assert "row 2: a string that is not UTF-8" in told[0]
    assert "row 3: there is no text" in told[1]


def test_parquet_that_is_none(put: Put, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a whole Parquet file"):
        read_rows([put("a.parquet", b"PAR1 and no more")])
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match="'text' holds int64"):
        read_rows([tmp_path / "b.parquet"])
    pq.write_table(pa.table({"text": ["x"]}).slice(0, 0), tmp_path / "c.parquet")
    with pytest.raises(InputError, match="no rows"):
        read_rows([tmp_path / "c.parquet"])


class TestDoor:
    def test_missing_empty_unknown(self, put: Put, tmp_path: Path) -> None:
        for path, said in [
            (tmp_path / "none.csv", "no such file"),
            (put("empty.csv", ""), "is empty"),
            (put("data.docx", "x"), r"expected one of \.csv"),
        ]:
            with pytest.raises(InputError, match=said):
                read_rows([path])
        with pytest.raises(InputError, match="no format is called 'xls'"):
            read_rows([put("a.csv", "text\nx\n")], format="xls")
        with pytest.raises(InputError, match="no file"):
            read_rows([])

    @pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt", "a.tokens"])
    def test_a_file_without_rows(self, put: Put, name: str) -> None:
        path = put(name, "text,label\n" if name == "a.csv" else "\n \n")
        with pytest.raises(InputError, match=r"holds no texts|is empty"):
            check_sources([path])
        with pytest.raises(InputError, match=r"holds no texts|is empty"):
            list(read_rows([path]))

    def test_a_broken_gzip(self, put: Put) -> None:
        whole = gzip.compress(b"text\n" + b"a row\n" * 10000)
        for content in (b"no gzip", whole[: len(whole) // 2]):
            with pytest.raises(InputError, match="gzip file is broken"):
                list(read_rows([put("a.csv.gz", content)]))

    def test_a_label_that_is_needed(self, put: Put) -> None:
        path = put("a.csv", "text,stars\nx,1\n")
        assert check_sources([path])[0].label is None
        with pytest.raises(InputError, match=r"no column is named 'label'.*'stars'.*--label"):
            check_sources([path], need_label=True)
        assert check_sources([path], label="stars", need_label=True)[0].label == "stars"


@pytest.mark.parametrize("name", ["big.csv", "big.jsonl", "big.txt"])
def test_memory_does_not_grow_with_the_file(put: Put, name: str) -> None:
    row = {"csv": "%s,x\n", "jsonl": '{"text": "%s"}\n', "txt": "%s\n"}[name.split(".")[1]]
    path = put(name, ("text,label\n" if name == "big.csv" else "") + (row % ("word " * 200)) * 8000)
    tracemalloc.start()
    for _ in read_rows([path]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 8e6
    assert peak < 5e6


def test_every_format_is_named_once() -> None:
    assert {"csv", "tsv", "jsonl", "parquet", "class-folders", "trec", "fasttext"} <= set(FORMATS)


class TestRealData:
    def test_trec(self, shared: Path) -> None:
        train = list(read_rows([shared / "trec" / "train_5500.label"]))
        test = list(read_rows([shared / "trec" / "TREC_10.label"]))
        assert (len(train), len(test)) == (5452, 500)
        assert len({row.label for row in train}) == 6
        assert len({row.fields["fine"] for row in train}) == 50

    def test_ag(self, shared: Path) -> None:
        rows = list(read_rows([shared / "ag-news" / "test.csv"]))
        assert Counter(row.label for row in rows) == dict.fromkeys("1234", 1900)

    def test_imdb(self, shared: Path) -> None:
        rows = read_rows([shared / "imdb" / "train.parquet", shared / "imdb" / "unsup.parquet"])
        assert Counter(row.label for row in rows) == {"pos": 12500, "neg": 12500, None: 50000}
