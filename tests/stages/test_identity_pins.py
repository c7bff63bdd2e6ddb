"""Pinned: the defaults of every stage, by revision. Where one changes and the revision does not, tables built before
would be taken for fresh. (What the packs of a judge hold is part of its identity.)"""

import hashlib
from typing import Any, get_args

import msgspec
import pytest

import stages
from corpus.identity import parameters

PINS = {
    "Extract": "2:94eff711f5cba6cf",
    "Repair": "1:2e7f7ed01b117ad0",
    "Spam": "1:04573a2a9671ea4c",
    "Trim": "1:36ece72a5025b5d8",
    "Pii": "1:be21588c1baabc3c",
    "Convert": "1:e89ccc4116a1d21b",
    "Normalise": "1:afa746e54f82cb83",
    "Split": "1:17a8728b58d6e11f",
    "Lid": "3:992885bd130475aa",
    "Signals": "3:2e7f7ed01b117ad0",
    "Domains": "1:2e7f7ed01b117ad0",
    "Fields": "1:7de35c3f809f6645",
    "Quality": "1:65bca4a61fb333e7",
    "Perplexity": "1:4a0e7b1c391d7ff2",
    "Sensitive": "1:496ff2f97e670966",
    "Sign": "3:2544517a59d6ebee",
    "Judge": "2:554c014405a4e6f9",
    "DedupUrls": "1:a989dd5b3be6cce4",
    "Dedup": "4:bf8294c5d1d42440",
    "Heldout": "1:f64a09a2c94c2d21",
    "Repeats": "1:c9fa86b952d69bf4",
    "Substrings": "1:f08c975a144f67e9",
    "Cut": "1:34d4037d7eea02c1",
    "Contamination": "1:fefe32f1625df43f",
    "Decontaminate": "1:527f5d3252c20220",
    "Encode": "1:c70f239962ca5671",
    "Pack": "3:3363a6e17d3afedd",
    "ReadPile": "1:06531a1cf98f64ec",
    "ReadJsonl": "1:a0ddba5bbb7c1364",
    "ReadWarc": "2:c61131c9248642c0",
    "ReadWet": "1:a4312a576ad62cf3",
    "ReadParquet": "1:76744f3e10fd36d1",
    "ReadText": "1:1c7e187a6b899afc",
}


def defaults(kind: type) -> str:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in kind.guards:  # type: ignore[attr-defined]
            continue
        value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        values[field.name] = "required" if value is msgspec.NODEFAULT else msgspec.to_builtins(value)
    data = msgspec.json.encode([values, list(kind.uses)], order="sorted")  # type: ignore[attr-defined]
    return f"{kind.revision}:{hashlib.sha256(data).hexdigest()[:16]}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [*get_args(stages.Stage), *get_args(stages.Reader)], ids=lambda k: k.__name__)
def test_defaults_change_only_with_the_revision(kind: type) -> None:
    want, got = PINS.get(kind.__name__), defaults(kind)
    if want is not None and want.split(":")[0] == got.split(":")[0]:
        assert got == want, f"{kind.__name__}: a default changed: bump revision, then pin {got}"
    else:
        pytest.fail(f"{kind.__name__}: pin its revision: {got!r}")


def test_an_empty_list_is_a_parameter_too() -> None:
    assert parameters(stages.Judge(packs=(), keep_languages=("en",))) == {"packs": [], "keep_languages": ["en"]}
    assert parameters(stages.Dedup(against=())) == parameters(stages.Dedup(against=("old",))) == {}
