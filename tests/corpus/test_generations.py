"""An append is a build of its own, with the next number in the names of its shards; the earlier ones are not touched."""

import json
import random
from pathlib import Path

import stages
from corpus import recipe
from corpus.build import Builder
from corpus.drive import compile_corpus, log_run
from corpus.graph import Graph
from corpus.local import Local
from corpus.opened import Build
from corpus.pack import Shard
from corpus.progress import Progress
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.verify import verify

ROOT = Path(__file__).parents[2]
WORDS = [f"word{i}" for i in range(3000)]


def build(folder: Path, name: str, seeds: range, source: str = "s", against: str = "") -> Build:
    (folder / name).mkdir()
    texts = [" ".join(random.Random(seed).choices(WORDS, k=120)) for seed in seeds]
    (folder / name / "a.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    (folder / f"{name}.toml").write_text(
        f'name = "{name}"\nseed = 1\n[[source]]\nname = "{source}"\nformat = "jsonl"\nfiles = ["*.jsonl"]\n'
        f'root = "{name}"\n[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "sign"\n'
        f'[[stage]]\nkind = "dedup"\n{against}\n[[stage]]\nkind = "encode"\n'
        f'tokenizer = "{ROOT}/tokenizers/zh-en-16k"\n[[stage]]\nkind = "pack"\n'
    )
    plan = recipe.load(folder / f"{name}.toml", stages.Stage, stages.Reader)
    out, store = Blobs(str(folder / f"{name}.out")), Blobs(str(folder / "store"))
    builder = Builder(Graph(plan, store), Local(), Progress(quiet=True))
    log_run(out, builder, compile_corpus(builder, out), 0.0, {})
    return Build(out, store)


def names(build: Build) -> list[str]:
    return [shard.path.removeprefix("tokens/") for shard in build.shards]


def test_each_append_has_the_next_number(tmp_path: Path) -> None:
    first = build(tmp_path, "first", range(20))
    held = {p: p.read_bytes() for p in (tmp_path / "first.out").rglob("*") if p.is_file()}
    second = build(tmp_path, "second", range(15, 40), against='against = ["first.out"]')
    third = build(tmp_path, "third", range(35, 50), against='against = ["first.out", "second.out"]')
    other = build(tmp_path, "other", range(60, 70), source="other", against='against = ["first.out"]')
    assert names(first) == ["s_train_0_00000_text_document"]
    assert names(second) == ["s_train_1_00000_text_document"]
    assert names(third) == ["s_train_2_00000_text_document"]
    assert names(other) == ["other_train_0_00000_text_document"]
    assert {p: p.read_bytes() for p in held} == held
    documents = []
    for one in (first, second, third):
        assert verify(one.out, one.store).wrong == []
        (shard,) = one.shards
        assert isinstance(shard, Shard)
        reader = ShardReader(Path(one.out.root) / shard.path)
        documents += [reader.doc(i).tobytes() for i in range(len(reader))]
    assert len(documents) == len(set(documents)) == 50  # of 60: the copies stand in the build that had them first
