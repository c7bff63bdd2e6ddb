"""The whole way on a small sample: what comes out is what went in, at any number of workers, after any crash."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sentencepiece import SentencePieceProcessor

import sampledata
import stages
from corpus import recipe
from corpus.build import Builder
from corpus.drive import Outcome, compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.sealed import open_manifest
from corpus.status import survey
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.verify import verify

ROOT = Path(__file__).parent.parent
QUICKSTART = ROOT / "manifests" / "quickstart.toml"
KIND = {
    "bad-json": "bad_json",
    "bad-utf8": "bad_charset",
    "not-found": "http_status",
    "redirect": "http_status",
    "image": "not_html",
}


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sampledata.generate(folder, 1, 0.05)
    (folder / "pile" / "gutenberg.jsonl.zst").unlink()  # long books: they have tests of their own
    return folder


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart, in partitions small enough that each file gives several."""
    path = tmp_path_factory.mktemp("manifest") / "small.toml"
    text = QUICKSTART.read_text().replace('name = "quickstart"', 'name = "small"')
    text = without(text, "gutenberg")
    text = text.replace("licence  =", "max_lost_share = 0.5\nread = { partition_rows = 40 }\nlicence  =")
    path.write_text(text)
    return path


def without(text: str, source: str) -> str:
    """A manifest without one of its sources."""
    for head in (f'[[source]]\nname     = "{source}"', f"[stage.source.{source}]"):
        before, found, rest = text.partition(head)
        assert found
        text = before + rest[rest.index("\n[") + 1 :]
    return text.replace(f'"{source}", ', "")


def build(manifest: Path, sample: Path, folder: Path, executor: Any = None) -> tuple[Builder, Outcome]:
    plan = recipe.load(manifest, stages.Stage, stages.Reader, {"*": str(sample)})
    builder = Builder(Graph(plan, Blobs(str(folder / "store"))), executor or Local(), Progress(quiet=True))
    return builder, compile_corpus(builder, Blobs(str(folder / "out")))


def tree(folder: Path) -> dict[str, str]:
    """Digest of every file that a build promises: the build directory, tables and records."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    varying = {"runs.jsonl", "probe"}
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
        if p.name not in varying and "inputs" not in p.parts and "runs" not in p.parts
    }


@pytest.fixture(scope="session")
def built(manifest: Path, sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(manifest, sample, folder)
    return folder


def flows(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    sealed = open_manifest(Blobs(str(folder / "out")))
    return {s["name"]: {f["stage"]: f for f in s["funnel"]} for s in sealed["sources"]}


def test_in_is_kept_plus_dropped_and_all_that_was_planted_is_found(built: Path, sample: Path) -> None:
    found = flows(built)
    records: Counter[str] = Counter()
    for name, source in found.items():
        living = None
        for flow in source.values():
            assert flow["rows"] == flow["kept"] + sum(flow["dropped"].values()), name
            assert living is None or flow["rows"] == living
            living = flow["made"] or flow["kept"]
        records.update(source["read"]["dropped"])
    planted = [json.loads(line) for line in (sample / "planted.jsonl").read_text().splitlines()]
    want = Counter(KIND[p["kind"]] for p in planted if p["kind"] in KIND)
    for code, count in want.items():
        assert records[code] >= count, code
    for code in ("damaged", "truncated", "no_text"):
        assert records[code] >= 1, code
    lines = sum(
        f["records"]
        for n, f in json.loads((sample / "summary.json").read_text())["files"].items()
        if n.startswith("zh/")
    )
    assert found["zh"]["read"]["rows"] == lines


def test_of_planted_copies_at_most_one_survives(built: Path, sample: Path) -> None:
    """Exact copies, by text: in the shards every text stands once."""
    texts = Counter(text for _, text in documents(built))
    assert max(texts.values()) == 1
    dropped: Counter[str] = Counter()
    for source in flows(built).values():
        dropped.update(source["dedup"]["dropped"])
    assert dropped["exact_duplicate"] >= 20
    assert dropped["near_duplicate"] >= 10


def documents(built: Path) -> Iterator[tuple[str, str]]:
    """(shard, text) of every document in the shards, decoded by SentencePiece."""
    model = SentencePieceProcessor(model_file=str(ROOT / "tokenizers" / "zh-en-16k" / "tokenizer.model"))
    sealed = open_manifest(Blobs(str(built / "out")))
    for shard in sealed["shards"]:
        reader = ShardReader(built / "out" / shard["path"])
        for i in range(len(reader)):
            ids = reader.doc(i)
            assert ids[-1] == sealed["tokenizer"]["eod"]
            yield shard["path"], model.decode(ids[:-1].tolist())


def test_shards_decode_to_the_text_of_the_survivors(built: Path) -> None:
    """Text in the table of `normalise`, alive after the last stage == text decoded from the shards."""
    from corpus.chain import Walk
    from corpus.sealed import read_steps
    from corpus.steps import Origin

    sealed = open_manifest(Blobs(str(built / "out")))
    plan = recipe.load(QUICKSTART, stages.Stage, stages.Reader)
    graph = Graph(plan, Blobs(str(built / "store")))
    want: Counter[str] = Counter()
    for file in sealed["steps"]:
        for p in read_steps(Blobs(str(built / "out")), file):
            walk = Walk(
                Origin(p.source, p.path, p.key), graph.chains[p.source], graph.store, {}, lambda s: None, p.records
            )
            want.update(walk.column("text", len(p.records)).to_pylist())
    assert Counter(text for _, text in documents(built)) == want
    assert sum(want.values()) > 500


def test_megatron_reads_the_shards(built: Path) -> None:
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset")
    sealed = open_manifest(Blobs(str(built / "out")))
    for shard in sealed["shards"]:
        theirs = indexed.IndexedDataset(str(built / "out" / shard["path"]), mmap=True)
        ours = ShardReader(built / "out" / shard["path"])
        assert len(theirs) == len(ours) == shard["documents"]
        assert all((theirs[i] == ours.doc(i)).all() for i in range(0, len(ours), 7))


def test_duckdb_reads_tables_and_side_tables(built: Path) -> None:
    import duckdb

    sealed = open_manifest(Blobs(str(built / "out")))
    tokens = duckdb.sql(f"select sum(tokens) from read_parquet('{built}/out/tokens/*.docs.parquet')").fetchall()[0]
    assert tokens == (sum(s["tokens"] for s in sealed["shards"]),)
    judged = duckdb.sql(
        f"select count(*), count(drop) from read_parquet('{built}/store/tables/judge/*.parquet')"
    ).fetchall()[0]
    found = [flow for f in flows(built).values() for stage, flow in f.items() if stage.startswith("judge")]
    assert judged[1] == sum(sum(f["dropped"].values()) for f in found)
    # Two judges that drop nothing of a partition write the same table, which is stored once.
    assert 0 < judged[0] <= sum(f["rows"] for f in found)


def test_it_verifies(built: Path) -> None:
    found = verify(Blobs(str(built / "out")), Blobs(str(built / "store")))
    assert found.ok, found.wrong


def test_all_is_fresh_and_nothing_runs_again(built: Path, manifest: Path, sample: Path) -> None:
    plan = recipe.load(manifest, stages.Stage, stages.Reader, {"*": str(sample)})
    graph = Graph(plan, Blobs(str(built / "store")))
    assert survey(Builder(graph, Local(), Progress(quiet=True)), Blobs(str(built / "out"))).fresh
    elsewhere = survey(Builder(graph, Local(), Progress(quiet=True)), Blobs(str(built / "nowhere")))
    assert {one.stage for one in elsewhere.stages if one.state == "missing"} == {"pack"}
    before = tree(built)
    builder, _ = build(manifest, sample, built)
    assert builder.costs.steps == 0
    assert tree(built) == before


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_changed_threshold_runs_what_it_changes(copy: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text(
        manifest.read_text().replace('packs = ["en", "zh"]', 'packs = ["en", "zh"]\noverride.zh.min_chars = 80')
    )
    plan = recipe.load(changed, stages.Stage, stages.Reader, {"*": str(sample)})
    status = survey(
        Builder(Graph(plan, Blobs(str(copy / "store"))), Local(), Progress(quiet=True)), Blobs(str(copy / "out"))
    )
    judge = {s.source: s for s in status.stages if s.stage == "judge"}
    assert judge["zh"].state == "stale"
    assert "judge.zh.min_chars 10 -> 80" in judge["zh"].why
    assert {
        s.state for s in status.stages if s.stage in ("read", "normalise", "lid", "signals", "sign", "judge-code")
    } == {"fresh"}
    builder, outcome = build(changed, sample, copy)
    assert builder.costs.seconds.get("read", 0) == builder.costs.seconds.get("sign", 0) == 0
    dropped = {f.stage: f.dropped for f in outcome.funnel["zh"]}
    assert dropped["judge"]["zh.min_chars"] > 10
    whole = tmp_path / "whole"
    build(changed, sample, whole)
    assert {k: v for k, v in tree(copy).items() if k.startswith("out/")} == {
        k: v for k, v in tree(whole).items() if k.startswith("out/")
    }


def test_a_new_file_leaves_the_others_alone(copy: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    shutil.copytree(sample, more)
    shutil.copy(sample / "zh" / "poems.jsonl.zst", more / "zh" / "again.jsonl.zst")
    before = {p.name for p in (copy / "store" / "tables" / "dedup").iterdir()}
    builder, outcome = build(manifest, more, copy)
    read = sum(1 for p in builder.partitions["zh"] if p.path == "zh/again.jsonl.zst")
    assert builder.costs.steps >= read
    after = {p.name for p in (copy / "store" / "tables" / "dedup").iterdir()}
    poems = sum(1 for p in builder.partitions["zh"] if p.path == "zh/poems.jsonl.zst")
    assert len(after - before) <= read + poems  # verdicts change where the copies are, nowhere else
    assert outcome.manifest is not None


def test_two_manifests_share_tables(copy: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(without(manifest.read_text(), "arxiv").replace('name = "small"', 'name = "other"'))
    plan = recipe.load(other, stages.Stage, stages.Reader, {"*": str(sample)})
    builder = Builder(Graph(plan, Blobs(str(copy / "store"))), Local(), Progress(quiet=True))
    compile_corpus(builder, Blobs(str(copy / "other")))
    assert set(builder.costs.seconds) <= {"engine", "encode"}


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_any_number_of_workers_gives_the_same_bytes(
    workers: int, built: Path, manifest: Path, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpus.cluster import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
    cluster = Cluster(workers)
    try:
        build(manifest, sample, tmp_path, cluster)
    finally:
        cluster.close()
    assert tree(tmp_path) == tree(built)


def _listen() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background of a shell ignores it, and so would we


def start(manifest: Path, sample: Path, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "corpus", "build", str(manifest), "--root", str(sample), *more]
    places = ["--out", str(folder / "out"), "--store", str(folder / "store")]
    with open(folder / "log", "ab") as log:
        return subprocess.Popen(
            [*command, *places], cwd=ROOT, stdout=log, stderr=log, start_new_session=True, preexec_fn=_listen
        )


def kill_and_finish(kills: int, seed: int, manifest: Path, sample: Path, folder: Path, files: int) -> int:
    """Kill a build `kills` times, at moments spread over the `files` that it publishes, then let it finish.
    -> how often it was alive when it was hit."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hit = 0
    for target in sorted(rng.randrange(files) for _ in range(kills)):
        process = start(manifest, sample, folder, "--local")
        while process.poll() is None and sum(1 for p in folder.rglob("*") if p.is_file()) <= target:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.05)
        if process.poll() is None:
            hit += 1
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process = start(manifest, sample, folder, "--local")
    assert process.wait() == 0, (folder / "log").read_text()[-3000:]
    return hit


def test_a_killed_build_ends_as_if_it_never_was(built: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    assert kill_and_finish(4, 1, manifest, sample, tmp_path, len(tree(built))) >= 2
    Blobs(str(tmp_path)).sweep()
    assert tree(tmp_path) == tree(built) | {"log": tree(tmp_path)["log"]}


def test_ctrl_c_leaves_a_build_that_goes_on(built: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    process = start(manifest, sample, tmp_path, "--local")
    while process.poll() is None and sum(1 for p in tmp_path.rglob("*.json") if p.is_file()) < 40:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 1
    said = (tmp_path / "log").read_text()
    assert f"Interrupted. What is done is kept: `corpus build {manifest}` goes on from here." in said
    assert "Traceback" not in said
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert start(manifest, sample, tmp_path, "--local").wait() == 0
    Blobs(str(tmp_path)).sweep()
    assert tree(tmp_path) == tree(built) | {"log": tree(tmp_path)["log"]}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
def test_many_kills(seed: int, built: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    assert kill_and_finish(5, seed, manifest, sample, tmp_path, len(tree(built))) >= 4
    Blobs(str(tmp_path)).sweep()
    assert tree(tmp_path) == tree(built) | {"log": tree(tmp_path)["log"]}


def working(driver: int) -> list[int]:
    """Ray workers below a driver that are at work on a task now."""
    parents, titles = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                titles[int(entry.name)] = (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
    found = []
    for pid, title in titles.items():
        above = pid
        while above in parents and above != driver:
            above = parents[above]
        if above == driver and title.startswith(b"ray::_call"):
            found.append(pid)
    return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_killed_workers(seed: int, built: Path, manifest: Path, sample: Path, tmp_path: Path) -> None:
    """Ray workers killed while they work: the build goes on, or ends with a message and is finished by the next one."""
    rng = random.Random(seed)
    process = start(manifest, sample, tmp_path, "--workers", "2")
    killed = 0
    for _ in range(200):
        time.sleep(0.1 + 0.3 * rng.random())
        if process.poll() is not None:
            break
        for pid in working(process.pid)[:1]:
            if killed < 3:
                os.kill(pid, signal.SIGKILL)
                killed += 1
    process.wait()
    assert start(manifest, sample, tmp_path, "--local").wait() == 0
    assert killed >= 1
    Blobs(str(tmp_path)).sweep()
    assert tree(tmp_path) == tree(built) | {"log": tree(tmp_path)["log"]}


def test_the_same_build_on_an_object_store(built: Path, manifest: Path, sample: Path, s3: str) -> None:
    """Sources, store and build directory on S3: the same manifest, the same shards."""
    place = Blobs(f"{s3}/whole")
    for path in sample.rglob("*.jsonl.zst"):
        place.put(f"in/{path.relative_to(sample).as_posix()}", path.read_bytes())
    for path in sample.rglob("*.warc.gz"):
        place.put(f"in/{path.relative_to(sample).as_posix()}", path.read_bytes())
    plan = recipe.load(manifest, stages.Stage, stages.Reader, {"*": place.url("in")})
    builder = Builder(Graph(plan, Blobs(place.url("store"))), Local(), Progress(quiet=True))
    compile_corpus(builder, Blobs(place.url("out")))
    local, remote = Blobs(str(built / "out")), Blobs(place.url("out"))
    assert remote.get("manifest.json") == local.get("manifest.json")
    for shard in open_manifest(remote)["shards"]:
        assert hashlib.sha256(remote.get(shard["bin"]["path"])).hexdigest() == shard["bin"]["sha256"]


def test_parquet_of_a_table_is_plain(built: Path) -> None:
    path = (
        next((built / "store" / "tables" / "read").iterdir())
        if (built / "store" / "tables" / "read").exists()
        else next((built / "store" / "tables" / "pile").iterdir())
    )
    assert pq.read_schema(path).names[:3] == ["row", "drop", "detail"]
