"""Pinned: the defaults of every stage and the rule packs, by revision. Where one changes and the revision does not,
tables built before would be taken for fresh."""

import hashlib
from typing import Any, get_args

import msgspec
import pytest

import stages
from stages.packs import PACKS

PINS: dict[str, str] = {}


def defaults(kind: type) -> str:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        values[field.name] = "required" if value is msgspec.NODEFAULT else msgspec.to_builtins(value)
    if kind.__name__ == "Judge":
        values["PACKS"] = msgspec.to_builtins(PACKS)
    data = msgspec.json.encode([values, list(kind.uses)], order="sorted")  # type: ignore[attr-defined]
    return f"{kind.revision}:{hashlib.sha256(data).hexdigest()[:16]}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [*get_args(stages.Stage), *get_args(stages.Reader)], ids=lambda k: k.__name__)
def test_defaults_change_only_with_the_revision(kind: type) -> None:
    want, got = PINS.get(kind.__name__), defaults(kind)
    if want is not None and want.split(":")[0] == got.split(":")[0]:
        assert got == want, f"{kind.__name__}: a default changed: bump revision, then pin {got}"
    else:
        pytest.fail(f"{kind.__name__}: pin its revision: {got!r}")
