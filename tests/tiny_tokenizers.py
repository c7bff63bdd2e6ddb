"""Tokenizers that tests train themselves, on a page of text: byte-level BPE, and the same merges as ranks of tiktoken."""

import base64
import io
import json
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

PAGE = (
    ["The quick brown fox doesn't jump over 12345 lazy dogs.", "我们在这里说明，本公司的产品已经上市！"] * 20
    + ["def f(x):\n\treturn [x['键'] for _ in range(10)]  # 注释\n"] * 20
    + ["the cat sat on the mat and the dog sat on the log. 今天的天气很好，我们去公园。"] * 20
)
# GPT-2's pattern, Radford et al. 2019, as tiktoken writes it.
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
END = "<|endoftext|>"


def byte_level(path: Path, vocab_size: int = 400, special: bool = True) -> Tokenizer:
    """GPT-2's sort of BPE, written to `path`/tokenizer.json; `special`: whether its mark is a special token there."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        PAGE,
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            special_tokens=[AddedToken(END, special=True)],
            show_progress=False,
        ),
    )
    told = json.loads(made.to_str())
    told["added_tokens"][0]["special"] = special
    path.mkdir(parents=True, exist_ok=True)
    (path / "tokenizer.json").write_text(json.dumps(told))
    return Tokenizer.from_str(json.dumps(told))


def ranks(path: Path, vocab_size: int = 400) -> Path:
    """The vocabulary of `byte_level` as ranks, with a card, in the folder `path`."""
    made = byte_level(path / "made", vocab_size)
    own = {letter: byte for byte, letter in _letters().items()}
    pieces = sorted((number, piece) for piece, number in made.get_vocab().items() if piece != END)
    lines = [
        base64.b64encode(bytes(own[letter] for letter in piece)) + b" %d\n" % (number - 1) for number, piece in pieces
    ]
    (path / "tiny.tiktoken").write_bytes(b"".join(lines))
    card = f"model = \"tiny.tiktoken\"\n\n[encode]\neod = \"{END}\"\npattern = '''{PATTERN}'''\n"
    (path / "card.toml").write_text(card + f'special = {{ "{END}" = {vocab_size} }}\n')
    return path


def pieces(path: Path, **settings: object) -> Path:
    """A SentencePiece model, in the file `path`."""
    writer = io.BytesIO()
    usual = {
        "model_type": "bpe",
        "vocab_size": 400,
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True,
        "user_defined_symbols": ["\n", "\t"],
        "num_threads": 1,
        "minloglevel": 2,
        "hard_vocab_limit": False,
    }
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(PAGE), model_writer=writer, **(usual | settings))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(writer.getvalue())
    return path


def _letters() -> dict[int, str]:
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    out, next_one = {}, 0x100
    for byte in range(256):
        if byte in printed:
            out[byte] = chr(byte)
        else:
            out[byte], next_one = chr(next_one), next_one + 1
    return out
