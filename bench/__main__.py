"""python -m bench WORK --input FILE [FILE …]: one work, ours beside its peers. `python -m bench --help` lists them."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import encode_models, inputs, machine, memory, rejudge, results, sealed_build, tiny, traced, versus, whole
from bench import stages as stage_speeds
from bench.exports import study as exports
from bench.fuzz import cases as fuzz_cases
from bench.fuzz import study as fuzz
from bench.fuzz import trial as fuzz_trial
from bench.fuzz.watch import Bounds
from bench.given import Given
from bench.launch import ROOT, Side, take_turns, without_paths
from bench.megatron import study as megatron
from bench.scale import page as scale_page
from bench.scale import study as scale
from bench.shards import study as shards
from bench.studies import DOLMA_PYTHON, LID_MODEL, STUDIES, peers_python
from bench.works import WORKS, Work

OUT = ROOT / "bench" / "results"
SCRATCH = ROOT / "build" / "bench"
TOKENIZER = "tokenizers/zh-en-16k"
QUIET_LOAD = 0.3  # one-minute load average before the first run


def parser() -> argparse.ArgumentParser:
    everyone = argparse.ArgumentParser(add_help=False)
    everyone.add_argument("--out", type=Path, default=OUT, help="where results go (default: bench/results)")
    everyone.add_argument("--scratch", type=Path, default=SCRATCH, help="emptied afterwards (default: build/bench)")
    everyone.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core that all sides use")
    everyone.add_argument("--lid-model", type=Path, help=f"default: {LID_MODEL} from where `corpus build` finds it")
    everyone.add_argument("--tokenizer", type=Path, help=f"SentencePiece model; default: {TOKENIZER}")

    top = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = top.add_subparsers(dest="work", required=True)
    for name, work in WORKS.items():
        one = commands.add_parser(name, parents=[everyone], help=f"{work.about}; beside {', '.join(work.peers)}")
        one.add_argument("--input", type=Path, nargs="+", required=True, metavar="FILE", help=_input(work))
        one.add_argument("--peer", choices=[*work.peers, "none"], help="one peer, or none; default: all")
        one.add_argument(
            "--limit-mb", type=float, help="take about so many MB of the input, from the beginning of each file"
        )
        one.add_argument("--peer-limit-mb", type=float, help="the same for the peers alone: the speed is per MB")
        one.add_argument("--rounds", type=int, default=3, help="runs of each side, in turns; the best counts")
        one.add_argument("--language", choices=["en", "zh"], default="en", help="for peers that have to be told")
        one.add_argument("--timeout-s", type=float, default=3600, help="for one run of one side")
        peers_python(one)
        if "dolma" in work.peers:
            one.add_argument("--dolma-python", default=str(DOLMA_PYTHON), help="the same for dolma")
    many = commands.add_parser("tiny", parents=[everyone], help="thousands of tiny files: cost of the engine")
    many.add_argument("--files", type=int, default=2000)
    many.add_argument("--no-ray", action="store_true", help="one process only")
    big = commands.add_parser("memory", parents=[everyone], help="one file of 1 and 3 GB: peak memory of a worker")
    big.add_argument("--sizes-gb", type=float, nargs="+", default=[1, 3])
    big.add_argument("--full", action="store_true", help="10 GB, too")
    big.add_argument("--local", action="store_true", help="one process instead of Ray")
    for name, study in STUDIES.items():
        one = commands.add_parser(name, parents=[everyone], help=study.about)
        one.add_argument(
            "--data", type=Path, required=True, help=f"folder of the files that `bench/{study.data}` names"
        )
        study.options(one)
    short = commands.add_parser("scale", parents=[everyone], help="dedup of 100k to 10M short documents: cost, memory")
    short.add_argument("--documents", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    short.add_argument("--workers", type=int, default=2)
    short.add_argument("--local", action="store_true", help="one process instead of Ray")
    short.add_argument("--options", default="", help="lines for the manifest's `dedup` stage")
    short.add_argument(
        "--keep", type=Path, help="keep inputs and stores here, and use the inputs that are there already"
    )
    each = commands.add_parser("stages", parents=[everyone], help="speed of the stages that read a text, one by one")
    each.add_argument("--input", type=Path, nargs="+", required=True, metavar="FILE", help="JSON lines")
    each.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    again = commands.add_parser("rejudge", parents=[everyone], help="one threshold changed on stored documents")
    again.add_argument("--documents", type=int, default=1_000_000)
    odd = commands.add_parser("fuzz", parents=[everyone], help="damaged pages and archives: crashes, hangs, losses")
    odd.add_argument("--data", type=Path, help="folder whose `crawl` holds the archives that are mutated")
    odd.add_argument("--pages", type=int, default=100_000)
    odd.add_argument("--archives", type=int, default=2000, help="of 1 to 24 records, most of which break into more")
    odd.add_argument("--seed", type=int, default=0, help="another one makes other cases")
    odd.add_argument("--step-s", type=float, default=20, help="processor seconds of a step that are a hang")
    odd.add_argument("--memory-gb", type=float, default=4, help="address space of a child")
    odd.add_argument("--checked", type=Path, help="compile kernels anew into this folder, with checks of every index")
    odd.add_argument("--workers", type=int, default=fuzz.WORKERS)
    odd.add_argument("--replay", type=Path, metavar="FILE", help="only this case, one that an earlier run saved")
    real = commands.add_parser("whole", parents=[everyone], help="a whole build of a manifest: counts, seconds, memory")
    real.add_argument("--manifest", type=Path, default=ROOT / "bench" / "manifests" / "dev.toml")
    real.add_argument("--root", type=Path, required=True, help="folder of the manifest's files")
    many = commands.add_parser("shards", parents=[everyone], help="token shards of generated documents: speed, memory")
    many.add_argument(
        "--cases",
        nargs="+",
        default=["400000,500", "1000000,20", "10000000,20"],
        metavar="DOCUMENTS,MEAN",
        help="documents, and tokens of each on average",
    )
    back = commands.add_parser("trace", parents=[everyone], help="random tokens made again from the raw bytes")
    back.add_argument("--tokens", type=int, default=10_000)
    back.add_argument("--seed", type=int, default=0)
    sealed_build.options(back)
    theirs = commands.add_parser("megatron", parents=[everyone], help="shards read and written again by Megatron-core")
    theirs.add_argument("--python", default=sys.executable, help="interpreter that has torch and megatron-core")
    sealed_build.options(theirs)
    readers = commands.add_parser("export", parents=[everyone], help="exports: speed, and what others read in them")
    peers_python(readers)
    sealed_build.options(readers)
    return top


def _input(work: Work) -> str:
    return "gzipped WARC" if work.input == "warc" else "JSON lines with a field `text`: plain, .gz or .zst"


def main(argv: list[str]) -> int:
    chosen = parser().parse_args(argv)
    about = {
        "at": results.now(),
        "command": " ".join(["python -m bench", *(without_paths(word) for word in argv)]),
        "commit": machine.commit(ROOT),
        "machine": machine.describe(),
        "core": chosen.core,
    }
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    if chosen.work in STUDIES:
        with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
            chosen.data = chosen.data.resolve()
            found = STUDIES[chosen.work].run(chosen, Path(name).resolve())
        return _paged(chosen, about | found, STUDIES[chosen.work].page)
    if chosen.work == "fuzz":
        return _fuzz(chosen, about)
    if chosen.work == "scale":
        return _scale(chosen, about)
    if chosen.work == "stages":
        rows = stage_speeds.study(chosen.input, chosen.rounds)
        print(f"written: {results.write_record(about | {'work': 'stages', 'rows': rows}, chosen.out).name}")
        return 0
    if chosen.work == "rejudge":
        with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
            rows = rejudge.study(Path(name).resolve(), chosen.documents)
        print(f"written: {results.write_record(about | {'work': 'rejudge', 'rows': rows}, chosen.out).name}")
        return 0
    if chosen.work in ("shards", "trace", "megatron", "export"):
        with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
            rows, whole_so = _sealed(chosen, Path(name).resolve())
        print(f"written: {results.write_rows(about | {'work': chosen.work, 'rows': rows}, chosen.out).name}")
        return 0 if whole_so else 1
    lid_model, tokenizer = _models(chosen)
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
        scratch = Path(name).resolve()
        if chosen.work in WORKS:
            return _compare(chosen, about, Given(scratch, scratch, scratch, chosen.language, lid_model, tokenizer))
        if chosen.work == "whole":
            about["manifest"] = chosen.manifest.name
            rows = whole.study(scratch, chosen.manifest.resolve(), chosen.root.resolve())
            path = results.write_record(about | {"work": "whole", "rows": rows}, chosen.out)
            path.with_suffix(".md").write_text(whole.page(about, rows), encoding="utf-8")
            print(f"written: {path.name}")
            return 0
        if chosen.work == "tiny":
            rows = tiny.study(scratch, chosen.files, lid_model, tokenizer, chosen.core, not chosen.no_ray)
        else:
            sizes = [*chosen.sizes_gb, *([10.0] if chosen.full else [])]
            rows = memory.study(scratch, sizes, lid_model, tokenizer, ["--local"] if chosen.local else [])
    print(f"written: {results.write_rows(about | {'work': chosen.work, 'rows': rows}, chosen.out).name}")
    return 0


def _sealed(chosen: argparse.Namespace, scratch: Path) -> tuple[list[dict[str, Any]], bool]:
    """What is asked of shards and of sealed builds. -> (rows, whether all is as it must be)"""
    if chosen.work == "shards":
        cases = [tuple(map(int, case.split(","))) for case in chosen.cases]
        return shards.study(scratch, [(documents, mean) for documents, mean in cases]), True
    build = sealed_build.sealed_build(chosen, scratch)
    if chosen.work == "trace":
        rows = traced.study(build, chosen.tokens, chosen.seed)
        return rows, all(row["same"] == row["tokens"] and not row["wrong"] for row in rows)
    if chosen.work == "export":
        rows = exports.study(build, scratch, chosen.peers_python)
        return rows, all(row["same"] for row in rows)
    rows = megatron.study(build, scratch, chosen.python)
    return rows, all(map(megatron.same, rows))


def _fuzz(chosen: argparse.Namespace, about: dict[str, Any]) -> int:
    if chosen.replay is not None:
        fuzz_trial.replay(fuzz_cases.load(chosen.replay))
        return 0
    if chosen.data is None:
        print("bench fuzz: give --data, or --replay FILE", file=sys.stderr)
        return 2
    bounds = Bounds(int(chosen.memory_gb * 1e9), chosen.step_s)
    checked = chosen.checked and chosen.checked.resolve()
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
        scratch, folder = Path(name).resolve(), ROOT / "build" / "fuzz"
        counts = chosen.pages, chosen.archives
        found = fuzz.study(
            chosen.data.resolve(), scratch, folder, *counts, chosen.seed, bounds, checked, chosen.workers
        )
    _paged(chosen, about | found, fuzz.page)
    return 0 if fuzz.sound(found) else 1


def _paged(chosen: argparse.Namespace, record: dict[str, Any], page: Callable[[dict[str, Any]], str]) -> int:
    """A record with a page of its own."""
    path = results.write_record({"work": chosen.work} | record, chosen.out)
    path.with_suffix(".md").write_text(page(record), encoding="utf-8")
    print(f"written: {path.name}")
    return 0


def _scale(chosen: argparse.Namespace, about: dict[str, Any]) -> int:
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
        keep = chosen.keep and chosen.keep.resolve()
        rows = scale.study(Path(name), chosen.documents, chosen.workers, chosen.options, chosen.local, keep)
    record = about | {"work": "scale", "rows": rows, "per_billion": scale_page.per_billion(rows)}
    path = results.write_record(record, chosen.out)
    picture = path.with_suffix(".svg")
    picture.write_text(scale_page.curves(rows), encoding="utf-8")
    path.with_suffix(".md").write_text(scale_page.page(about, record, picture.name), encoding="utf-8")
    print(f"written: {path.name}")
    return 0


def _models(chosen: argparse.Namespace) -> tuple[Path, Path]:
    from corpus.assets import find

    return (chosen.lid_model or find(LID_MODEL)).resolve(), (chosen.tokenizer or find(TOKENIZER, ROOT)).resolve()


def _compare(chosen: argparse.Namespace, about: dict[str, Any], blank: Given) -> int:
    work = WORKS[chosen.work]
    if any(inputs.is_warc(path) != (work.input == "warc") for path in chosen.input):
        print(f"bench {chosen.work}: --input takes {_input(work)}", file=sys.stderr)
        return 2
    scratch = blank.scratch
    if chosen.work.startswith("encode"):
        assert blank.tokenizer is not None
        model = encode_models.prepared(chosen.work, blank.tokenizer, chosen.input, scratch / "model")
        blank = replace(blank, tokenizer=model)
    given = _given(blank, chosen.input, chosen.limit_mb, scratch / "whole")
    theirs = given
    if chosen.peer_limit_mb is not None:
        theirs = _given(blank, chosen.input, chosen.peer_limit_mb, scratch / "less")
    ours = Side("ours", work.ours, sys.executable)
    names = list(work.peers) if chosen.peer is None else [p for p in [chosen.peer] if p != "none"]
    pythons = {"dolma": chosen.dolma_python} if "dolma" in names else {}
    peers = [Side(name, work.peers[name], pythons.get(name, chosen.peers_python)) for name in names]
    load = about["machine"]["load_1min"]
    print(f"{chosen.work}: {work.about}; core {chosen.core}, load {load}")
    if load > QUIET_LOAD:
        print("  this machine is busy: do not keep the result")
    gifts = {"ours": replace(given, scratch=scratch / "ours")}
    gifts |= {name: replace(theirs, scratch=scratch / name) for name in names}
    runs = take_turns([ours, *peers], gifts, chosen.rounds, chosen.core, chosen.timeout_s)
    about["inputs"] = [
        {"name": path.name, "file_bytes": path.stat().st_size, "sha256": inputs.sha256(path)} for path in chosen.input
    ]
    about |= {"limit_mb": chosen.limit_mb, "peer_limit_mb": chosen.peer_limit_mb, "language": chosen.language}
    record = results.comparison(chosen.work, runs, about)
    results.show(record)
    path = results.write(record, chosen.out)
    if work.targets:
        path.with_suffix(".md").write_text(versus.page(record, work.about, work.targets), encoding="utf-8")
    print(f"written: {path.name}")
    return 1 if any(run.error for run in runs) else 0


def _given(blank: Given, paths: list[Path], limit_mb: float | None, folder: Path) -> Given:
    whole, small = inputs.cut(paths, None if limit_mb is None else int(limit_mb * 1e6), folder)
    return replace(blank, path=whole, warm_up=small)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
