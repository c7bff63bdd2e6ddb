"""The sealed held-out list: what it says, and what later builds inherit of it."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

import stages
from corpus import check_removed, recipe, tables
from corpus.build import Builder
from corpus.drive import compile_corpus, log_run
from corpus.errors import RecipeError
from corpus.explain import explain
from corpus.graph import Graph
from corpus.local import Local
from corpus.opened import Tables
from corpus.progress import Progress
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.verify import verify

WORDS = [f"word{i}" for i in range(3000)]


def text(seed: int, words: int = 120) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def edited(whole: str, seed: int) -> str:
    words = whole.split()
    words[random.Random(seed).randrange(len(words))] = f"edit{seed}"
    return " ".join(words)


def write(
    folder: Path, name: str, texts: list[str], heldout: str = "share = 0.3", more: str = "", sign: str = ""
) -> Path:
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nseed = 1\n[[source]]\nname = "s"\nformat = "jsonl"\nfiles = ["*.jsonl"]\nroot = "{name}"\n'
        f'read = {{ partition_rows = 7 }}\n[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "sign"\n{sign}\n'
        f'[[stage]]\nkind = "dedup"\n[[stage]]\nkind = "heldout"\n{heldout}\n{more}\n'
    )
    return path


ENCODED = '[[stage]]\nkind = "encode"\ntokenizer = "tokenizers/zh-en-16k"\n[[stage]]\nkind = "pack"\n'


def build(path: Path, store: str = "store") -> tuple[Builder, dict[str, Any]]:
    plan = recipe.load(path, stages.Stage, stages.Reader)
    out = Blobs(str(path.parent / f"{path.stem}.out"))
    builder = Builder(Graph(plan, Blobs(str(path.parent / store))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, out)
    log_run(out, builder, outcome, 0.0, {})
    assert outcome.manifest is not None
    assert verify(out, builder.store).ok
    return builder, outcome.manifest


def verdicts(builder: Builder, at: int = 4) -> dict[str, tuple[str | None, str | None]]:
    """text -> (split, drop), of documents that reached the stage"""
    found = {}
    for partition in builder.partitions["s"]:
        opened = Tables(builder.store, partition)
        split, drop = (opened.column(at, name).to_pylist() for name in ("split", "drop"))
        for i, row in enumerate(opened.rows(at).tolist()):
            found[opened.text(row, 0, at)] = split[i], drop[i]
    return found


def listed(folder: Path, name: str) -> list[str]:
    """Texts of the list of a build."""
    manifest = msgspec.json.decode((folder / f"{name}.out" / "manifest.json").read_bytes())
    files = [tables.read((folder / f"{name}.out" / file["path"]).read_bytes()) for file in manifest["heldout"]["files"]]
    found = [one for file in files for one in file["text"].to_pylist()]
    assert len(found) == manifest["heldout"]["documents"]
    return sorted(found)


def held(found: dict[str, tuple[str | None, str | None]]) -> list[str]:
    return sorted(one for one, (split, _) in found.items() if split == "heldout")


OLD = [text(n) for n in range(40)]


def test_the_list_is_what_was_held_out_and_shards_follow_it(tmp_path: Path) -> None:
    builder, manifest = build(write(tmp_path, "old", OLD, more=ENCODED))
    found = verdicts(builder)
    assert listed(tmp_path, "old") == held(found)
    assert 5 < len(held(found)) < 20
    assert manifest["exchanges"]["heldout"]["heldout"] == len(held(found))
    documents = {shard["split"]: shard["documents"] for shard in manifest["shards"]}
    assert documents == {"heldout": len(held(found)), "train": 40 - len(held(found))}
    split = {s["split"]: ShardReader(tmp_path / "old.out" / s["path"]) for s in manifest["shards"]}
    assert len(split["heldout"]) == len(held(found))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "old.out" / "heldout").iterdir()}
    assert before
    build(tmp_path / "old.toml")  # the list is that of before: it is not written again
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "old.out" / "heldout").iterdir()}


def test_what_was_held_out_once_never_enters_training_later(tmp_path: Path) -> None:
    """Of a crawl that has the documents again, near copies of them, and a near copy that dedup likes better."""
    first, _ = build(write(tmp_path, "old", OLD))
    kept_out = held(verdicts(first))
    shutil.rmtree(tmp_path / "store")  # the list stands alone
    crawl = [*OLD[:20], *(edited(one, n) for n, one in enumerate(OLD)), *(text(n) for n in range(100, 130))]
    second, manifest = build(write(tmp_path, "new", crawl, 'share = 0.1\nseed = 5\ninherit = ["old.out"]'))
    found = verdicts(second)
    for one, (split, drop) in found.items():
        like = [other for other in kept_out if len(set(one.split()) ^ set(other.split())) <= 4]
        if one in kept_out:
            assert (split, drop) == ("heldout", None)
        elif like and split == "train":
            assert drop == "like_heldout"
        else:
            assert drop != "like_heldout" or len(held(found)) > len(kept_out)
    assert sum(drop == "like_heldout" for _, drop in found.values()) > 3
    assert set(listed(tmp_path, "new")) >= set(kept_out) | set(held(found))
    assert len(set(listed(tmp_path, "new"))) == len(listed(tmp_path, "new"))
    root = (tmp_path / "old.out" / "manifest.sha256").read_text().strip()
    assert manifest["parents"] == [{"name": "old.out", "root": root}]
    third, _ = build(
        write(tmp_path, "third", [edited(one, 77) for one in kept_out], 'share = 0\ninherit = ["new.out"]')
    )
    assert {drop for _, drop in verdicts(third).values()} == {"like_heldout"}  # by way of the second
    assert set(listed(tmp_path, "third")) == set(listed(tmp_path, "new"))


@pytest.mark.parametrize("store", ["there", "gone"])
def test_explain_names_the_document_that_was_held_out(tmp_path: Path, store: str) -> None:
    first, _ = build(write(tmp_path, "old", OLD))
    kept_out = held(verdicts(first))
    if store == "gone":
        shutil.rmtree(tmp_path / "store")
    builder, _ = build(write(tmp_path, "new", [edited(kept_out[0], 1)], 'share = 0\ninherit = ["old.out"]'))
    out = Blobs(str(tmp_path / "new.out"))
    log_run(out, builder, None, 0.0, {"manifest": str(tmp_path / "new.toml")})
    identity = Tables(builder.store, builder.partitions["s"][0]).column(0, "id")[0].as_py()
    (life,) = explain(out, builder.store, None, identity.hex(), None)
    twin = next(visit.twin for visit in life.visits if visit.stage == "heldout")
    assert twin is not None
    assert twin.partner is not None
    assert twin.partner.build == ("old.out" if store == "there" else "")


def test_partitions_and_files_do_not_show(tmp_path: Path) -> None:
    """Documents in another order, in other files, in partitions of another size: the same split, and the same list."""
    crawl = [*OLD, *(edited(one, n) for n, one in enumerate(OLD[:10])), *(text(n) for n in range(100, 110))]
    one, _ = build(write(tmp_path, "one", crawl))
    path = write(tmp_path, "two", list(reversed(crawl))[:31])
    (tmp_path / "two" / "b.jsonl").write_text(
        "".join(json.dumps({"text": t}) + "\n" for t in list(reversed(crawl))[31:])
    )
    path.write_text(path.read_text().replace("partition_rows = 7", "partition_rows = 19"))
    two, _ = build(path, "other")
    assert verdicts(one) == verdicts(two)
    assert listed(tmp_path, "one") == listed(tmp_path, "two")


def test_the_seed_of_the_corpus_does_not_move_the_evaluation(tmp_path: Path) -> None:
    one, _ = build(write(tmp_path, "old", OLD))
    path = write(tmp_path, "new", OLD)
    path.write_text(path.read_text().replace("seed = 1", "seed = 2"))
    assert held(verdicts(build(path)[0])) == held(verdicts(one))


def test_a_list_without_the_removed(tmp_path: Path) -> None:
    """A document that is taken down later leaves an inherited list too, though no file of this build has it."""
    build(write(tmp_path, "old", OLD))
    runs = {p.relative_to(tmp_path / "store").as_posix() for p in (tmp_path / "store" / "runs").rglob("*.run")}
    manifest = msgspec.json.decode((tmp_path / "old.out" / "manifest.json").read_bytes())
    table = tables.read((tmp_path / "old.out" / manifest["heldout"]["files"][0]["path"]).read_bytes())
    gone, its_text = table["id"][0].as_py(), table["text"][0].as_py()
    (tmp_path / "gone.txt").write_text(gone.hex() + "\n")
    remove = '[remove]\nlist = "gone.txt"\n'
    _, made = build(write(tmp_path, "new", [text(900)], 'share = 0\ninherit = ["old.out"]', remove))
    assert listed(tmp_path, "new") == [one for one in listed(tmp_path, "old") if one != its_text]
    assert made["heldout"]["documents"] == manifest["heldout"]["documents"] - 1
    places = {name: (Blobs(str(tmp_path / f"{name}.out")), Blobs(str(tmp_path / "store"))) for name in ("new", "old")}
    found = check_removed.check_removed([places["new"], places["old"]])
    (older,) = [p for p in found.places if p.root.endswith("old.out") and p.what == "held-out list"]
    assert older.found == {manifest["heldout"]["files"][0]["path"]: ["`id` holds 1 ids of removed documents"]}
    (newer,) = [p for p in found.places if p.root.endswith("new.out") and p.what == "held-out list"]
    assert (newer.files, newer.found) == (len(made["heldout"]["files"]), {})
    (emitted,) = [p for p in found.places if p.what == "runs of heldout"]
    assert not [file for file in emitted.found if file not in runs]


def test_lists_that_cannot_be_inherited_say_why(tmp_path: Path) -> None:
    inherit = 'inherit = ["old.out"]'
    with pytest.raises(RecipeError, match="no sealed build here"):
        build(write(tmp_path, "new", OLD, inherit))
    plain = write(tmp_path, "old", OLD)
    whole = plain.read_text()
    plain.write_text(whole[: whole.index('[[stage]]\nkind = "heldout"')])
    build(plain)
    with pytest.raises(RecipeError, match=r"inherit old\.out: that build has no held-out list"):
        build(tmp_path / "new.toml")
    plain.write_text(whole)
    build(plain)
    build(tmp_path / "new.toml")
    with pytest.raises(
        RecipeError, match=r"made with another `sign` \(sign\.seed 4 -> default\)|made with another `sign`"
    ):
        build(write(tmp_path, "other", OLD, inherit, sign="seed = 4"))
    victim = next((tmp_path / "old.out" / "heldout").iterdir())
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(RecipeError, match="is missing or is not what was sealed"):
        build(write(tmp_path, "third", OLD, inherit))
