"""Planting: which copies of which documents, under which names; everything follows from the ids of the originals.

Each kind takes originals of its own, so that a pair of one kind cannot be found through a copy of another.
"""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.dedup import edits, templates
from bench.dedup.boilerplate import Site, sites
from bench.dedup.edits import Material, aimed, in_blocks, scattered
from bench.dedup.originals import Original, order
from bench.dedup.truth import Simplify, as_is, jaccard, shingles, units

BINS = ((0.70, 0.75), (0.75, 0.80), (0.80, 0.85), (0.85, 0.90), (0.90, 0.95), (0.95, 1.0))
FREE, BINNED = 100, 400  # pairs per bin below the threshold, and from it on
TEMPLATES = ((5, 8), (20, 8), (100, 4))  # pages of each, how many
TEMPLATE_TWINS = 0.1  # of template pages, how many have a copy with 1% of edits
FORMS, FORM_PAGES = 12, 20
FAMILIES, FAMILY = 5, 100
ALONE, SHORTS, EMPTY = 300, 500, 30
LEAST_UNITS = 40  # words or Han characters of an original
PASSAGES = 0.08  # of the originals, kept back for what is put into copies, templates and forms

Make = Callable[[str, random.Random], list[str]]  # -> copies; those equal to the text are not planted


@dataclass
class Planted:
    """A document as planted. `family` is shared with its copies; `role` is `original` or `copy`."""

    text: str
    kind: str
    family: str
    role: str
    id: str = ""


@dataclass
class Planting:
    """Everything that is made for one language, and how much of what was asked for could be made."""

    material: Material
    places: list[Site]
    originals: deque[Original]
    simplify: Simplify = as_is
    scale: float = 1.0
    documents: list[Planted] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)

    def count(self, asked: int) -> int:
        return max(1, round(asked * self.scale))

    def copies(self, kind: str, asked: int, make: Make, fits: Callable[[str], bool] = bool) -> None:
        """Originals of a kind with their copies. One of which nothing can be made is left for the kinds after it."""
        left = self.count(asked)
        self.made[kind] = 0
        unfit = []
        while left and self.originals:
            original = self.originals.popleft()
            found = []
            if fits(original.text):
                rng = random.Random(f"{kind}/{original.id}")
                found = [copy for copy in make(original.text, rng) if copy != original.text or kind == "exact"]
            if not found:
                unfit.append(original)
                continue
            self.plant(kind, original.id, original.text, found)
            left -= 1
            self.made[kind] += 1
        self.originals.extendleft(reversed(unfit))

    def alone(self) -> None:
        """Originals without a copy."""
        for _ in range(min(self.count(ALONE), len(self.originals))):
            original = self.originals.popleft()
            self.plant("alone", original.id, original.text, [])

    def plant(self, kind: str, family: str, text: str, found: list[str]) -> None:
        self.documents.append(Planted(text, kind, family, "original"))
        self.documents.extend(Planted(copy, kind, family, "copy") for copy in found)

    def apart(self, kind: str, name: str, texts: list[str]) -> None:
        """Documents that are each a family."""
        for number, text in enumerate(texts):
            self.plant(kind, f"{name}/{number}", text, [])


def plant(
    found: list[Original],
    language: str,
    scale: float = 1.0,
    simplify: Simplify = as_is,
    mirrors: dict[str, Callable[[str], str]] | None = None,
) -> Planting:
    """Everything, in the order of the ids that it gives, which are hashes. `found` are unlike (`originals.apart`)."""
    found = [o for o in found if len(edits.editable(edits.tokens(o.text, language), language)) >= LEAST_UNITS]
    back = max(20, round(PASSAGES * len(found)))
    passages = sorted((original.text for original in found[:back]), key=len)
    material = Material(language, _vocabulary(passages, language), passages)
    titles = list(dict.fromkeys(_title(text) for text in passages))
    planting = Planting(material, sites(language, titles), deque(found[back:]), simplify, scale)
    _templates(planting)
    _shorts(planting)
    _bins(planting)
    _edits(planting)
    _surface(planting, mirrors or {})
    _boilerplate(planting)
    _families(planting)
    planting.alone()
    for number, document in enumerate(planting.documents):
        document.id = f"{language}-{order(f'{document.family}/{document.role}/{number}').hex()}"
    planting.documents.sort(key=lambda document: document.id)
    return planting


def _vocabulary(passages: list[str], language: str) -> list[str]:
    found = (edits.tokens(text, language) for text in passages)
    words = [part[at] for part in found for at in edits.editable(part, language)]
    return words[:: max(1, len(words) // 50_000)]


def _title(text: str) -> str:
    """The first line that says something, cut to the length of a title."""
    line = next((line.strip() for line in text.split("\n") if len(line.strip()) >= 12), text.strip())
    return line[:60].rsplit(" ", 1)[0] if " " in line[:60] else line[:24]


def _templates(planting: Planting) -> None:
    material, language = planting.material, planting.material.language
    rng = random.Random(f"templates/{planting.originals[0].id}")
    frames = [text for text in material.passages if len(text) >= templates.FRAME_CHARS[0]]
    fresh = templates.snippets(rng.sample(material.passages, len(material.passages)), language)
    rng.shuffle(frames)
    at = 0
    for size, asked in TEMPLATES:
        for _ in range(planting.count(asked)):
            made = templates.pages(frames[at % len(frames)], size, fresh, rng, language)
            twins = set(rng.sample(range(size), max(1, round(TEMPLATE_TWINS * size))))
            for number, page in enumerate(made):
                copies = [edits.share(0.01)(page, material, rng)] if number in twins else []
                planting.plant(f"template-{size}", f"template/{at}/{number}", page, copies)
            at += 1
    for _ in range(planting.count(FORMS)):
        made = templates.forms(frames[at % len(frames)], FORM_PAGES, material, rng)
        planting.apart(f"form-{FORM_PAGES}", f"form/{at}", made)
        at += 1


def _shorts(planting: Planting) -> None:
    """Beginnings of lines, no two alike; and documents without a word."""
    language = planting.material.language
    rng = random.Random(f"shorts/{planting.originals[0].id}")
    seen: set[frozenset[str]] = set()
    made = []
    asked = planting.count(SHORTS)
    for text in planting.material.passages * 4:
        for line in text.split("\n"):
            found = edits.tokens(line.strip(), language)
            places = edits.editable(found, language)
            size = rng.randint(1, 12 if language == "en" else 20)
            if len(made) < asked and len(places) > size:
                short = "".join(found[: places[size]]).strip()
                key = frozenset(shingles(units(short, planting.simplify)))
                if key and not any(jaccard(set(key), set(other)) >= 0.5 for other in seen if key & other):
                    seen.add(key)
                    made.append(short)
    planting.apart("short", "short", made)
    marks = "。！？…—·※★○●" if language == "zh" else "!?.…-–*#~=+"
    empty = [rng.choice(marks) * n for n in range(1, planting.count(EMPTY) + 1)]
    planting.apart("no-words", "no-words", empty)


def _bins(planting: Planting) -> None:
    for low, high in BINS:
        for way, edit in (("scattered", scattered), ("blocks", in_blocks)):
            asked = (BINNED if low >= 0.8 else FREE) // 2
            # A document too short for a bin has no copy there: one edit would take it further.
            least = 700 if high > 0.9 else 0

            def make(text: str, rng: random.Random, low: float = low, high: float = high, edit=edit) -> list[str]:  # type: ignore[no-untyped-def]
                return [aimed(text, low, high, edit, planting.material, rng, planting.simplify)]

            planting.copies(f"{way}-{low:.2f}", asked, make, lambda text, least=least: len(text) >= least)


def _edits(planting: Planting) -> None:
    material = planting.material
    for percent, asked in ((1, 200), (3, 200), (5, 200), (10, 100)):
        edit = edits.share(percent / 100)
        planting.copies(f"edit-{percent}%", asked, lambda text, rng, edit=edit: [edit(text, material, rng)])
    planting.copies("reordered", 200, lambda text, rng: [edits.reordered(text, rng)])
    planting.copies("renumbered", 200, lambda text, rng: [edits.renumbered(text, rng)])
    planting.copies("exact", 200, lambda text, rng: [text])


def _surface(planting: Planting, mirrors: dict[str, Callable[[str], str]]) -> None:
    ways: dict[str, Callable[[str, random.Random], str]] = {"punctuation": edits.repunctuated}
    if planting.material.language == "en":
        ways |= {"case": edits.recased, "white-space": edits.respaced}
    else:
        ways |= {"width": edits.widened}
    for name, way in ways.items():
        planting.copies(name, 100, lambda text, rng, way=way: [way(text, rng)])
    for name, convert in mirrors.items():
        planting.copies(f"mirror-{name}", 150, lambda text, rng, convert=convert: [convert(text)])


def _boilerplate(planting: Planting) -> None:
    for low, high in ((2, 5), (5, 10), (10, 15)):

        def make(text: str, rng: random.Random, low: int = low, high: int = high) -> list[str]:
            return [rng.choice(planting.places).around(text, rng.uniform(low, high) / 100, rng)]

        planting.copies(f"boilerplate-{low}-{high}%", 150, make)

    def mirrored(text: str, rng: random.Random) -> list[str]:
        return [site.around(text, rng.uniform(0.02, 0.08), rng) for site in rng.sample(planting.places, 3)]

    planting.copies("boilerplate-3-sites", 80, mirrored)


def _families(planting: Planting) -> None:
    """Copies that were edited, renumbered or put on a site, each on its own."""
    material = planting.material

    def noisy(text: str, rng: random.Random) -> str:
        way = rng.randrange(6)
        if way == 0:
            return rng.choice(planting.places).around(text, rng.uniform(0.01, 0.04), rng)
        if way == 1:
            return edits.renumbered(text, rng)
        return edits.share(rng.choice((0.002, 0.005, 0.01, 0.02)))(text, material, rng)

    def make(text: str, rng: random.Random) -> list[str]:
        return [noisy(text, rng) for _ in range(FAMILY)]

    planting.copies(f"family-{FAMILY}", FAMILIES, make, lambda text: len(text) >= 1_500)
