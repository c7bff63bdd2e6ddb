"""Models for `bench encode` and `encode-bpe`: one SentencePiece file for all sides, and the same as `tokenizer.json`.

The BPE model is made for the occasion, with the settings of the model that ships, from the project's sample documents
and the beginning of the input: nothing can be downloaded. The conversion is the usual one (`SpmConverter` of
transformers): pieces with their scores; for BPE every way to put a piece together from two others is a merge, the best
piece first. Words are cut at spaces beforehand, which lets the peer's cache of words work; no piece crosses that place.
"""

import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench import inputs
from stages.pieces import BPE, BYTE, CONTROL, SPACE_MARK, UNKNOWN, Pieces, piece_scores, read

VOCABULARY = 32_000
_SAMPLE_BYTES, _INPUT_BYTES = 600_000, 4_000_000
_SUBSETS = ("pile/wikipedia-en", "pile/stackexchange", "pile/github", "zh/news", "zh/encyclopedia", "zh/questions")


def prepared(work: str, tokenizer: Path, paths: list[Path], scratch: Path) -> Path:
    """The model that a work encodes with, `encode.model`, and its twin `encode.json`, in `scratch`."""
    scratch.mkdir(parents=True, exist_ok=True)
    place = scratch / "encode.model"
    place.write_bytes(bpe(paths) if work == "encode-bpe" else tokenizer.read_bytes())
    place.with_suffix(".json").write_text(json.dumps(converted(read(place.read_bytes()))), encoding="utf-8")
    return place


def bpe(paths: list[Path]) -> bytes:
    """A model of BPE, learned from the samples and the beginnings of `paths`."""
    from sentencepiece import SentencePieceTrainer

    out = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=lines(paths),
        model_writer=out,
        model_type="bpe",
        vocab_size=VOCABULARY,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        byte_fallback=True,
        allow_whitespace_only_pieces=True,
        split_digits=True,
        user_defined_symbols=["\n", "\t"],
        eos_piece="<eod>",
        num_threads=1,
        minloglevel=2,
    )
    return out.getvalue()


def lines(paths: list[Path]) -> Iterator[str]:
    """What models learn from."""
    from sampledata.documents import document, names

    for subset in _SUBSETS:
        yield from _until((document(0, name).text for name in islice(names(0, subset, 1.0), 2000)), _SAMPLE_BYTES)
    for path in paths:
        yield from _until(iter(inputs.documents(path)), _INPUT_BYTES // len(paths))


def _until(texts: Iterator[str], most: int) -> Iterator[str]:
    for text in texts:
        for line in filter(None, text.split("\n")):
            yield line[:1000]
            most -= len(line.encode())
            if most <= 0:
                return


def converted(pieces: Pieces) -> dict[str, Any]:
    """A `tokenizer.json`."""
    texts = [text.decode() for text in pieces.texts]
    unknown = next(number for number, kind in enumerate(pieces.kinds) if kind == UNKNOWN)
    marks = [number for number, kind in enumerate(pieces.kinds) if kind in (CONTROL, UNKNOWN)]
    if pieces.model == BPE:
        kinds = (CONTROL, UNKNOWN, BYTE)
        mergeable = (
            number for number, text in enumerate(texts) if pieces.kinds[number] not in kinds and " " not in text
        )
        own = {texts[number]: number for number in mergeable}
        ways = [
            (-pieces.scores[number], own[text[:cut]], own[text[cut:]], text[:cut], text[cut:])
            for text, number in own.items()
            for cut in range(1, len(text))
            if text[:cut] in own and text[cut:] in own
        ]
        merges = [f"{left} {right}" for *_, left, right in sorted(ways)]  # as older versions read them, too
        model = {"type": "BPE", "unk_token": texts[unknown], "fuse_unk": True, "byte_fallback": pieces.byte_fallback}
        model |= {"vocab": {text: number for number, text in enumerate(texts)}, "merges": merges}
        model |= {"dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    else:
        scores, _ = piece_scores(pieces)
        vocabulary = [[text, float(score)] for text, score in zip(texts, scores, strict=True)]
        model = {"type": "Unigram", "unk_id": unknown, "vocab": vocabulary, "byte_fallback": pieces.byte_fallback}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    words = {"Regex": f"{SPACE_MARK}+[^{SPACE_MARK}]*|[^{SPACE_MARK}]+"}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": texts[number], **flags} for number in marks],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE_MARK},
        "pre_tokenizer": {"type": "Split", "pattern": words, "behavior": "Isolated", "invert": False},
        "post_processor": None,
        "decoder": None,
        "model": model,
    }
