"""False rejections: what each pack of rules drops of good sets, and in the same run of bad pages.

Good are the documents of `zh/` (of `pile/`: prose) with 100 characters or more, each set by itself. Bad are pages made
from them (`bench/quality/bad.py`), each kind by itself, and texts labelled spam. A rule's share is of the documents
that break it, whichever other rule they break. Packs are asked whatever the language: the English ones show what they
do to Chinese.

`by source` judges a Chinese set by the pack that its kind of text has, where it has one, with the pack
`spam` (`strict`: `spam-strict`), and bad pages by the pack of the language. Sets are parted in two halves, every other
one in alphabetical order: thresholds that are set on one half are to be read on the other.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.quality import bad, sets
from bench.quality.bad import LEAST_CHARS, digest
from bench.spam.planting import records
from stages.packs import PACKS, Pack
from stages.signals import Signals
from stages.spam import Spam

LANGUAGES = ("zh", "en")
BY_SOURCE, STRICT = "by source", "by source, strict"
WITH = {BY_SOURCE: "spam", STRICT: "spam-strict"}
OWN = dict.fromkeys(("manpages-zh", "debian-docs-trad", "tech-lctt", "wiki-oi"), "zh-technical")
OWN |= {"fortunes-zh": "zh-verse"}
NOT_PROSE = ("arxiv_latex", "dm_mathematics", "github", "ubuntu_irc")  # `python -m bench domains` judges them
PUBLISHED_ZH = ("fineweb2-zh", "chinesewebtext", "map-cc")
ASKED = {
    "zh": ("zh", "zh+spam", "zh+spam-strict", BY_SOURCE, STRICT, *PUBLISHED_ZH, "gopher", "c4", "fineweb", "en"),
    "en": ("en", "en+spam", "gopher", "c4", "fineweb", "refinedweb", "mc4"),
}
SPAM = {"zh": ("zh_spam_sms", 20), "en": ("email_spamassassin_labelled", LEAST_CHARS)}
GOOD_LIMIT, BAD_LIMIT = 0.03, 0.90
MADE_OF = 100  # texts of a set that a page of each kind is made of
BATCH_CHARS = 4_000_000
TOP = 4  # rules told of a set

Values = Mapping[str, np.ndarray]


def study(data: Path, most: int) -> dict[str, Any]:
    """most   documents of a set, those of the lowest digests. -> {"most", "languages": {language: ...}}"""
    return {"most": most, "languages": {language: _language(data, language, most) for language in LANGUAGES}}


def _language(data: Path, language: str, most: int) -> dict[str, Any]:
    good = good_sets(data, language, most)
    halves = sets.folds(good)
    pages: dict[str, dict[str, list[str]]] = {}
    for name, texts in good.items():
        for kind, page in bad.bad_pages(texts[:MADE_OF]):
            pages.setdefault(kind, {}).setdefault(name, []).append(page)
    file, least = SPAM[language]
    labelled = sets.labelled(data, file, least)["spam"]
    rows = [_row(name, "good", [half], texts, language) for half, names in enumerate(halves) for name in names
            for texts in [good[name]]]  # fmt: skip
    for kind, by_set in pages.items():
        for half, names in enumerate(halves):
            rows.append(_row(kind, "bad", [half], [p for n in names for p in by_set.get(n, [])], language))
    rows.append(_row("labelled spam", "bad", [0, 1], labelled, language))
    return {"rows": rows, "halves": [list(names) for names in halves]}


def good_sets(data: Path, language: str, most: int) -> dict[str, list[str]]:
    """Documents by set, whole, in the order of their digests."""
    found = {}
    for path in sorted((data / sets.FOLDERS[language]).glob("*.jsonl.zst")):
        name = path.name.partition(".")[0]
        if name not in NOT_PROSE:
            texts = {r["text"] for r in records(path) if len(r["text"]) >= LEAST_CHARS}
            found[name.replace("_", "-")] = sorted(texts, key=digest)[:most]
    return found


def _row(name: str, side: str, halves: list[int], texts: list[str], language: str) -> dict[str, Any]:
    plain, trimmed = measured(texts)
    row: dict[str, Any] = {"name": name, "side": side, "halves": halves, "documents": len(texts), "packs": {}}
    for asked in ASKED[language]:
        rules: dict[str, np.ndarray] = {}
        names = f"{OWN.get(name, language)}+{WITH[asked]}" if asked in WITH else asked
        for pack in names.split("+"):
            values = trimmed if "+" in names else plain
            rules |= {f"{pack}.{rule}": broken for rule, broken in breaks(values, PACKS[pack]).items()}
        dropped = np.any(list(rules.values()), axis=0)
        shares = {rule: float(broken.mean()) for rule, broken in rules.items() if broken.any()}
        alone = np.sum(list(rules.values()), axis=0) == 1
        sole = {rule: float((broken & alone).mean()) for rule, broken in rules.items() if (broken & alone).any()}
        row["packs"][asked] = {"dropped": float(dropped.mean()), "rules": shares, "sole": sole}
    print(
        f"  {language} {side} {name:28} {len(texts):6} {language}: {row['packs'][language]['dropped']:.2%}", flush=True
    )
    return row


def measured(texts: list[str]) -> tuple[Values, Values]:
    """Columns by name: signals of the texts, and of the texts without their edges of spam, with the spam signals."""
    plain: list[pa.RecordBatch] = []
    trimmed: list[pa.RecordBatch] = []
    signals, spam = Signals(), Spam()
    model = spam.load({})
    for some in _batches(texts):
        given = pa.record_batch({"text": pa.array(some, pa.string()), "url": pa.nulls(len(some), pa.string())})
        plain.append(pa.record_batch(dict(signals.apply(given, None))))
        left = spam.apply(given, model)
        again = signals.apply(pa.record_batch({"text": left["text"]}), None)
        names = [name for name in left if name.startswith("spam_") and pa.types.is_floating(left[name].type)]
        names += [name for name in left if name.startswith("spam_") and pa.types.is_integer(left[name].type)]
        trimmed.append(pa.record_batch(dict(again) | {name: left[name] for name in names}))
    return _columns(plain), _columns(trimmed)


def _batches(texts: list[str]) -> Iterable[list[str]]:
    some: list[str] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text)
        if size >= BATCH_CHARS:
            yield some
            some, size = [], 0
    if some:
        yield some


def _columns(batches: list[pa.RecordBatch]) -> Values:
    table = pa.Table.from_batches(batches)
    return {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}


def breaks(values: Values, pack: Pack) -> dict[str, np.ndarray]:
    """Which documents break each rule: (n,) bool by the rule's name. Columns that are not there break nothing."""
    found = {}
    for rule in pack.rules:
        if rule.signal not in values:
            continue
        broken = beyond(values[rule.signal], rule.op, rule.threshold)
        if rule.where is not None:
            broken &= ~beyond(values[rule.where.signal], rule.where.op, rule.where.threshold)
        found[rule.name] = broken
    return found


def beyond(value: np.ndarray, op: str, threshold: float) -> np.ndarray:
    return value < threshold if op == "min" else value > threshold


def bad_share(rows: list[dict[str, Any]], pick: Callable[[dict[str, Any]], float]) -> float:
    """Mean over the kinds of bad page, each of which weighs the same."""
    kinds: dict[str, list[float]] = {}
    for row in rows:
        if row["side"] == "bad":
            kinds.setdefault(row["name"], []).append(pick(row))
    return float(np.mean([np.mean(shares) for shares in kinds.values()]))


def page(record: dict[str, Any]) -> str:
    lines = [
        f"# What packs of rules drop, {record['at'][:10]}",
        "",
        f"`{record['command']}`, commit {record['commit']}.",
    ]
    lines += [
        "",
        f"Good: documents of 100 characters or more, of a set at most {record['most']:,}. Bad: pages made from them, "
        "and labelled spam. `+spam`: after the stage `spam`, with its pack beside; `by source`: so, and each set by "
        f"the pack of its kind ({', '.join(f'{name} {pack}' for name, pack in OWN.items())}). Packs are asked whatever "
        "the language.",
    ]
    for language, found in record["languages"].items():
        asked = ASKED[language]
        for side in ("good", "bad"):
            lines += ["", f"## {language}: share dropped of {side} text", ""]
            lines += [f"| set | half | documents | {' | '.join(asked)} |", "|---" * (len(asked) + 3) + "|"]
            rows = [row for row in found["rows"] if row["side"] == side]
            for row in sorted(rows, key=lambda row: row["name"]):
                cells = [f"{row['packs'][pack]['dropped']:.2%}" for pack in asked]
                half = " ".join(map(str, row["halves"]))
                lines.append(f"| {row['name']} | {half} | {row['documents']:,} | {' | '.join(cells)} |")
            lines.append(f"| **all** | | | {' | '.join(_verdict(rows, pack, side) for pack in asked)} |")
        for pack in (name for name in asked if "+" not in name):
            lines += ["", f"### {language}: rules of `{pack}` that cost most", "", *_costs(found["rows"], pack)]
    return "\n".join(lines) + "\n"


def _verdict(rows: list[dict[str, Any]], pack: str, side: str) -> str:
    if side == "bad":
        share = bad_share(rows, lambda row: row["packs"][pack]["dropped"])
        return f"mean {share:.1%}: {'met' if share >= BAD_LIMIT else 'not met'}"
    over = sum(row["packs"][pack]["dropped"] >= GOOD_LIMIT for row in rows)
    return f"{over} of {len(rows)} sets over {GOOD_LIMIT:.0%}"


def _costs(rows: list[dict[str, Any]], pack: str) -> list[str]:
    lines = ["| set | dropped | rules, share that breaks each (share that breaks no other) |", "|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row["side"] != "good", row["name"], row["halves"])):
        told = row["packs"][pack]
        top = sorted(told["rules"].items(), key=lambda item: (-item[1], item[0]))[:TOP]
        said = ", ".join(
            f"{rule.partition('.')[2]} {share:.2%} ({told['sole'].get(rule, 0):.2%})" for rule, share in top
        )
        lines.append(f"| {row['name']} | {told['dropped']:.2%} | {said} |")
    return lines
