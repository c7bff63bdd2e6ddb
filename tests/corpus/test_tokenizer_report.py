"""`corpus tokenizer report`: losses are found and counted, marks in texts are shown, and a lossless tokenizer passes."""

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tiny_tokenizers import END, byte_level, pieces, ranks
from tokenizers import Tokenizer

from corpus import cli
from corpus.tokenizer_measure import PROBES, Measure, difference, longest, probes, script
from corpus.tokenizer_page import html
from stages.encode import SentencePieces

TEXTS = [
    "The quick brown fox doesn't jump over 12345 lazy dogs.",
    "我们在这里说明，本公司的产品已经上市！\n第二行▁",
    f"it spells {END} and <eod> and </s>",
    "  two  spaces\t<script>alert(1)</script>",
]


def report(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["corpus", "tokenizer", "report", *command, "--json"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code, json.loads(capsys.readouterr().out)


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in TEXTS]
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "texts" / "b.txt").write_text("今天的天气很好，我们去公园。", encoding="utf-8")
    (tmp_path / "texts" / "notes.xyz").write_text("passed over")
    return tmp_path / "texts"


def test_a_lossless_model_passes(tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pieces(tmp_path / "it" / "tokenizer.model", control_symbols=["<eod>"], eos_id=-1)
    code, told = report(capsys, str(tmp_path / "it"), str(texts))
    assert (code, told["failures"], told["by_library"]) == (0, [], "")
    assert (told["dtype"], told["end_of_document"]) == ("uint16", 2)
    whole = told["all"]
    assert (whole["documents"], whole["lost_bytes"], whole["changed"], whole["unknown"]) == (5, 0, 0, 0)
    assert whole["text_bytes"] == sum(len(text.encode()) for text in TEXTS) + 42
    assert {(one["source"], one["documents"]) for one in told["sources"]} == {("a.jsonl", 4), ("b.txt", 1)}
    assert {(one["language"], one["documents"]) for one in told["languages"]} == {("latin", 3), ("han", 2)}
    for name in ("sources", "languages", "groups"):
        assert sum(one["tokens"] for one in told[name]) == whole["tokens"]
        assert all(one["bytes_per_token"] == one["text_bytes"] / one["tokens"] for one in told[name])
    marks = {one["mark"]: one for one in told["marks"]}
    assert [(mark["times"], mark["documents"], mark["became"]) for mark in marks.values() if mark["times"]] == [
        (1, 1, 0)
    ]
    assert marks["<eod>"]["times"] == 1
    assert {probe["what"] for probe in told["probes"]} >= {*PROBES, "the mark <eod> in text"}
    assert 0 < told["unused_pieces"] < told["pieces"] < told["vocab_size"]
    longest_one = told["longest_han"][0]
    assert longest_one["characters"] > 1
    assert longest_one["times"] == 0 or any(longest_one["text"] in text for text in TEXTS)


def test_pieces_that_fold_text_fail_with_what_is_lost(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SentencePiece's defaults: full-width marks become half-width, blanks are taken away."""
    path = pieces(
        tmp_path / "it.model",
        normalization_rule_name="nmt_nfkc",
        remove_extra_whitespaces=True,
        user_defined_symbols=[],
    )
    code, told = report(capsys, str(path), str(texts / "a.jsonl"))
    assert code == 1
    # "，" and "！" (3 bytes each) and a line end become others; of "  two  spaces\t" two blanks stay, one for the tab.
    assert told["all"]["changed"] == 2
    assert told["all"]["lost_bytes"] == len("，！\n".encode()) + len("  \t")
    assert told["all"]["gained_bytes"] == len(",! ")
    assert "2 of 4 documents do not come back" in told["failures"][0]
    assert {one["what"] for one in told["differences"]} == {"a.jsonl"}
    assert "normalis" in told["by_library"]
    assert "does not come back: full-width punctuation and letters, which NFKC folds" in told["failures"]


def test_what_no_piece_has_and_no_byte_can_spell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pieces(tmp_path / "it.model", byte_fallback=False)
    (tmp_path / "x.txt").write_text("a 😀 b ▁", encoding="utf-8")
    code, told = report(capsys, str(path), str(tmp_path / "x.txt"))
    assert code == 1
    assert told["all"]["unknown"] == 1
    assert told["all"]["lost_bytes"] == len("😀▁".encode())
    assert "does not come back: U+2581, with which SentencePiece writes a space" in told["failures"]


def test_a_space_put_in_front_is_found(tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = byte_level(tmp_path / "it")
    told = json.loads(library.to_str())
    told["pre_tokenizer"]["add_prefix_space"] = True
    (tmp_path / "it" / "tokenizer.json").write_text(Tokenizer.from_str(json.dumps(told)).to_str())
    code, found = report(capsys, str(tmp_path / "it"), str(texts / "b.txt"))
    assert code == 1
    assert (found["all"]["lost_bytes"], found["all"]["gained_bytes"], found["all"]["changed"]) == (0, 1, 1)
    assert found["differences"][0]["back"].startswith(" 今天")


def test_a_mark_that_text_becomes_is_found(tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pieces(tmp_path / "it.model", user_defined_symbols=["\n", "<eod>"], eos_id=-1)
    code, told = report(capsys, str(path), str(texts))
    assert code == 1
    assert told["end_of_document"] is None
    assert "text becomes a mark: the mark <eod> in text" in told["failures"]
    assert "text became <eod> 1 times" in told["failures"]
    assert any("spells out <eod> would be taken for its own end" in failure for failure in told["failures"])


@pytest.mark.parametrize("kind", [byte_level, ranks])
def test_other_tokenizers_pass_too(tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str], kind: Any) -> None:
    kind(tmp_path / "it")
    code, told = report(capsys, str(tmp_path / "it"), str(texts))
    assert (code, told["failures"]) == (0, [])
    assert [(one["mark"], one["times"], one["became"]) for one in told["marks"]] == [(END, 1, 0)]
    assert told["byte_pieces"] == 128
    assert "tiktoken" in told["by_library"] or "tokenizers" in told["by_library"]
    assert told["vocab_size"] > told["pieces"] > 200


def test_survivors_of_a_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A manifest, and the directory of its build."""
    pieces(tmp_path / "it" / "tokenizer.model")
    lines = [json.dumps({"text": f"{text} {i}"}, ensure_ascii=False) for i in range(20) for text in TEXTS]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text(
        'name = "m"\n[[source]]\nname = "a"\nformat = "jsonl"\nfiles = ["*.jsonl"]\nmax_lost_share = 0.5\n'
        '[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "encode"\ntokenizer = "it"\n[[stage]]\nkind = "pack"\n'
    )
    where = ("--build", str(tmp_path / "build"), "--local")
    code, told = report(capsys, "it", str(tmp_path / "m.toml"), *where)
    assert (code, told["all"]["documents"], told["languages"][0]["language"]) == (0, 80, "unknown")
    code, small = report(capsys, "it", str(tmp_path / "m.toml"), *where, "--bytes", "500")
    assert 500 <= small["all"]["text_bytes"] < 700
    with pytest.MonkeyPatch.context() as patch:
        out = str(tmp_path / "build")
        patch.setattr("sys.argv", ["corpus", "build", str(tmp_path / "m.toml"), "--out", out, "--local", "--json"])
        with pytest.raises(SystemExit):
            cli.main()
    built = json.loads(capsys.readouterr().out)
    code, again = report(capsys, str(tmp_path / "it"), str(tmp_path / "build"), "--local")
    assert (code, again["all"]) == (0, told["all"])
    # What is said before encoding is what encoding makes: the shards have one token more of each document.
    shards = built["manifest"]["shards"]
    assert sum(one["tokens"] - one["documents"] for one in shards) == told["all"]["tokens"]


def test_the_page_needs_nothing_and_escapes_texts(
    tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = pieces(tmp_path / "it.model", normalization_rule_name="nmt_nfkc", user_defined_symbols=["<script>"])
    code, told = report(capsys, str(path), str(texts), "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert code == 1
    assert page == html(told)
    assert "<script>" not in page.replace("&lt;", "")
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert "src=" not in page


def test_the_terminal(tmp_path: Path, texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pieces(tmp_path / "it" / "tokenizer.model", control_symbols=["<eod>"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["corpus", "tokenizer", "report", str(tmp_path / "it"), str(texts)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 0
    out = capsys.readouterr().out
    for told in ("uint16", "bytes/token", "a.jsonl", "longest Chinese pieces", "<eod>", "lossless: 5 documents"):
        assert told in out


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pieces(tmp_path / "it.model")
    (tmp_path / "empty").mkdir()
    (tmp_path / "what.xyz").write_text("x")
    for place, message in (("empty", "no file here has a name"), ("what.xyz", "what is in it?"), ("no.txt", "no file")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["corpus", "tokenizer", "report", str(path), str(tmp_path / place)])
            with pytest.raises(SystemExit) as ended:
                cli.main()
        assert ended.value.code == 1
        assert message in capsys.readouterr().err


def test_differences_and_lists_of_pieces() -> None:
    one = difference("x", "a" * 50 + "b" + "c" * 50, "a" * 50 + "B" + "c" * 50)
    assert (one.text, one.back) == ("a" * 24 + "b" + "c" * 23, "a" * 24 + "B" + "c" * 23)
    assert difference("x", "abc", "ab").back == "ab"
    counts = [0, 5, 7, 7, 1]
    found = longest([b"", b"abc", "汉字".encode(), "中文".encode(), b"ab"], counts, 3, han=False)  # type: ignore[arg-type]
    assert [(p.text, p.times) for p in found] == [("abc", 5), ("汉字", 7), ("中文", 7)]
    found = longest([b"", b"abc", "汉字".encode(), "a中文".encode()], counts, 9, han=True)  # type: ignore[arg-type]
    assert [p.text for p in found] == ["汉字", "a中文"]
    assert [script(text) for text in ("hello 你", "你好 ok", "привет", "")] == ["latin", "han", "other", "other"]


def test_texts_are_added_up_in_any_batches(tmp_path: Path) -> None:
    model = SentencePieces(sentencepiece.SentencePieceProcessor(model_file=str(pieces(tmp_path / "it.model"))))
    whole, parts = Measure(model), Measure(model)
    whole.add("s", "l", TEXTS * 100)
    for text in TEXTS * 100:
        parts.add("s", "l", [text])
    assert whole.found.groups == parts.found.groups
    assert whole.found.counts.tolist() == parts.found.counts.tolist()
    assert whole.found.marks == parts.found.marks
    assert not any(probe.lost or probe.made for probe in probes(model))
