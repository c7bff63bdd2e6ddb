"""The works that are compared, and who does them beside us."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """`ours` and `peers` (by name) are modules with `prepare` and `PACKAGES`; `input` is what they take."""

    ours: str
    peers: dict[str, str]
    about: str
    input: str = "text"  # or "warc"


def _work(name: str, peers: list[str], about: str, kind: str = "text") -> Work:
    return Work(f"bench.ours.{name}", {peer: f"bench.peers.{peer}_{name}" for peer in peers}, about, kind)


WORKS = {
    "read": _work("read", ["datatrove", "orjson"], "JSON lines to documents"),
    "extract": _work("extract", ["trafilatura", "resiliparse"], "HTML to main text; MB of HTML", "warc"),
    "lid": _work("lid", ["fasttext"], "language of each document"),
    "rules": _work("rules", ["datatrove"], "quality rules: Gopher, C4, FineWeb"),
    "minhash": _work("minhash", ["datasketch", "rensa"], "MinHash signatures, 126 permutations, shingling included"),
    "encode": _work("encode", ["sentencepiece", "tokenizers"], "text to token ids"),
    "build": _work("build", ["datatrove"], "the whole way from a file to shuffled token shards"),
}
