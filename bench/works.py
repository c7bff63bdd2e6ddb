"""The works that are compared, and who does them beside us."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Work:
    """`ours` and `peers` (by name) are modules with `prepare` and `PACKAGES`; `input` is what they take, `targets` how
    many times a peer's speed ours must be."""

    ours: str
    peers: dict[str, str]
    about: str
    input: str = "text"  # or "warc"
    targets: dict[str, float] = field(default_factory=dict)


def _work(name: str, peers: list[str], about: str, kind: str = "text", **targets: float) -> Work:
    module = name.replace("-", "_")
    return Work(f"bench.ours.{module}", {peer: f"bench.peers.{peer}_{module}" for peer in peers}, about, kind, targets)


_RULES_TARGETS = {"datatrove": 100.0, "dolma": 20.0}


def _rules(name: str, about: str, peers: list[str]) -> Work:
    """One filter of a peer. Ours measures all signals whichever is asked, and judges with one pack."""
    targets = {peer: _RULES_TARGETS[peer] for peer in peers}
    return _work(f"rules-{name}", peers, f"{about}; ours measures every signal", **targets)


def _encode(about: str) -> Work:
    """Both kinds of model have the same sides."""
    peers = ["sentencepiece", "tokenizers", "dolma"]
    return _work("encode", peers, about, sentencepiece=2.0, tokenizers=10.0)


WORKS = {
    "read": _work("read", ["datatrove", "orjson"], "JSON lines to documents"),
    "extract": _work("extract", ["trafilatura", "resiliparse"], "HTML to main text; MB of HTML", "warc"),
    "lid": _work("lid", ["fasttext"], "language of each document"),
    "rules": _work("rules", ["datatrove"], "quality rules: Gopher, C4, FineWeb"),
    "rules-gopher-quality": _rules("gopher-quality", "Gopher's quality rules", ["datatrove", "dolma"]),
    "rules-gopher-repetition": _rules("gopher-repetition", "Gopher's repetition rules", ["datatrove", "dolma"]),
    "rules-c4": _rules("c4", "C4's rules", ["datatrove", "dolma"]),
    "rules-fineweb": _rules("fineweb", "FineWeb's own rules", ["datatrove"]),
    "minhash": _work("minhash", ["datasketch", "rensa"], "MinHash signatures, 126 permutations, shingling included"),
    "dedup-speed": _work(
        "dedup-speed",
        ["datatrove", "rensa", "datasketch"],
        "the whole dedup, from text to verdicts; ours from stored text to stored tables",
        datatrove=100,
        rensa=5,
    ),
    "encode": _encode("text to token ids: the unigram model that ships"),
    "encode-bpe": _encode("text to token ids: a BPE model of 32,000 pieces, made for the occasion"),
    "build": _work("build", ["datatrove"], "the whole way from a file to shuffled token shards"),
}
