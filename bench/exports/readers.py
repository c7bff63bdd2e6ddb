"""What a reader finds in an export: `python -m bench.exports.readers READER FOLDER CACHE` -> JSON.

found: source -> [documents, bytes of text, tokens]
"""

import json
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

Found = dict[str, list[int]]


def duckdb(folder: Path, cache: Path) -> Found:
    import duckdb

    query = "select source, count(*), sum(strlen(text)), sum(tokens) from read_parquet(?) group by source"
    rows = duckdb.execute(query, [f"{folder}/data/*/*.parquet"]).fetchall()
    return {source: list(map(int, numbers)) for source, *numbers in rows}


def datasets(folder: Path, cache: Path) -> Found:
    """By the card's configurations: `default` must hold what all others hold."""
    import datasets

    def rows(name: str) -> list[tuple[str, str, int]]:
        loaded = datasets.load_dataset(str(folder), name, cache_dir=str(cache))
        return [(row["source"], row["text"], row["tokens"]) for split in loaded.values() for row in split]

    names = [name for name in datasets.get_dataset_config_names(str(folder)) if name != "default"]
    found = _sum(rows("default"))
    apart = _sum(row for name in names for row in rows(name))
    if found != apart:
        raise SystemExit(f"datasets: `default` holds {found}, the others {apart}")
    return found


def mlcroissant(folder: Path, cache: Path) -> Found:
    """By the description alone, one record set a source."""
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    return _sum(
        (record[f"{one.id}/source"].decode(), record[f"{one.id}/text"].decode(), int(record[f"{one.id}/tokens"]))
        for one in described.metadata.record_sets
        for record in described.records(one.id)
    )


def lines(folder: Path, cache: Path) -> Found:
    """The standard library's JSON, behind python-zstandard."""
    import io

    import zstandard

    def rows() -> Iterable[tuple[str, str, int]]:
        for path in sorted(folder.glob("data/*/*.jsonl.zst")):
            with path.open("rb") as file:
                for line in io.TextIOWrapper(
                    zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8", newline="\n"
                ):
                    row = json.loads(line)
                    yield row["source"], row["text"], row["metadata"]["tokens"]

    return _sum(rows())


def _sum(rows: Iterable[tuple[str, str, int]]) -> Found:
    found: Found = {}
    for source, text, tokens in rows:
        own = found.setdefault(source, [0, 0, 0])
        for i, more in enumerate((1, len(text.encode()), tokens)):
            own[i] += more
    return found


READERS = {"duckdb": duckdb, "datasets": datasets, "mlcroissant": mlcroissant, "lines": lines}
PACKAGES = {"lines": "zstandard"}

if __name__ == "__main__":
    name, folder, cache = sys.argv[1:]
    found = READERS[name](Path(folder), Path(cache))
    print(json.dumps({"found": found, "version": version(PACKAGES.get(name, name))}))
