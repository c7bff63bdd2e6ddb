"""Train the tokenizer that ships with the project: SentencePiece unigram, 16,000 pieces, Chinese, English and code.

    python scripts/train_tokenizer.py [--out tokenizers/zh-en-16k] [--seed 20260]

`corpus tokenizer train` learns from survivors of a build, chosen by hashes of their ids. This model is older: it takes
documents of `sampledata` in their order until each subset has given its bytes. Its ids stand in builds and golden
files, and a model of the command on the same data needs 0.4 to 1.3 more tokens of 100
(`docs/decisions/0021-tokenizers.md`), so the way to make it again stays. Trainer, settings and sentences are those of
the command; here is only the choice of text.

English and Python documents include the interpreter's own help topics and library sources. Every sentence counts once,
and runs of ideographs are shown two at a time: the sample repeats its phrases far more often than people do, and whole
ones would become pieces ("中午在老乡家吃了"). On ten texts that are not of the sample, Chinese, English and code, it
saves 1 to 3 tokens of 100; with three at a time Chinese gains 4 more of 100 and English loses 4.

The same Python, SentencePiece and seed give the same bytes.
"""

import argparse
import hashlib
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import sentencepiece

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, from anywhere

from corpus.sentences import Sentences
from corpus.tokenizer_card import written
from corpus.tokenizer_train import CARD, EOD_ID, MODEL, UNKNOWN_ID, Learned, train
from corpus.tokenizer_training import Training
from sampledata.documents import SUBSETS, document, names

ASKED = Training(model="unigram", vocab_size=16_000, han_chars=2)
BYTES = {"zh": 700_000, "pile": 500_000, "pile/github": 1_800_000, "pile/python-docs": 1_200_000}


def stretches(seed: int, asked: Training = ASKED) -> Iterator[str]:
    """What the trainer is shown of the sample, in its order."""
    sentences = Sentences(asked)
    for subset in SUBSETS:
        left = BYTES.get(subset, BYTES[subset.split("/")[0]])
        for name in names(seed, subset, scale=4.0):
            for sentence, phase in sentences.of(document(seed, name).text):
                left -= len(sentence.encode())
                yield from sentences.shown(sentence, phase)
            if left <= 0:
                break


def card(name: str, seed: int, model: bytes, learned: Learned) -> str:
    """The model's card, as TOML."""
    return written(
        {
            "name": name,
            "description": "SentencePiece unigram for Chinese, English and Python code, byte fallback, lossless",
            "model": MODEL,
            "sha256": hashlib.sha256(model).hexdigest(),
            "vocab_size": ASKED.vocab_size,
            "unk_id": UNKNOWN_ID,
            "eod_id": EOD_ID,
            "eod_piece": ASKED.eod,
            "licence": "Apache-2.0",
            "training": {
                "command": f"python scripts/train_tokenizer.py --out tokenizers/{name} --seed {seed}",
                "data": "sampledata, all subsets, distinct sentences; its pile/github and pile/python-docs are "
                "Python's library and help",
                "data_licence": "Apache-2.0 (sampledata), PSF-2.0 (Python)",
                "seed": seed,
                "sentences": learned.sentences,
                "text_bytes": learned.text_bytes,
                "text_sha256": learned.text_sha256,
                "required_chars": "GB 2312 level 1 (3,755 ideographs) and 50 marks of punctuation",
                "python": platform.python_version(),
                "sentencepiece": sentencepiece.__version__,
            },
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the tokenizer that ships with the project.")
    parser.add_argument("--out", type=Path, default=Path("tokenizers/zh-en-16k"))
    parser.add_argument("--seed", type=int, default=20260)
    arguments = parser.parse_args()
    started = time.perf_counter()
    model, learned = train(stretches(arguments.seed), ASKED)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / MODEL).write_bytes(model)
    (arguments.out / CARD).write_text(card(arguments.out.name, arguments.seed, model, learned), encoding="utf-8")
    seconds = time.perf_counter() - started
    print(f"{arguments.out}: {len(model):,} bytes, {learned.text_bytes:,} bytes of text, {seconds:.0f} s")


if __name__ == "__main__":
    main()
