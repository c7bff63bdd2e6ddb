"""Examples for a classifier: the documents that a `Classes` file names, as the tokens that the model sees, chosen,
ordered and held out by a hash of these tokens.

Equal tokens are one document: within a class once, in two classes none, for they teach nothing. So nothing that is
learned from can be among what is measured on, and neither depends on the order of files or records. Of each document
only its tokens are kept, some 12 kB at most with the default windows, and of each source not more than twice
`max_documents` of them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus.classes import Classes, Examples
from corpus.errors import InputError
from corpus.inputs import listing
from corpus.stage import UNREADABLE, Ledger
from corpus.store import open_input
from corpus.work import Hashing

Tokens = Callable[[pa.Array], list[bytes]]  # texts -> what the model sees of each


class Example(msgspec.Struct, frozen=True):
    """`key`: 16 bytes, a hash of seed and tokens. Its first 8 bytes choose between documents, the others between
    learning and measuring."""

    key: bytes
    tokens: bytes


class Taken(msgspec.Struct):
    """What was read of a source: its files by sha256, documents, those without a token, and those that could not be
    read; `equal` are copies of what was chosen, `kept` is left of it, `learned` from and `measured` on."""

    files: dict[str, str]
    documents: int = 0
    empty: int = 0
    equal: int = 0
    unreadable: int = 0
    kept: int = 0
    learned: int = 0
    measured: int = 0


class Gathered(msgspec.Struct, frozen=True):
    """`learned`: (key, class, tokens), in the order in which the trainer is to see them. `measured`: by source,
    those of sources that are learned from; `held_out`: those of sources that are not. `in_two`: documents of two
    classes, left out."""

    learned: list[tuple[bytes, str, bytes]]
    measured: dict[str, list[Example]]
    held_out: dict[str, list[Example]]
    taken: dict[str, Taken]
    in_two: int


def gather(asked: Classes, tokens: Tokens) -> Gathered:
    """InputError where a file is missing or unreadable, or a class has too few documents."""
    taken: dict[str, Taken] = {}
    found: dict[str, dict[bytes, bytes]] = {}
    for source in asked.sources:
        taken[source.name], found[source.name] = read_documents(asked, source, tokens)
    in_two = _without_contradictions(asked, found)
    learned: list[tuple[bytes, str, bytes]] = []
    measured, held_out = {}, {}
    limit = int(asked.held_out_share * 2**64)
    for name in asked.names:
        own = [source for source in asked.sources if source.of == name]
        seen: set[bytes] = set()  # a document of two sources of a class is the first one's
        pool: list[tuple[bytes, Examples]] = []
        for source in own:
            keys = [key for key in found[source.name] if key not in seen]
            taken[source.name].equal += len(found[source.name]) - len(keys)
            seen.update(keys)
            if source.held_out:
                held_out[source.name] = _examples(sorted(keys), found[source.name])
                taken[source.name].kept = taken[source.name].measured = len(keys)
            else:
                pool += [(key, source) for key in keys]
        pool.sort(key=lambda one: one[0])
        most = asked.limits[name].max_documents if name in asked.limits else len(pool)
        for source in own:
            if not source.held_out:
                measured[source.name] = []
        for key, source in pool[:most]:
            one = taken[source.name]
            one.kept += 1
            if int.from_bytes(key[8:], "little") < limit:
                measured[source.name].append(Example(key, found[source.name][key]))
                one.measured += 1
            else:
                one.learned += 1
                learned += [
                    (xxhash.xxh3_128_digest(key, seed=time), name, found[source.name][key])
                    for time in range(source.weight)
                ]
    learned.sort()
    _check(asked, taken)
    return Gathered(learned, measured, held_out, taken, in_two)


def _examples(keys: list[bytes], tokens: dict[bytes, bytes]) -> list[Example]:
    return [Example(key, tokens[key]) for key in keys]


def read_documents(asked: Any, source: Any, tokens: Tokens) -> tuple[Taken, dict[bytes, bytes]]:
    """Documents of a source of `asked`, a `Classes` or `Texts`. -> what was read, and what `tokens` makes of each, by
    key: those of the `max_documents` lowest keys. InputError as in `gather`."""
    reader = asked.readers[source.name]
    if "text" not in reader.adds:
        raise InputError(f"source `{source.name}`: format `{source.format}` gives no text, only bodies of pages.")
    taken = Taken({})
    best: dict[bytes, bytes] = {}
    times: dict[bytes, int] = {}
    for path in listing(source):
        for some in _chunks(reader, f"{source.root.rstrip('/')}/{path}", path, taken):
            for one in tokens(some):
                taken.documents += 1
                if not one:
                    taken.empty += 1
                    continue
                key = xxhash.xxh3_128_digest(one, seed=asked.seed)
                best[key] = one
                times[key] = times.get(key, 0) + 1
            if len(best) > 2 * source.max_documents:
                best = {key: best[key] for key in sorted(best)[: source.max_documents]}
                times = {key: times[key] for key in best}  # what has left does not come back
    if taken.unreadable > source.max_lost_share * (taken.documents + taken.unreadable):
        raise InputError(
            f"source `{source.name}`: {taken.unreadable:,} of {taken.documents + taken.unreadable:,} records cannot be "
            f"read, more than max_lost_share = {source.max_lost_share}. Mend the files, or raise it."
        )
    best = {key: best[key] for key in sorted(best)[: source.max_documents]}
    taken.equal = sum(times[key] - 1 for key in best)
    return taken, best


def _chunks(reader: Any, url: str, path: str, taken: Taken) -> Iterator[pa.Array]:
    """Readable texts of a file, chunk by chunk; its digest and what could not be read go into `taken`."""
    try:
        with open_input(url) as file:
            stream = Hashing(file)
            if reader.seeks:
                taken.files[path] = stream.finish()
                file.seek(0)
            for chunk in reader.cut(file if reader.seeks else stream, path, Ledger()):
                columns = reader.parse(chunk)
                drop = columns["drop"]
                taken.unreadable += pc.sum(pc.is_in(drop, value_set=pa.array(sorted(UNREADABLE)))).as_py() or 0
                yield columns["text"].filter(pc.is_null(drop))
            if not reader.seeks:
                taken.files[path] = stream.finish()
    except OSError as error:
        raise InputError(f"{url}: cannot be read: {error}") from error


def _without_contradictions(asked: Classes, found: dict[str, dict[bytes, bytes]]) -> int:
    """Take documents of two classes out of `found` -> how many there were."""
    of: dict[bytes, str] = {}
    both: set[bytes] = set()
    for source in asked.sources:
        for key in found[source.name]:
            if of.setdefault(key, source.of) != source.of:
                both.add(key)
    for keys in found.values():
        for key in both:
            keys.pop(key, None)
    return len(both)


_LEAST_LEARNED, _LEAST_MEASURED = 20, 5


def _check(asked: Classes, taken: dict[str, Taken]) -> None:
    for name in asked.names:
        own = [source for source in asked.sources if source.of == name and not source.held_out]
        learned = sum(taken[source.name].learned for source in own)
        measured = sum(taken[source.name].measured for source in own)
        if learned < _LEAST_LEARNED or measured < _LEAST_MEASURED:
            raise InputError(
                f"{asked.path}: class `{name}` has {learned:,} documents to learn from and {measured:,} to measure on. "
                f"Expected at least {_LEAST_LEARNED} and {_LEAST_MEASURED}: name more files, or change held_out_share."
            )
