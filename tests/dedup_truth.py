"""What dedup should say, worked out over all pairs in plain Python, and a way to run the stage on documents.

Nothing here is shared with the code under test but `Sign`, which makes the columns that the stage reads and has tests
of its own. Shingles are tuples of units, compared as they are.
"""

import random
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import xxhash

from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.dedup import Dedup
from stages.sign import Sign

Verdict = dict[str, Any]
Found = dict[bytes, Verdict]
_UNIT = re.compile("[\u4e00-\u9fff]|[a-z0-9]+")


class Document(NamedTuple):
    """Of an ASCII or Chinese text; `id` and `content` follow from name and text, as in a build."""

    text: str
    name: str
    source: str = "s"
    priority: int = 1
    snapshot: str = ""
    quality: float | None = 0.0
    standing: bool = False  # of an earlier build

    @property
    def id(self) -> bytes:
        return xxhash.xxh3_128_digest(self.name.encode())

    @property
    def content(self) -> bytes:
        return xxhash.xxh3_128_digest(self.text.encode())


def documents(texts: Sequence[str], prefix: str = "d") -> list[Document]:
    return [Document(text, f"{prefix}{number}") for number, text in enumerate(texts)]


class Loaded(Loader, frozen=True):
    batches: dict[int, pa.RecordBatch]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        batch = self.batches[key]
        return batch.select(list(names)) if names else batch


def batch(docs: Sequence[Document], sign: Sign) -> pa.RecordBatch:
    texts = pa.array([d.text for d in docs], pa.string())
    columns = dict(sign.apply(pa.record_batch({"text": texts}), sign.load({})))
    columns |= {
        "text": texts,
        "id": pa.array([d.id for d in docs], pa.binary(16)),
        "content": pa.array([d.content for d in docs], pa.binary(16)),
        "q": pa.array([d.quality for d in docs], pa.float64()),
    }
    return pa.record_batch(columns)


def backwards(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Tasks run, and answer, in the wrong order."""
    for index, item in reversed(list(enumerate(items))):
        yield index, function(item)


def dedup(
    docs: Sequence[Document],
    stage: Dedup | None = None,
    rows: int = 1 << 20,
    bundles: int = 1,
    seed: int = 0,
    sign: Sign | None = None,
    folder: str = "",
) -> tuple[Found, dict[str, int]]:
    """Documents of one source, priority and snapshot lie in partitions of `rows`, in the order given; keys are drawn
    with `seed`. -> (verdict of each id, with its `detail`; counts of the rounds)"""
    stage = stage or Dedup()
    rng = random.Random(f"keys {seed}")
    sources: dict[tuple[str, int, str, bool], list[Document]] = {}
    for doc in docs:
        sources.setdefault((doc.source, doc.priority, doc.snapshot, doc.standing), []).append(doc)
    batches, parts, members = {}, {}, {}
    for (source, priority, snapshot, standing), own in sources.items():
        for begin in range(0, len(own), rows):
            key = rng.getrandbits(64)
            members[key] = own[begin : begin + rows]
            batches[key] = batch(members[key], sign or Sign())
            scope = stage.scope_of(source, snapshot)
            parts[key] = Part(key, source, priority, len(members[key]), scope=scope, standing=standing)
    ordered = numbered(parts)
    size = max(1, -(-len(ordered) // bundles))
    loader = Loaded(batches)
    work = [
        Bundle(n, f"b{n}", tuple(ordered[at : at + size]), loader) for n, at in enumerate(range(0, len(ordered), size))
    ]
    with tempfile.TemporaryDirectory() as spare:
        blobs = Blobs(folder or spare)
        flow, counts = run_rounds(stage, blobs, work, "scratch", "cache", backwards, lambda name, count: None)
        found: Found = {}
        for bundle in work:
            for part, columns in settled(stage, blobs, flow, bundle):
                values = {name: column.to_pylist() for name, column in columns.items()}
                for at, doc in enumerate(members[part.key]):
                    found[doc.id] = {name: column[at] for name, column in values.items()}
    assert len(found) == len(docs)
    return found, counts


def units(text: str) -> list[str]:
    return _UNIT.findall(text.lower())


def shingles(text: str, words: int = 5, han: int = 8) -> set[tuple[str, ...]]:
    parts = units(text)
    weights = [words if "\u4e00" <= part <= "\u9fff" else han for part in parts]
    made = set()
    for start in range(len(parts)):
        weight = 0
        for end in range(start, len(parts)):
            weight += weights[end]
            if weight >= words * han:
                made.add(tuple(parts[start : end + 1]))
                break
    return made or ({tuple(parts)} if parts else set())


def jaccard(one: set[Any], other: set[Any]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def rank(doc: Document) -> tuple[Any, ...]:
    """Best first."""
    missing = doc.quality is None or doc.quality != doc.quality
    return (
        not doc.standing,
        doc.priority,
        missing,
        0.0 if missing else -float(doc.quality or 0),
        doc.content[:8],
        doc.id,
    )


def brute_force(docs: Sequence[Document], threshold: float = 0.8) -> Found:
    """Verdicts where every pair at or above the threshold is compared and nothing is a template: copies leave for the
    best of their key; of the rest, from the best on, each leaves for the first that stays and is like it, and is
    `apart` where it is like one that left only. Those that stand stay."""
    copies: dict[tuple[str, ...], list[Document]] = {}
    for doc in sorted(docs, key=rank):
        copies.setdefault(tuple(units(doc.text)), []).append(doc)
    heads = [own[0] for key, own in copies.items() if key]
    sets = {doc.id: shingles(doc.text) for doc in heads}
    found: Found = {doc.id: _verdict(None, None, 0.0, doc.id) for key, own in copies.items() if not key for doc in own}
    for at, doc in enumerate(heads):
        alike = [(other, jaccard(sets[doc.id], sets[other.id])) for other in heads[:at]]
        alike = [(other, share) for other, share in alike if share >= threshold and not doc.standing]
        stay = [pair for pair in alike if not found[pair[0].id]["drop"]]
        if alike:
            other, share = (stay or alike)[0]
            code = "near_duplicate" if stay else None
            found[doc.id] = _verdict(code, other.id, share, found[other.id]["cluster"], "near" if stay else "apart")
        else:
            found[doc.id] = _verdict(None, None, 0.0, doc.id)
    for own in copies.values():
        for doc in own[1:] if own[0].id in sets else []:
            head = found[own[0].id]
            found[doc.id] = dict(head) if head["drop"] else _verdict(
                "exact_duplicate", own[0].id, 1.0, head["cluster"], "exact"
            )  # fmt: skip
    sizes: dict[bytes, int] = {}
    for one in found.values():
        sizes[one["cluster"]] = sizes.get(one["cluster"], 0) + 1
    for one in found.values():
        one["cluster_size"] = sizes[one["cluster"]]
        if one["cluster_size"] == 1:
            one["cluster"] = one["cluster_size"] = None
    return found


def _verdict(
    code: str | None, partner: bytes | None, share: float, cluster: bytes, relation: str | None = None
) -> Verdict:
    return {
        "drop": code,
        "partner": partner,
        "similarity": share if partner else None,
        "relation": relation,
        "cluster": cluster,
    }


def differences(found: Found, want: Found) -> list[tuple[bytes, str, Any, Any]]:
    """Where verdicts differ from those of brute force: (id, column, got, wanted)."""
    assert found.keys() == want.keys()
    wrong = []
    for one, verdict in want.items():
        for name, value in verdict.items():
            got = found[one][name]
            same = abs(got - value) < 1e-6 if isinstance(value, float) and got is not None else got == value
            if not same:
                wrong.append((one, name, got, value))
    return wrong


ENGLISH = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "e", "ia", "o", "ou") for c in ("", "n", "rd", "st", "ck", "lm")
]
CHINESE = [chr(0x4E00 + 7 * n) for n in range(700)]


def tokens(rng: random.Random, count: int, language: str = "en") -> list[str]:
    return [rng.choice(CHINESE if language == "zh" else ENGLISH) for _ in range(count)]


def text_of(parts: Sequence[str], language: str = "en") -> str:
    return ("" if language == "zh" else " ").join(parts)


def edited(rng: random.Random, parts: Sequence[str], edits: int, language: str = "en") -> list[str]:
    """With so many units replaced, at places of their own."""
    made = list(parts)
    for at in rng.sample(range(len(made)), edits):
        made[at] = rng.choice([t for t in (CHINESE if language == "zh" else ENGLISH)[:50] if t != made[at]])
    return made


def check_evidence(docs: Sequence[Document], found: Found, threshold: float = 0.8) -> None:
    """What holds of every corpus: who leaves has a partner that stays, and their similarity is what is stored."""
    by_id = {doc.id: doc for doc in docs}
    for doc in docs:
        verdict = found[doc.id]
        assert (verdict["drop"] is not None) == (verdict["relation"] in ("near", "exact"))
        assert (verdict["drop"] is None) == (verdict["detail"] is None)
        assert (verdict["partner"] is None) == (verdict["similarity"] is None) == (verdict["relation"] is None)
        assert (verdict["cluster"] is None) == (verdict["cluster_size"] is None)
        if verdict["partner"] is None:
            continue
        partner = by_id[verdict["partner"]]
        share = jaccard(shingles(doc.text), shingles(partner.text))
        assert abs(share - verdict["similarity"]) < 1e-6
        assert share >= threshold
        same = units(doc.text) == units(partner.text)
        assert same == (verdict["relation"] == "exact")
        if verdict["drop"]:
            assert found[partner.id]["drop"] is None
            assert verdict["detail"] == f"{verdict['similarity']:.4f} of {partner.id.hex()}"
            assert verdict["cluster"] == found[partner.id]["cluster"]
            assert verdict["drop"] == ("exact_duplicate" if same else "near_duplicate")
            assert rank(partner) < rank(doc)
