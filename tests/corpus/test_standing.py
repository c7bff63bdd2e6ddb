"""A new build against sealed ones: their documents stand, lead and are not touched."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

import stages
from corpus import recipe
from corpus.build import Builder
from corpus.drive import Outcome, compile_corpus, log_run
from corpus.errors import RecipeError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.status import survey
from corpus.store import Blobs
from corpus.verify import verify

WORDS = [f"word{i}" for i in range(3000)]


def text(seed: int, words: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def edited(whole: str, seed: int, edits: int = 2) -> str:
    words = whole.split()
    rng = random.Random(seed)
    for at in rng.sample(range(len(words)), edits):
        words[at] = f"edit{seed}x{at}"
    return " ".join(words)


def write(folder: Path, name: str, texts: list[str], dedup: str = "", sign: str = "", split: bool = False) -> Path:
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    path = folder / f"{name}.toml"
    parts = '[[stage]]\nkind = "split"\nmax_bytes = 2048\n' if split else ""
    path.write_text(
        f'name = "{name}"\nseed = 1\n[[source]]\nname = "s"\nformat = "jsonl"\nfiles = ["*.jsonl"]\nroot = "{name}"\n'
        f'read = {{ partition_rows = 7 }}\n[[stage]]\nkind = "normalise"\n{parts}[[stage]]\nkind = "sign"\n{sign}\n'
        f'[[stage]]\nkind = "dedup"\n{dedup}\n'
    )
    return path


def build(path: Path, store: str = "store") -> tuple[Builder, Outcome]:
    plan = recipe.load(path, stages.Stage, stages.Reader)
    out = Blobs(str(path.parent / f"{path.stem}.out"))
    builder = Builder(Graph(plan, Blobs(str(path.parent / store))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, out)
    log_run(out, builder, outcome, 0.0, {})
    return builder, outcome


def rows(builder: Builder) -> list[dict[str, Any]]:
    """Verdicts of dedup, with the text that they are about."""
    from corpus.opened import Tables

    found = []
    for partition in builder.partitions["s"]:
        opened = Tables(builder.store, partition)
        k = len(partition.records) - 1
        names = ("drop", "partner", "relation", "cluster", "similarity")
        columns = {name: opened.column(k, name).to_pylist() for name in names}
        for i, row in enumerate(opened.rows(k).tolist()):
            one = {name: values[i] for name, values in columns.items()}
            one["text"] = opened.text(row, opened.level(k), k)
            found.append(one)
    return found


def ids(builder: Builder) -> dict[str, bytes]:
    """id by text, of the documents that dedup kept."""
    from corpus.opened import Tables

    found = {}
    for partition in builder.partitions["s"]:
        opened = Tables(builder.store, partition)
        k = len(partition.records) - 1
        level = opened.level(k)
        names = opened.column(level, "id").to_pylist()
        for row in opened.living(k).tolist():
            found[opened.text(row, level, k)] = names[row]
    return found


OLD = [text(n) for n in range(20)]
NEW = [*(text(n) for n in range(100, 110)), OLD[3], edited(OLD[4], 1), edited(OLD[5], 2), edited(text(100), 3)]


def tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.parametrize("store", ["store", "other"])
def test_each_match_names_the_old_document_and_nothing_old_is_touched(tmp_path: Path, store: str) -> None:
    old, _ = build(write(tmp_path, "old", OLD))
    known, before = ids(old), tree(tmp_path / "old.out")
    new, outcome = build(write(tmp_path, "new", NEW, 'against = ["old.out"]'), store)
    assert outcome.manifest is not None
    by_text = {one["text"]: one for one in rows(new)}
    for position, base in ((10, 3), (11, 4), (12, 5)):
        one = by_text[NEW[position]]
        assert one["drop"] == ("exact_duplicate" if position == 10 else "near_duplicate")
        assert one["partner"] == one["cluster"] == known[OLD[base]]
    inside = by_text[NEW[13]], by_text[NEW[0]]
    assert sorted((one["drop"] for one in inside), key=str) == [None, "near_duplicate"]
    assert sum(one["drop"] is None for one in rows(new)) == 10
    assert tree(tmp_path / "old.out") == before
    root = (tmp_path / "old.out" / "manifest.sha256").read_text().strip()
    assert outcome.manifest["parents"] == [{"name": "old.out", "root": root}]
    assert verify(Blobs(str(tmp_path / "new.out")), Blobs(str(tmp_path / store))).ok


def test_a_third_build_adopts_what_was_emitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(write(tmp_path, "old", OLD))
    build(write(tmp_path, "new", NEW, 'against = ["old.out"]'))
    asked: list[tuple[str, ...]] = []
    from corpus.standing import StandingLoader

    read = StandingLoader.read
    monkeypatch.setattr(StandingLoader, "read", lambda self, key, names: asked.append(names) or read(self, key, names))
    third, _ = build(write(tmp_path, "third", [*NEW[:3], OLD[7]], 'against = ["old.out", "new.out"]'))
    assert sorted(str(one["drop"]) for one in rows(third)) == ["exact_duplicate"] * 4
    assert len([names for names in asked if names == ("exact", "minhash")]) == 2  # partitions of `new`; three of `old`


def test_parts_of_split_documents_stand(tmp_path: Path) -> None:
    book = "\n\n".join(text(n, 120) for n in range(40))
    old, _ = build(write(tmp_path, "old", [book, OLD[0]], split=True))
    parts = ids(old)
    assert len(parts) > 5
    piece = max(parts, key=len)
    new, _ = build(write(tmp_path, "new", [edited(piece, 9), text(500)], 'against = ["old.out"]', split=True))
    found = [one for one in rows(new) if one["drop"]]
    assert [one["partner"] for one in found] == [parts[piece]]


def test_documents_that_stand_are_not_compared_among_themselves(tmp_path: Path) -> None:
    """The earlier build kept near duplicates at a higher threshold: a new one like the second of them leaves, too."""
    first, second = OLD[0], edited(OLD[0], 1, 5)
    old, _ = build(write(tmp_path, "old", [first, second], "threshold = 0.99"))
    assert len(ids(old)) == 2
    new, _ = build(write(tmp_path, "new", [edited(second, 7, 3)], 'threshold = 0.85\nagainst = ["old.out"]'))
    (one,) = rows(new)
    assert one["drop"] == "near_duplicate"
    assert one["partner"] == ids(old)[second]


def test_identity_is_the_root_of_the_earlier_build_not_its_place(tmp_path: Path) -> None:
    build(write(tmp_path, "old", OLD))
    path = write(tmp_path, "new", NEW, 'against = ["old.out"]')
    build(path)
    (tmp_path / "old.out").rename(tmp_path / "moved")
    path.write_text(path.read_text().replace("old.out", "moved"))
    again, _ = build(path)
    assert again.costs.steps == 0
    build(write(tmp_path, "old", [*OLD, NEW[0]]))
    path.write_text(path.read_text().replace("moved", "old.out"))
    plan = recipe.load(path, stages.Stage, stages.Reader)
    found = survey(
        Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True)), Blobs(str(tmp_path / "x"))
    )
    (dedup,) = [one for one in found.stages if one.stage == "dedup"]
    assert dedup.state == "stale"
    assert "asset" in next(iter(dedup.why))
    changed, _ = build(path)
    assert {one["text"]: one["drop"] for one in rows(changed)}[NEW[0]] == "exact_duplicate"


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"against: .*nowhere: no sealed build here"):
        build(write(tmp_path, "new", NEW, 'against = ["nowhere"]'))
    build(write(tmp_path, "old", OLD, sign="words = 6", dedup="words = 6"))
    with pytest.raises(RecipeError, match=r"another `sign` \(sign\.words 6 -> default\)"):
        build(write(tmp_path, "new", NEW, 'against = ["old.out"]'))
    bare = write(tmp_path, "bare", OLD)
    bare.write_text(bare.read_text().partition('[[stage]]\nkind = "sign"')[0])
    build(bare)
    with pytest.raises(RecipeError, match=r"source `s` there has no column `exact`"):
        build(write(tmp_path, "new", NEW, 'against = ["bare.out"]'))
