"""Check of the store's records: of steps, files and shards byte for byte, of global stages by what they imply.

Also of assets. Tables are checked with their partitions.
"""

from typing import Any

from corpus.build import Executor
from corpus.checks import AssetTask, RecordsTask, ScopeTask, Sum, check_asset, check_records, check_scope
from corpus.findings import Finding, Findings
from corpus.identity import canonical, sha256
from corpus.local import Local
from corpus.opened import Build
from corpus.record import FileRecord, folder
from corpus.repair import Repair
from corpus.settle import SCOPE

_LOOSE = 256  # records of a task


class StoreCheck:
    """`wanted` and `settled` are collected from the build by the caller before `run`.

    wanted    folder -> step -> sha256 of its record
    settled   label of a global stage -> sum over (partition, step)
    """

    def __init__(self, build: Build, executor: Executor | Local, found: Findings, repair: Repair) -> None:
        self.build, self.store, self.manifest = build, build.store, build.manifest
        self.executor, self.found, self.repair = executor, found, repair
        self.wanted: dict[str, dict[bytes, bytes]] = {}
        self.settled: dict[str, Sum] = {label: Sum() for label in build.manifest["exchanges"]}

    def want(self, place: str, step: str, digest: str) -> None:
        self.wanted.setdefault(place, {})[bytes.fromhex(step)] = bytes.fromhex(digest)

    def run(self, steps_whole: bool) -> None:
        """`steps_whole`: every record of the build could be read."""
        self._records()
        self._scopes(steps_whole)
        self._assets()

    def wrong(self, file: str, text: str) -> None:
        self.found.wrong.append(Finding(file, text, True))

    def _records(self) -> None:
        """Every record of the build in the store, byte for byte, loose or folded."""
        for shard in self.build.shards:
            place = folder(shard.source, "shard")
            self.want(place, shard.step, sha256(canonical(shard)))
            self.repair.known[f"{place}/{shard.step}.json"] = canonical(shard)
        for place, wanted in sorted(self.wanted.items()):
            names = [f"{place}/{name}" for name in self.store.list(place)]
            folds = [name for name in names if name.endswith(".parquet")]
            loose = [n for n in names if n.endswith(".json") and _step_of(n) in wanted]
            tasks = [RecordsTask(self.store, (name,)) for name in folds]
            tasks += [RecordsTask(self.store, tuple(loose[i : i + _LOOSE])) for i in range(0, len(loose), _LOOSE)]
            missing, fold_damaged = set(wanted), False
            for position, (findings, records, size) in self.executor.map(check_records, tasks):
                self.found.wrong += findings
                self.found.files += len(tasks[position].names)
                self.found.bytes += size
                self.repair.folds += [finding.file for finding in findings]
                fold_damaged |= bool(findings)
                for name, step, digest in records:
                    if wanted.get(step, digest) != digest:
                        self.wrong(name, f"record {step.hex()} is not the one that the build was sealed with")
                        self.repair.records.append((name, step.hex()))
                    missing.discard(step)
            for step in sorted(missing):
                self.repair.records.append((f"{place}/{step.hex()}.json", step.hex()))
                if not fold_damaged:
                    self.wrong(f"{place}/{step.hex()}.json", "is missing")

    def _scopes(self, steps_whole: bool) -> None:
        """The runs of global stages: one for each, with the verdicts and the counts of this build."""
        chains = [source["chain"] for source in self.build.sources.values()]
        for label, counts in self.manifest["exchanges"].items():
            step = next(step for chain in chains for step in chain if step["stage"] == label)
            definition = {name: value for name, value in step.items() if name != "stage"}
            place = folder(SCOPE, step["kind"])
            tasks = [ScopeTask(self.store, f"{place}/{name}") for name in self.store.list(place)]
            ours = 0
            wrong: list[Finding] = []
            away: list[str] = []
            for position, result in self.executor.map(check_scope, tasks):
                self.found.files += 2
                self.found.bytes += result.bytes
                wrong += result.findings
                away += result.away
                if not result.findings and result.definition == definition and result.settled == self.settled[label]:
                    ours += 1
                    if result.counts != counts:
                        name = tasks[position].name
                        self.wrong(name, f"counts {result.counts}, the manifest says {counts}")
                        self.repair.away.append(name)
            if ours:  # what is damaged belongs to other builds in this store
                continue
            self.found.wrong += [finding for finding in wrong if finding not in self.found.wrong]
            self.repair.away += away
            if not wrong and steps_whole:
                self.wrong(f"{place}/", f"holds no run of `{label}` with the verdicts of this build")

    def _assets(self) -> None:
        chains = (step for source in self.build.sources.values() for step in source["chain"])
        stood_on = {parent["root"] for parent in self.build.manifest["parents"]}  # they lie where they were built
        digests = sorted({digest for step in chains for digest in step["assets"]} - stood_on)
        for position, (findings, size) in self.executor.map(check_asset, [AssetTask(self.store, d) for d in digests]):
            self.found.wrong += findings
            self.found.files += 1
            self.found.bytes += size
            if findings:
                self.repair.away.append(f"assets/{digests[position]}")


def _step_of(name: str) -> bytes | None:
    try:
        return bytes.fromhex(name.rsplit("/", 1)[-1].removesuffix(".json"))
    except ValueError:
        return None


def file_record(source: dict[str, Any], file: dict[str, Any], chunks: dict[int, tuple[str, str, int]]) -> FileRecord:
    """The record of an input file, as the manifest and the records of its partitions imply it."""
    ledger = {n: file[n] for n in ("file_bytes", "framed_bytes", "lost_bytes", "decoded_bytes", "skipped_bytes")}
    return FileRecord(
        step=file["step"],
        source=source["name"],
        path=file["path"],
        sha256=file["sha256"],
        definition={name: value for name, value in source["chain"][0].items() if name != "stage"},
        partitions=tuple(chunks[number][:2] for number in range(file["partitions"])),
        ledger=ledger,
    )
