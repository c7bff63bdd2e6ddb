"""The whole build: read, normalise, split, lid, signals, sign, judge, dedup, encode, pack, seal; from a cold store.

The time is the one that the run log gives: interpreter start and imports, which no peer's time includes, are recorded
apart. Everything else counts: tables and records written, digests, the index, the sealed manifest.
"""

from bench import inputs
from bench.given import Done, Given, Job
from bench.ours import compile

PACKAGES = (
    "corpus-compiler",
    "numba",
    "numpy",
    "pyarrow",
    "sentencepiece",
    "fasttext-community",
    "xxhash",
    "zstandard",
)


def prepare(given: Given) -> Job:
    assert given.lid_model is not None
    assert given.tokenizer is not None
    texts = inputs.documents(given.path)
    size, count = inputs.text_bytes(texts), len(texts)
    del texts
    lid, tokenizer = given.lid_model, given.tokenizer

    def once(name: str, path: str) -> compile.Built:
        folder = given.scratch / name
        folder.mkdir()
        manifest = folder / "bench.toml"
        compile.write_manifest(manifest, given.path.parent, path, lid, tokenizer)
        return compile.build(manifest, folder, lid, ["--local"])

    once("warm", given.warm_up.name)

    def run() -> Done:
        built = once("cold", given.path.name)
        counts = {"bytes": size, "documents": count, "kept": built.kept, "tokens": built.tokens}
        parts = {f"stage_{name}_s": float(value) for name, value in built.run["worker_seconds"].items()}
        parts |= {f"phase_{name}_s": float(value) for name, value in built.run["phases"].items()}
        return Done(counts, parts=parts, start_s=built.start_s, peak_bytes=int(built.run["peak_worker_bytes"]))

    return run
