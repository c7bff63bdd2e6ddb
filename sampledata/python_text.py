"""Real text that comes with the interpreter: sources of the standard library, its docstrings and its help topics.

All of it is under the PSF licence (`LICENCE`). What there is depends on the Python version, and so do the samples.
"""

import ast
import os
from functools import cache
from pathlib import Path

LICENCE = "PSF-2.0"

_LIBRARY = Path(os.__file__).parent
_SKIPPED = {
    "site-packages",
    "dist-packages",
    "__pycache__",
    "test",
    "tests",
    "idle_test",
    "lib2to3",
    "encodings",
}  # encodings: a hundred near copies
_SIZE_BYTES = range(1_500, 90_000)


@cache
def source_names() -> list[str]:
    """Paths of library sources of middling size, relative to the library, sorted."""
    return sorted(
        path.relative_to(_LIBRARY).as_posix()
        for path in _LIBRARY.rglob("*.py")
        if not _SKIPPED.intersection(path.relative_to(_LIBRARY).parts)
        and path.stat().st_size in _SIZE_BYTES
        and _decodes(path)
    )


def read_source(name: str) -> str:
    return (_LIBRARY / name).read_text(encoding="utf-8")


@cache
def topic_names() -> list[str]:
    return sorted(_topics())


def read_topic(name: str) -> str:
    return _topics()[name].strip()


def docstrings(name: str) -> str:
    """The docstrings of one library module, each under the name that it documents."""
    tree = ast.parse(read_source(name))
    module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    parts = [f"{module}\n{'=' * len(module)}", ast.get_docstring(tree) or ""]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or node.name.startswith("_"):
            continue
        if text := ast.get_docstring(node):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            parts.append(f"{kind} {node.name}\n\n{text}")
    return "\n\n".join(part for part in parts if part)


def snippet(name: str, at: float) -> str:
    """A function of library module `name`, the one at the fraction `at` of its functions; "" if it has none."""
    source = read_source(name)
    functions = source.split("\ndef ")[1:]
    if not functions:
        return ""
    lines = ("def " + functions[int(at * len(functions))]).splitlines()
    end = next((n for n, line in enumerate(lines) if n and line and not line[0].isspace()), len(lines))
    return "\n".join(lines[: min(end, 24)]).rstrip()


@cache
def _topics() -> dict[str, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some distributions package it apart
        return {}
    return topics


def _decodes(path: Path) -> bool:
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
