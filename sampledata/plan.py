"""What goes into which file, decided before a word is written.

A file is a list of `Entry`. A planted copy points to the entry that it copies, and since documents are functions of
their names it can be written without having kept the original. Shares grow with the scale; no kind ever vanishes.
"""

import random
from typing import NamedTuple

from sampledata.damage import BROKEN, MOJIBAKE, NEAR
from sampledata.documents import SUBSETS, names
from sampledata.foreign import SENTENCES
from sampledata.randomness import source
from sampledata.sites import ENCODINGS

# Of the documents of a corpus: (share, least number).
EXACT, CLOSE, SPAM = (0.03, 6), (0.03, 9), (0.02, 4)
MIRRORED, REPUBLISHED, SPAM_PAGES = (0.03, 4), (0.03, 4), (0.03, 4)
RARE = (0.001, 2)  # broken records, mojibake, other languages, very short, empty, link lists: of each

_PAGES, _LEAST_PAGES = 2600, 120
_WARCS, _LEAST_WARCS = 8, 5
_SITES = 2 * len(ENCODINGS)

_COPIED = {
    "en": ("pile/wikipedia-en", "pile/stackexchange", "pile/pubmed-abstracts"),
    "zh": ("zh/encyclopedia", "zh/news", "zh/reviews", "zh/questions", "zh/statutes"),
}


class Entry(NamedTuple):
    """One record of a file.

    name   unique; where randomness comes from
    kind   "plain", or what is planted
    of     the entry that this one copies
    how    the variant of its kind
    site   number of the web site, for pages
    """

    name: str
    kind: str = "plain"
    of: "Entry | None" = None
    how: str = ""
    site: int = -1


def amount(share: tuple[float, int], total: int) -> int:
    return max(share[1], round(share[0] * total))


def plan(seed: int, scale: float) -> dict[str, list[Entry]]:
    """File name -> entries in their order."""
    files = {f"{subset}.jsonl.zst": [Entry(name) for name in names(seed, subset, scale)] for subset in SUBSETS}
    plain = {file.removesuffix(".jsonl.zst"): list(entries) for file, entries in files.items()}
    rng = source(seed, "plan/records")
    _plant_copies(rng, files, plain)
    _plant_records(rng, files, sum(map(len, plain.values())))
    for file, entries in files.items():
        source(seed, f"plan/{file}").shuffle(entries)
    return files | _plan_crawl(seed, scale, plain["zh/news"])


def _plant_copies(rng: random.Random, files: dict[str, list[Entry]], plain: dict[str, list[Entry]]) -> None:
    total = sum(map(len, plain.values()))
    weights = {group: [len(plain[subset]) for subset in subsets] for group, subsets in _COPIED.items()}

    def place(turn: int) -> tuple[Entry, str]:
        """An original, and the file of its copy: its own, another of its language, or one of the other language."""
        group, other = ("en", "zh") if turn % 2 else ("zh", "en")
        subset = rng.choices(_COPIED[group], weights[group])[0]
        others = [s for s in _COPIED[group] if s != subset]
        target = (subset, rng.choice(others), rng.choice(others), rng.choice(_COPIED[other]))[turn // 2 % 4]
        return rng.choice(plain[subset]), f"{target}.jsonl.zst"

    for number in range(amount(EXACT, total)):
        original, file = place(number)
        files[file].append(Entry(f"exact/{number}", "exact-duplicate", original))
    previous = None
    for number in range(amount(CLOSE, total)):
        original, file = place(number)
        if previous and number % 9 == 8:  # a copy of a copy: clusters longer than a pair
            original = previous
        previous = Entry(f"near/{number}", "near-duplicate", original, how=list(NEAR)[number % len(NEAR)])
        files[file].append(previous)


def _plant_records(rng: random.Random, files: dict[str, list[Entry]], total: int) -> None:
    english = [f"{subset}.jsonl.zst" for subset in _COPIED["en"]]
    chinese = [f"{subset}.jsonl.zst" for subset in _COPIED["zh"]]
    anywhere = english + chinese
    for number in range(amount(SPAM, total)):
        language = ("zh", "zh", "en")[number % 3]
        file = rng.choice(chinese if language == "zh" else english)
        files[file].append(Entry(f"spam/{number}", "spam", how=language))
    rare: list[tuple[str, str, list[str]]] = [
        *((how, "", anywhere) for how in BROKEN),
        *(("mojibake", how, chinese) for how in MOJIBAKE),
        *(("foreign", language, anywhere) for language in SENTENCES),
        ("short", "zh", chinese),
        ("short", "en", english),
        ("empty", "", anywhere),
        ("blank", "", anywhere),
        ("link-list", "", anywhere),
    ]
    for kind, how, where in rare:
        for number in range(amount(RARE, total)):
            files[rng.choice(where)].append(Entry(f"{kind}{how and '-' + how}/{number}", kind, how=how))


def _plan_crawl(seed: int, scale: float, news: list[Entry]) -> dict[str, list[Entry]]:
    rng = source(seed, "plan/crawl")
    count = max(_LEAST_PAGES, round(_PAGES * scale))
    warcs = max(_LEAST_WARCS, round(_WARCS * scale))
    sites = max(_SITES, round(_SITES * scale))
    files: list[list[Entry]] = [[] for _ in range(warcs)]
    pages = [Entry(f"crawl/page-{number}", site=number % sites) for number in range(count)]
    for entry in pages:
        rng.choice(files).append(entry)

    def plant(kind: str, how: str, share: tuple[float, int], originals: list[Entry] | None = None) -> None:
        for number in range(amount(share, count)):
            of = rng.choice(originals) if originals else None
            name = f"crawl/{kind}{how and '-' + how}-{number}"
            where = [entries for entries in files if of not in entries] if of else files
            rng.choice(where).append(Entry(name, kind, of, how, _site_for(rng, sites, kind, of)))

    plant("exact-duplicate", "mirrored", MIRRORED, pages)
    plant("near-duplicate", "republished", REPUBLISHED, pages)
    plant("near-duplicate", "republished-record", REPUBLISHED, news)
    plant("spam", "", SPAM_PAGES)
    for language in SENTENCES:
        plant("foreign", language, RARE)
    for how in MOJIBAKE:
        plant("mojibake", how, RARE)
    for kind in ("short", "empty", "link-list", "not-found", "redirect", "image", "text-file", "truncated-http"):
        plant(kind, "", RARE)
    for entries in files:
        rng.shuffle(entries)
    _damage(rng, files, copied={entry.of.name for entries in files for entry in entries if entry.of})
    return {f"crawl/part-{number:05}.warc.gz": entries for number, entries in enumerate(files)}


def _damage(rng: random.Random, files: list[list[Entry]], copied: set[str]) -> None:
    """One file that ends inside a member, one with a flipped byte, one with a member cut short in the middle. No
    page that is `copied` elsewhere is damaged."""
    for entries, kind in zip(files, ("truncated-member", "flipped-byte", "short-member"), strict=False):
        later = range(len(entries) // 4, len(entries) - 1)
        candidates = [at for at in later if entries[at].kind == "plain" and entries[at].name not in copied]
        at = rng.choice(candidates)
        broken = entries.pop(at)._replace(kind=kind)
        entries.insert(len(entries) if kind == "truncated-member" else at, broken)


def _site_for(rng: random.Random, sites: int, kind: str, of: Entry | None) -> int:
    """A site whose language suits what is planted there."""
    wanted = {"mojibake": ("zh",)}.get(kind)
    if kind == "near-duplicate" and of is not None:
        wanted = (ENCODINGS[of.site % len(ENCODINGS)].language,) if of.site >= 0 else ("zh",)
    fits = [n for n in range(sites) if wanted is None or ENCODINGS[n % len(ENCODINGS)].language in wanted]
    return rng.choice([n for n in fits if of is None or n != of.site])
