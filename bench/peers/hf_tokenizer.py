"""A byte-level BPE tokenizer of 16,000 entries, trained on the first megabytes of the input.

There is nothing to download in a benchmark that runs offline. Speed depends on the algorithm and the text far more
than on which entries were learned.
"""

from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TRAINING_CHARS = 4_000_000
VOCABULARY = 16_000
END = "<|endoftext|>"


def train(texts: list[str], path: Path) -> Tokenizer:
    """Train on `texts` and save to `path`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_first(texts), trainer)
    tokenizer.save(str(path))
    return tokenizer


def _first(texts: list[str]) -> list[str]:
    chosen, size = [], 0
    for text in texts:
        if size >= TRAINING_CHARS:
            break
        chosen.append(text[:200_000])
        size += len(chosen[-1])
    return chosen
