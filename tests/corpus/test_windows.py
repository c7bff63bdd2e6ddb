"""The documents of windows: every token of a window is in one piece, and the pieces are what the shards hold."""

from pathlib import Path

import msgspec
import pytest
import sealed

from corpus.errors import InputError
from corpus.opened import Build
from corpus.tokens import ShardReader
from corpus.windows import pieces


class Window(msgspec.Struct, frozen=True):
    sample: int
    source: str
    start: int
    tokens: int


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(*sealed.build(sealed.prepare(tmp_path_factory.mktemp("whole"))))


def ring(build: Build, source: str) -> list[int]:
    stream: list[int] = []
    for shard in build.splits(source)["train"]:
        reader = ShardReader(Path(build.out.root) / shard.path)
        stream += reader.tokens(0, reader.total_tokens).tolist()
    return stream


def test_pieces_are_the_window(build: Build) -> None:
    windows = [
        Window(5, "web", 10, 300),
        Window(2, "books", 0, 9),
        Window(9, "web", len(ring(build, "web")) - 7, 40),  # closes the ring
        Window(3, "books", 3, 2 * len(ring(build, "books")) + 1),  # goes round it twice
    ]
    found = pieces(build, windows)
    assert [p.sample for p in found] == sorted((p.sample for p in found), key=[5, 2, 9, 3].index)
    for window in windows:
        own = [p for p in found if p.sample == window.sample]
        assert [p.at for p in own] == [sum(p.stop - p.start for p in own[:i]) for i in range(len(own))]
        stream = ring(build, window.source)
        want = [stream[(window.start + i) % len(stream)] for i in range(window.tokens)]
        got: list[int] = []
        for piece in own:
            shard = next(s for s in build.shards if s.path == piece.shard)
            got += build.tokens(shard, piece.start, piece.stop).tolist()
            place = build.place(piece.source, bytes.fromhex(piece.id))
            assert place is not None
            assert (place.shard, place.stop - place.start) == (piece.shard, piece.of)
            assert place.start <= piece.start < piece.stop <= place.stop
            assert (piece.url is not None) == (piece.source == "web")
        assert got == want


def test_a_source_without_shards(build: Build) -> None:
    with pytest.raises(InputError, match="source `nothing` has no training shards"):
        pieces(build, [Window(0, "nothing", 0, 4)])
