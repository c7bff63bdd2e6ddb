"""The labelled sets: pages of a WARC beside a file that says in which charset each is."""

from collections.abc import Iterator
from pathlib import Path

from bench import inputs
from bench.charset.sample import Sample

SETS = ("charset_real_pages", "zh_legacy_charset_transcoded")
TARGETS = {"charset_real_pages": 0.98, "zh_legacy_charset_transcoded": 0.995}


def samples(data: Path, name: str) -> Iterator[Sample]:
    """`data` holds `crawl/<name>.warc.gz` and `crawl/<name>.gold.jsonl.zst`."""
    import orjson
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    gold = {}
    for line in inputs.lines([data / "crawl" / f"{name}.gold.jsonl.zst"]):
        row = orjson.loads(line)
        gold[row["id"].strip("<>")] = row
    with (data / "crawl" / f"{name}.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            row = gold[record.record_id.strip("<>")]
            label = row["true_charset"].lower()
            http = record.http_charset
            yield Sample(name, label, row["name"], record.reader.read(), label, row.get("declared", "as sent"), http)
