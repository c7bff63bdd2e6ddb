"""Forward: every page leads to its ranges of tokens and no other, and to the reasons of what is in none."""

import shutil
from pathlib import Path

import pytest
import sealed
from rich.console import Console

from corpus.errors import InputError
from corpus.opened import Build, Tables
from corpus.ranges import find, show
from corpus.store import Blobs
from corpus.tokens import ShardReader


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    sealed.build(sealed.prepare(folder))
    return folder


def places(folder: Path) -> tuple[Blobs, Blobs]:
    return Blobs(str(folder / "out")), Blobs(str(folder / "store"))


def decoded(tokens: list[int]) -> str:
    return "".join(sealed.LETTERS[t] if t < len(sealed.LETTERS) else "?" for t in tokens[:-1])


def test_the_ranges_of_all_pages_are_all_tokens_of_their_source(whole: Path) -> None:
    build = Build(*places(whole))
    covered: set[tuple[str, int]] = set()
    texts = dict(line.split("\t") for line in (*sealed.WEB, *sealed.MORE) if "\t" in line)
    for url, text in texts.items():
        (found,) = find(*places(whole), url=url)
        assert (found.source, found.url) == ("web", url)
        assert len(found.ranges) == (0 if found.left else 1)
        for one in found.ranges:
            tokens = build.tokens(next(s for s in build.shards if s.path == one.shard), one.start, one.stop).tolist()
            assert decoded(tokens) == "".join(c if c in sealed.LETTERS else "?" for c in text.upper())
            assert one.bytes is None
            span = {(one.shard, i) for i in range(one.start, one.stop)}
            assert not covered & span
            covered |= span
            assert find(*places(whole), id=one.id)[0].ranges == [one]
    assert len(covered) == sum(s.tokens for s in build.shards if s.source == "web")


def test_positions_count_over_the_shards_of_the_build(whole: Path) -> None:
    build = Build(*places(whole))
    stream: list[int] = []
    for shard in build.shards:
        reader = ShardReader(whole / "out" / shard.path)
        stream += reader.tokens(0, reader.total_tokens).tolist()
    for url in ("http://c.example/3", "http://a.example/1"):
        (found,) = find(*places(whole), url=url)
        for one in found.ranges:
            shard = ShardReader(whole / "out" / one.shard)
            assert stream[one.token : one.token + one.stop - one.start] == shard.tokens(one.start, one.stop).tolist()


def test_a_book_that_was_cut_has_a_range_for_each_part(whole: Path) -> None:
    build = Build(*places(whole))
    first = next(p for p in build.partitions() if (p.source, p.chunk) == ("books", 0))
    seen = Tables(build.store, first)
    (found,) = find(*places(whole), id=seen.column(0, "id")[0].as_py().hex())
    text = sealed.BOOKS[0].split("\t")[1]
    assert {one.bytes for one in found.ranges} == {(0, len(text) // 2), (len(text) // 2, len(text))}
    for one in found.ranges:
        tokens = build.tokens(next(s for s in build.shards if s.path == one.shard), one.start, one.stop).tolist()
        assert one.bytes is not None
        assert decoded(tokens) == text.upper()[slice(*one.bytes)]
        assert find(*places(whole), id=one.id)[0].ranges == [one]


def test_what_left_has_no_range_but_a_reason(whole: Path) -> None:
    (short,) = find(*places(whole), url="http://a.example/2")
    assert (short.ranges, short.left) == ([], {"at-least: short": 1})
    (copy,) = find(*places(whole), url="http://a.example/3")
    assert (copy.ranges, copy.left) == ([], {"dedup: exact_duplicate": 1})


def test_what_is_not_there(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no record has the URL http://nowhere\.example/"):
        find(*places(whole), url="http://nowhere.example/")
    with pytest.raises(InputError, match="no record has the id 00"):
        find(*places(whole), id="00" * 16)
    with pytest.raises(InputError, match="Expected 32 hexadecimal digits"):
        find(*places(whole), id="abc")
    shutil.copytree(whole / "data", tmp_path / "data")
    manifest = sealed.prepare(tmp_path)
    text = manifest.read_text().split('[[stage]]\nkind = "pack"')[0]
    manifest.write_text(text)
    out, store = sealed.build(manifest)
    with pytest.raises(InputError, match="this build has no shards"):
        find(out, store, url="http://a.example/1")


def test_shown_without_control_characters(whole: Path) -> None:
    found = find(*places(whole), url="http://a.example/<script>alert(1)</script>")
    found[0].path += "\x1b[31m"
    console = Console(width=300)
    with console.capture() as captured:
        console.print(show(found))
    assert "\x1b[31m" not in captured.get()
    assert "\\x1b[31m, record" in captured.get()
