"""The studies: what is measured once and told on a page of its own, from a folder of labelled data.

A study is an entry here and a package that says what it does: `study` does it, `page` shows it.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import encode_ids
from bench.charset import page as charset_page
from bench.charset import study as charset
from bench.decontamination import page as decontamination_page
from bench.decontamination import study as decontamination
from bench.dedup import page as dedup_page
from bench.dedup import shingle_size
from bench.dedup import study as dedup
from bench.domains import page as domains_page
from bench.domains import study as domains
from bench.launch import ROOT
from bench.lid_quality import study as lid_quality
from bench.main_text import page as main_text_page
from bench.main_text import study as main_text
from bench.quality import page as quality_page
from bench.quality import sets as quality_sets
from bench.quality import study as quality
from bench.repair import page as repair_page
from bench.repair import study as repair
from bench.rules import agreement as rule_agreement
from bench.rules import packs as rule_packs
from bench.spam import page as spam_page
from bench.spam import study as spam

PEERS_PYTHON = ROOT / "build" / "peers-venv" / "bin" / "python"
DOLMA_PYTHON = ROOT / "build" / "dolma-venv" / "bin" / "python"
LID_MODEL = "lid.176.ftz"


@dataclass(frozen=True)
class Study:
    """`data` names the package whose files `--data` holds; `options` adds what else can be chosen, `run` gets it with
    an empty folder and returns what the record and the page tell."""

    about: str
    data: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Path], dict[str, Any]]
    page: Callable[[dict[str, Any]], str]


def peers_python(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers-python", default=str(PEERS_PYTHON), help="interpreter made by bench/peers.sh")


def _peers(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    parser.add_argument("--peers", nargs="*", choices=names, default=names, help="none: `--peers` alone")
    peers_python(parser)


def _dedup_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of documents")
    parser.add_argument("--seed", type=int, default=0, help="another one plants other documents, copied otherwise")
    parser.add_argument("--planted", type=Path, help="keep the planted set here, and use it where it is there already")
    parser.add_argument("--options", default="", help="lines for the manifest's `dedup` stage")
    _peers(parser, dedup.PEERS)


def _dedup(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    planted = (chosen.planted or scratch / "planted").resolve()
    found = dedup.study(
        chosen.data, scratch, planted, chosen.peers, chosen.peers_python, chosen.scale, chosen.seed, chosen.options
    )
    return {"scale": chosen.scale, "seed": chosen.seed} | found


def _decontamination_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--each", type=int, default=150, help="items that are planted in each way")
    _peers(parser, decontamination.PEERS)


def _decontamination(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    found = decontamination.study(chosen.data, scratch, chosen.peers, chosen.peers_python, chosen.each)
    return {"each": chosen.each} | found


def _charset_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pieces", type=int, default=20, help="made samples of a language, a charset and a length")
    _peers(parser, charset.PEERS)


def _charset(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    found = charset.study(chosen.data, scratch, chosen.peers, chosen.peers_python, chosen.pieces)
    return {"pieces": chosen.pieces} | found


def _repair_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--each", type=int, default=60, help="documents of a file that are damaged")
    peers_python(parser)


def _repair(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return {"each": chosen.each} | repair.study(chosen.data, scratch, chosen.peers_python, chosen.each)


def _main_text(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return main_text.study(chosen.data, scratch, chosen.peers_python)


def _spam_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--half", type=int, choices=[0, 1], default=spam.REPORTED, help="0: what was developed on")


def _spam(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return spam.study(chosen.data, chosen.half)


def _domains_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--half", type=int, choices=[0, 1], default=domains.REPORTED, help="0: what was developed on")


def _domains(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return domains.study(chosen.data, chosen.half)


def _classifier_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--texts", type=int, default=quality_sets.MOST_TEXTS, help="of a source, at most")
    parser.add_argument("--no-kinds-apart", action="store_true", help="without the turns that keep a kind of page away")


def _classifier(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return quality.study(chosen.data, scratch, chosen.texts, not chosen.no_kinds_apart)


def _lid_options(parser: argparse.ArgumentParser) -> None:
    _peers(parser, tuple(name for name in lid_quality.TOOLS if name != "ours"))


def _lid(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    from corpus.assets import find

    model = (chosen.lid_model or find(LID_MODEL)).resolve()
    return lid_quality.study(chosen.data, scratch, model, chosen.peers, chosen.peers_python)


def _agreement_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=10_000, help="of each language")
    parser.add_argument("--chars", type=int, default=4_000, help="where a document is cut")
    peers_python(parser)


def _agreement(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return rule_agreement.study(chosen.data, scratch, chosen.peers_python, chosen.documents, chosen.chars)


def _packs_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--documents", type=int, default=2_000, help="of a set, at most")


def _packs(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return rule_packs.study(chosen.data, chosen.documents)


def _no_options(parser: argparse.ArgumentParser) -> None:
    """Nothing can be chosen."""


def _encode_ids(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    from corpus.assets import find

    return encode_ids.study(chosen.data, (chosen.tokenizer or find("tokenizers/zh-en-16k", ROOT)).resolve())


def _shingles(chosen: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    return shingle_size.study(chosen.data)


STUDIES = {
    "dedup": Study("quality of dedup on planted truth; beside peers", "dedup", _dedup_options, _dedup, dedup_page.page),
    "decontamination": Study(
        "planted benchmark items found, clean text left; beside datatrove",
        "decontamination",
        _decontamination_options,
        _decontamination,
        decontamination_page.page,
    ),
    "shingles": Study(
        "what edits leave of shingles of every length", "dedup", _no_options, _shingles, shingle_size.page
    ),
    "encode-ids": Study(
        "ids of `encode` beside sentencepiece's, on every text",
        "encode_ids.py",
        _no_options,
        _encode_ids,
        encode_ids.page,
    ),
    "charset": Study(
        "charsets of labelled and made pages; beside peers", "charset", _charset_options, _charset, charset_page.page
    ),
    "main-text": Study(
        "main text of pages with gold text; beside peers", "main_text", peers_python, _main_text, main_text_page.page
    ),
    "repair": Study(
        "planted damage undone, clean text kept; beside ftfy", "repair", _repair_options, _repair, repair_page.page
    ),
    "spam": Study("spam around good text, pages of spam, clean sets", "spam", _spam_options, _spam, spam_page.page),
    "domains": Study(
        "sets of the Pile by the packs of their domains", "domains", _domains_options, _domains, domains_page.page
    ),
    "classifier": Study(
        "a learned score beside rules, on sources it did not learn from",
        "quality",
        _classifier_options,
        _classifier,
        quality_page.page,
    ),
    "rule-agreement": Study(
        "every rule beside datatrove's: verdicts and values",
        "rules",
        _agreement_options,
        _agreement,
        rule_agreement.page,
    ),
    "rule-packs": Study(
        "what packs of rules drop of good and of bad text", "rules", _packs_options, _packs, rule_packs.page
    ),
    "lid-quality": Study(
        "language ID on labelled text; beside peers", "lid_quality", _lid_options, _lid, lid_quality.page
    ),
}
