"""Trace: every token of a build leads back to its bytes, and a replay of these gives it again."""

import shutil
from pathlib import Path

import msgspec
import pytest
import sealed
import toys
from rich.console import Console

from corpus.errors import InputError, VerifyError
from corpus.opened import Build
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.trace import Trace, show, trace


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    sealed.build(sealed.prepare(folder))
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def go(folder: Path, token: int, shard: str | None = None, replay: bool = False) -> Trace:
    graph = sealed.graph(folder / "m.toml") if replay else None
    return trace(Blobs(str(folder / "out")), Blobs(str(folder / "store")), token, shard, graph)


def test_every_token_leads_to_its_document(whole: Path) -> None:
    build = Build(Blobs(str(whole / "out")), Blobs(str(whole / "store")))
    number, seen = 0, set()
    for shard in build.shards:
        reader = ShardReader(whole / "out" / shard.path)
        for document in range(len(reader)):
            tokens = reader.doc(document).tolist()
            for i in {0, len(tokens) // 2, len(tokens) - 1}:
                found = go(whole, number + i)
                assert found.value == tokens[i] == found.around[found.at - found.around_start]
                assert found.token == number + i
                assert (found.shard, found.stop - found.start) == (shard.path, len(tokens))
                assert found.text is not None
                letters = [sealed.LETTERS.find(c) for c in found.text]
                assert [len(sealed.LETTERS) if t < 0 else t for t in letters] == tokens[:-1]
                assert go(whole, found.at, Path(shard.path).name + ".bin") == found
                line = (whole / "data" / found.source / found.path).read_bytes()
                assert found.span is not None
                raw = line[found.span[0] : sum(found.span)].decode().rstrip("\n")
                assert raw == line.decode().split("\n")[found.record]
                url, text = raw.split("\t")
                start, end = found.bytes or (0, len(text.encode()))
                assert (found.url or "") == url
                assert text.upper().encode()[start:end].decode() == found.text
                seen.add(found.source)
            number += len(tokens)
    assert seen == {"web", "books"}
    assert number == sum(s.tokens for s in build.shards)


def test_a_replay_runs_every_stage_again_and_agrees(whole: Path) -> None:
    build = Build(Blobs(str(whole / "out")), Blobs(str(whole / "store")))
    tables_before = {p: p.read_bytes() for p in (whole / "store").rglob("*") if p.is_file()}
    for source, kinds in (
        ("web", {"parse", "upper", "size", "script", "at-least", "encode"}),
        ("books", {"parse", "upper", "halves", "size", "script", "at-least", "encode"}),
    ):
        shard = next(s for s in build.shards if s.source == source and s.tokens)
        toys.applied.clear()
        found = go(whole, 0, shard.path, replay=True)
        assert set(toys.applied) >= kinds - {"script"}
        assert found.replayed > 12
        assert msgspec.structs.replace(found, replayed=0) == go(whole, 0, shard.path)
    assert {p: p.read_bytes() for p in (whole / "store").rglob("*") if p.is_file()} == tables_before


def test_a_replay_finds_another_token(folder: Path) -> None:
    found = go(folder, 0)
    path = folder / "out" / f"{found.shard}.bin"
    data = bytearray(path.read_bytes())
    data[2 * (found.at + 1)] ^= 1
    path.write_bytes(data)
    with pytest.raises(VerifyError, match="they part at token 1 of the document"):
        go(folder, 0, replay=True)


def test_a_replay_finds_a_stage_that_writes_other_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = sealed.Script.apply
    monkeypatch.setattr(
        sealed.Script, "apply", lambda self, batch, model: apply(self, batch, model) | {"lang": batch["text"]}
    )
    with pytest.raises(VerifyError, match=r"stage `script`.*`lang`.*differs"):
        go(folder, 0, replay=True)


def test_a_replay_finds_a_judge_that_drops_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toys.AtLeast, "apply", lambda self, batch, model: {})
    build = Build(Blobs(str(folder / "out")), Blobs(str(folder / "store")))
    shard = next(s for s in build.shards if s.source == "web" and s.documents > 4)
    with pytest.raises(VerifyError, match=r"stage `at-least`.*drops other documents"):
        [go(folder, token, shard.path, replay=True) for token in range(0, shard.tokens, 5)]


def test_a_replay_of_another_source_or_manifest(folder: Path) -> None:
    found = go(folder, 0)
    path = folder / "data" / found.source / found.path
    path.write_text(path.read_text().replace("page", "sage").replace("part", "cart").replace("book", "cook"))
    with pytest.raises(InputError, match="does not hold what it held"):
        go(folder, 0, replay=True)
    path.unlink()
    with pytest.raises(
        InputError, match=f"there is no such file. Give the source's root with --root {found.source}=DIR"
    ):
        go(folder, 0, replay=True)
    sealed.prepare(folder, chars=7)
    with pytest.raises(InputError, match="is not the `at-least` that the build was made with"):
        go(folder, 0, replay=True)


def test_a_moved_source_is_found_by_its_root(folder: Path) -> None:
    (folder / "data").rename(folder / "moved")
    graph = sealed.graph(folder / "m.toml", {name: str(folder / "moved" / name) for name in ("web", "books")})
    assert trace(Blobs(str(folder / "out")), Blobs(str(folder / "store")), 0, None, graph).replayed > 12


def test_what_is_not_there(whole: Path) -> None:
    last = sum(s.tokens for s in Build(Blobs(str(whole / "out")), Blobs(str(whole / "store"))).shards)
    with pytest.raises(InputError, match=f"the build holds tokens 0 to {last - 1:,}"):
        go(whole, last)
    with pytest.raises(InputError, match="no such shard"):
        go(whole, 0, "nowhere")
    with pytest.raises(InputError, match="holds tokens 0 to"):
        go(whole, 10_000, "web_heldout_0_00000_text_document")


def test_shown_without_control_characters(whole: Path) -> None:
    build = Build(Blobs(str(whole / "out")), Blobs(str(whole / "store")))
    total = sum(s.tokens for s in build.shards)
    found = next(t for t in (go(whole, i) for i in range(0, total, 4)) if "HOSTILE" in (t.text or ""))
    console = Console(width=300)
    with console.capture() as captured:
        console.print(show(found))
    assert "\x1b" not in captured.get()
    assert "\\x1b[31M OF A HOSTILE SITE" in captured.get()
