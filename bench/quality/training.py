"""A classifier trained for the study as a user trains one: files, a manifest, `corpus/classifier.py`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

import stages
from corpus import classes, classifier

SEED = 5
_HAN = range(0x4E00, 0xA000)


def write(folder: Path, name: str, texts: list[str]) -> str:
    """-> the name of the file"""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [msgspec.json.encode({"text": text.encode("utf-8", "replace").decode()}) for text in texts]
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(lines) + b"\n" if lines else b"")
    return f"{name}.jsonl"


def train(
    folder: Path,
    learned: Mapping[tuple[str, str], list[str]],
    apart: Mapping[tuple[str, str], list[str]] | None = None,
    model: str = "",
    held_out_share: float = 0.1,
    pairs: bool = False,
) -> dict[str, Any]:
    """Train on `learned`, texts by (source, class), measure on `apart` -> the card. `model`: lines for `[model]`;
    `pairs`: Chinese as overlapping pairs of characters instead of characters."""
    lines = [f'name = "study"\nseed = {SEED}\ngood = "high"\nheld_out_share = {held_out_share}\n']
    for held_out, some in (("false", learned), ("true", apart or {})):
        for (source, of), texts in some.items():
            if texts:
                file = write(folder / "texts", f"{source}-{of}", texts)
                lines.append(
                    f'[[source]]\nname = "{source}-{of}"\nclass = "{of}"\nformat = "jsonl"\nroot = "texts"\n'
                    f'files = ["{file}"]\nheld_out = {held_out}\n'
                )
    manifest = folder / "classes.toml"
    manifest.write_text("".join([*lines, f"[model]\n{model}\n"]), encoding="utf-8")
    stage = stages.Quality(model="")
    asked = classes.load(manifest, stages.Reader)

    def in_pairs(text: pa.Array) -> list[bytes]:
        return [_paired(one) for one in stage.tokens(text)]

    return classifier.train(asked, in_pairs if pairs else stage.tokens, {"stage": stage.kind}, folder)


def _paired(tokens: bytes) -> bytes:
    """Each two neighbouring Han characters as one token, other tokens as they are."""
    out: list[str] = []
    before = ""
    for token in tokens.decode().split(" "):
        if len(token) == 1 and ord(token) in _HAN:
            out += [before + token] if before else []
            before = token
        else:
            out.append(token)
            before = ""
    return " ".join(out).encode()
