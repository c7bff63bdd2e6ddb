"""`extract`: charset, blocks, features, trees, title and day."""

import pyarrow as pa

from bench import inputs
from bench.given import Done, Given, Job
from stages.extract import Extract

PACKAGES = ("numba", "numpy", "pyarrow")


def prepare(given: Given) -> Job:
    stage = Extract()
    pages = inputs.pages(given.path)
    stage.apply(_batch(inputs.pages(given.warm_up)), None)
    batch = _batch(pages)

    def run() -> Done:
        texts = stage.apply(batch, None)["text"].to_pylist()
        size = sum(len(page.body) for page in pages)
        return Done({"bytes": size, "pages": len(pages), "text_bytes": inputs.text_bytes(texts)})

    return run


def _batch(pages: list[inputs.Page]) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "body": pa.array([page.body for page in pages], pa.binary()),
            "http_charset": pa.array([page.http_charset for page in pages], pa.string()),
            "mime": pa.array([page.mime for page in pages], pa.string()),
            "url": pa.nulls(len(pages), pa.string()),
        }
    )
