"""Train the tokenizer that ships with the project: SentencePiece unigram, 16,000 pieces, Chinese, English and code.

    python scripts/train_tokenizer.py [--out tokenizers/zh-en-16k] [--seed 20260]

It learns from the sample corpus of `sampledata` (all subsets, a bounded number of bytes each), whose English and Python
documents include the interpreter's own help topics and library sources. Every sentence counts once, and runs of
ideographs are shown two at a time: the sample repeats its phrases far more often than people do, and whole ones would
become pieces ("中午在老乡家吃了"). On ten texts that are not of the sample, Chinese, English and code, it saves 1 to
3 tokens of 100; with three at a time Chinese gains 4 more of 100 and English loses 4.

One thread, sentences from an iterator and the model into a writer: the same Python, SentencePiece and seed give the
same bytes, whatever the files are called.

What the model guarantees is in `settings`; `stages/encode.py` adds the last exception, U+2581.
"""

import argparse
import hashlib
import io
import platform
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import sentencepiece

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, from anywhere

from sampledata.documents import SUBSETS, document, names

EOD = "<eod>"
EOD_ID = 1
SENTENCE_CHARS = 1000  # longer lines are cut: SentencePiece drops sentences over 4,192 bytes
BYTES = {"zh": 700_000, "pile": 500_000, "pile/github": 1_800_000, "pile/python-docs": 1_200_000}
ENDS = re.compile(r"(?<=[。！？；])|\n")
HAN_RUN = re.compile("[\u4e00-\u9fff]{3,}")
HAN_CHARS = 2

PUNCTUATION = "，。、；：？！…—·～“”‘’「」『』《》〈〉（）【】［］｛｝　％＋－×÷＝＜＞／＠＃＆＊￥°℃№§"


def gb2312_level_1() -> str:
    """The 3,755 most used ideographs, rows 16 to 55 of GB 2312-80: bytes B0A1 to D7F9."""
    codes = [bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return b"".join(code for code in codes if code <= b"\xd7\xf9").decode("gb2312")


def settings(vocab_size: int) -> dict[str, object]:
    return {
        "model_type": "unigram",
        "vocab_size": vocab_size,
        # No text is changed and every text can be written: what is no piece is spelled in bytes.
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "byte_fallback": True,
        "allow_whitespace_only_pieces": True,
        "split_digits": True,
        "user_defined_symbols": ["\n", "\t"],  # one token each, wherever they stand
        "required_chars": gb2312_level_1() + PUNCTUATION,
        "character_coverage": 0.9995,
        # A document ends with <eod>; text that spells it out is not it, for it is a control symbol.
        "unk_id": 0,
        "eos_id": EOD_ID,
        "eos_piece": EOD,
        "bos_id": -1,
        "pad_id": -1,
        "num_threads": 1,
        "minloglevel": 1,
    }


def shown(sentence: str, phase: int) -> Iterator[str]:
    """`sentence` in stretches as the trainer gets to see them: cut in its runs of ideographs after `phase` (1 or 2) of
    them and after every second one from there, so that over the sentences every place of a phrase comes to be cut; and
    after every thousand characters."""
    start = 0
    for run in HAN_RUN.finditer(sentence):
        for cut in range(run.start() + phase, run.end(), HAN_CHARS):
            yield from pieces(sentence[start:cut])
            start = cut
    yield from pieces(sentence[start:])


def pieces(stretch: str) -> Iterator[str]:
    return (stretch[at : at + SENTENCE_CHARS] for at in range(0, len(stretch), SENTENCE_CHARS))


def sentences(seed: int) -> Iterator[str]:
    """Distinct sentences of the sample, in its order; leading white space stays, for code."""
    seen: set[bytes] = set()
    for subset in SUBSETS:
        left = BYTES.get(subset, BYTES[subset.split("/")[0]])
        for name in names(seed, subset, scale=4.0):
            for sentence in ENDS.split(document(seed, name).text):
                data = sentence.encode()
                digest = hashlib.blake2b(data.strip(), digest_size=16).digest()
                if not data.strip() or digest in seen:
                    continue
                seen.add(digest)
                left -= len(data)
                yield from shown(sentence, digest[0] % HAN_CHARS + 1)
            if left <= 0:
                break


def train(stream: Iterable[str], vocab_size: int) -> tuple[bytes, dict[str, object]]:
    """-> the model, and what it learned from."""
    taken = hashlib.sha256()
    count = text_bytes = 0

    def feed() -> Iterator[str]:
        nonlocal count, text_bytes
        for sentence in stream:
            data = sentence.encode()
            taken.update(data + b"\n")
            count += 1
            text_bytes += len(data)
            yield sentence

    writer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=feed(), model_writer=writer, **settings(vocab_size))
    return writer.getvalue(), {"sentences": count, "text_bytes": text_bytes, "text_sha256": taken.hexdigest()}


def card(name: str, seed: int, vocab_size: int, model: bytes, learned: dict[str, object]) -> str:
    """The model's card, as TOML."""
    return f"""\
name = "{name}"
description = "SentencePiece unigram for Chinese, English and Python code, byte fallback, lossless"
model = "tokenizer.model"
sha256 = "{hashlib.sha256(model).hexdigest()}"
vocab_size = {vocab_size}
unk_id = 0
eod_id = {EOD_ID}
eod_piece = "{EOD}"
licence = "Apache-2.0"

[training]
command = "python scripts/train_tokenizer.py --out tokenizers/{name} --seed {seed}"
data = "sampledata, all subsets, distinct sentences; its pile/github and pile/python-docs are Python's library and help"
data_licence = "Apache-2.0 (sampledata), PSF-2.0 (Python)"
seed = {seed}
sentences = {learned["sentences"]}
text_bytes = {learned["text_bytes"]}
text_sha256 = "{learned["text_sha256"]}"
required_chars = "GB 2312 level 1 (3,755 ideographs) and {len(PUNCTUATION)} marks of punctuation"
python = "{platform.python_version()}"
sentencepiece = "{sentencepiece.__version__}"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the tokenizer that ships with the project.")
    parser.add_argument("--out", type=Path, default=Path("tokenizers/zh-en-16k"))
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--vocab-size", type=int, default=16_000)
    arguments = parser.parse_args()
    started = time.perf_counter()
    model, learned = train(sentences(arguments.seed), arguments.vocab_size)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "tokenizer.model").write_bytes(model)
    name = arguments.out.name
    (arguments.out / "card.toml").write_text(card(name, arguments.seed, arguments.vocab_size, model, learned))
    seconds = time.perf_counter() - started
    print(f"{arguments.out}: {len(model):,} bytes, {learned['text_bytes']:,} bytes of text, {seconds:.0f} s")


if __name__ == "__main__":
    main()
