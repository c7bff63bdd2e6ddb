"""A small text grammar: rules with alternatives, expanded by a seeded random source.

A grammar is a set of plain text files. Two kinds of section:

== name ==     templates, one alternative per line
-- name --     words, separated by white space; "_" stands for a space inside a word

In a template, braces are expanded:

{rule}         an alternative of `rule`
{rule#k}       the same, remembered: every {rule#k} of the document gives the same text
{rule#1}       a key that is a digit is remembered within one sentence only
{rule.a.c}     then changed by modifiers: see `_MODIFIERS`
{n:3-90}       an integer; {n:3-90,} with thousands separators; {n:3-90/2} with two decimals
{this|that|}   one of the alternatives written in place, which may hold braces themselves

A choice in place may be remembered too: {this|that#k}. In LaTeX and code, the signs for braces are ⟦ and ⟧, and
⏎ breaks a line. A line that starts with "#" is a comment.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

_FOLDER = Path(__file__).parent / "grammars"
_SECTION = re.compile(r"^(==|--) (\S+) (?:==|--)$")
_NUMBER = re.compile(r"^n:(\d+)-(\d+)(,|/\d)?$")
_KEYED = re.compile(r"^(.*\|.*)#([A-Za-z0-9])$", re.DOTALL)
_REFERENCE = re.compile(r"^([A-Za-z0-9_]+)(?:#([A-Za-z0-9]))?((?:\.[a-z]+)*)$")

_IRREGULAR = {
    "man": "men", "woman": "women", "child": "children", "person": "people", "goose": "geese", "mouse": "mice",
    "foot": "feet", "tooth": "teeth", "ox": "oxen", "sheep": "sheep", "deer": "deer", "fish": "fish",
    "salmon": "salmon", "trout": "trout", "leaf": "leaves", "loaf": "loaves", "knife": "knives", "wolf": "wolves",
    "shelf": "shelves", "calf": "calves", "hypothesis": "hypotheses", "analysis": "analyses", "axis": "axes",
    "dormouse": "dormice", "series": "series",
}  # fmt: skip

_UNCOUNTABLE = {
    "bacon", "barley", "bread", "broth", "butter", "celery", "cream", "fennel", "flax", "flour", "garlic", "ginger",
    "ham", "hay", "hemp", "honey", "maize", "mint", "mustard", "mutton", "nutmeg", "parsley", "rapeseed", "rhubarb",
    "rice", "rosemary", "rye", "saffron", "sage", "spinach", "sugar", "thyme", "vinegar", "wheat", "drizzle",
    "dust", "fog", "hail", "haze", "rain", "sleet", "snow", "sunshine", "thunder", "lavender", "heather",
    "honeysuckle", "jasmine", "meadowsweet",
}  # fmt: skip


def article(noun: str) -> str:
    """`noun` behind its indefinite article, by sound where the spelling misleads."""
    word = noun.lower()
    vowel = word[:1] in tuple("aeiou") and not word.startswith(("uni", "use", "usu", "eu", "one"))
    return ("an " if vowel or word.startswith(("hour", "honest", "heir")) else "a ") + noun


def plural(noun: str) -> str:
    """The plural of an English noun (of the last word of a compound)."""
    head, space, last = noun.rpartition(" ")
    if last in _UNCOUNTABLE:
        return noun
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    elif last.endswith("man"):
        last = last[:-2] + "en"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return head + space + last


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_MODIFIERS: dict[str, Callable[[str], str]] = {
    "a": article,
    "s": plural,
    "c": capital,
    "t": lambda text: " ".join(w if w in ("of", "the", "in", "and", "a", "for") else capital(w) for w in text.split()),
    "l": str.lower,
    "id": lambda text: re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_"),
}

_SIGNS = str.maketrans({"⟦": "{", "⟧": "}", "⏎": "\n"})

Part: TypeAlias = "str | Callable[[Text], str]"
Alternative: TypeAlias = "str | tuple[Part, ...]"


class Text:
    """The expansion of one document: a random source and what the document has named so far."""

    def __init__(self, grammar: "Grammar", rng: random.Random, **named: str) -> None:
        self.grammar = grammar
        self.rng = rng
        self.random = rng.random
        self.local: dict[str, str] = {}
        self.named: dict[str, str] = {key.replace("__", "#"): value for key, value in named.items()}

    def one(self, rule: str) -> str:
        """One expansion of `rule`."""
        self.local.clear()
        return _expand(self.grammar.pick(rule, self.random()), self)

    def some(self, rule: str, low: int, high: int) -> list[str]:
        """Between `low` and `high` expansions of `rule`, each from another alternative, in random order."""
        alternatives = self.grammar[rule]
        found = []
        for alternative in self.rng.sample(alternatives, min(self.rng.randint(low, high), len(alternatives))):
            self.local.clear()
            found.append(_expand(alternative, self))
        return found

    def chance(self, share: float) -> bool:
        return self.random() < share


class Grammar:
    """Compiled rules. Immutable after construction; all state of an expansion is in `Text`."""

    def __init__(self, sources: Iterable[str]) -> None:
        lines: dict[str, list[str]] = {}
        for source in sources:
            rule, kind = [], "=="
            for line in source.splitlines():
                if match := _SECTION.match(line):
                    kind, name = match.groups()
                    rule = lines.setdefault(name, [])
                elif line.strip() and not line.startswith("#"):
                    rule.extend(word.replace("_", " ") for word in line.split()) if kind == "--" else rule.append(line)
        self._rules: dict[str, list[Alternative]] = {name: [] for name in lines}
        for name, alternatives in lines.items():
            self._rules[name].extend(_compile(alternative, self._rules) for alternative in alternatives)
        self._source = lines

    def __getitem__(self, rule: str) -> list[Alternative]:
        return self._rules[rule]

    def __iter__(self) -> Iterator[str]:
        """The names of the rules."""
        return iter(self._rules)

    def pick(self, rule: str, at: float) -> Alternative:
        """The alternative of `rule` at the fraction `at` (0 <= at < 1) of its list."""
        alternatives = self._rules[rule]
        return alternatives[int(at * len(alternatives))]

    def words(self, rule: str) -> list[str]:
        """The alternatives of `rule` as written."""
        return self._source[rule]


@cache
def load(language: str) -> Grammar:
    """The grammar made of every `grammars/<language>_*.txt`."""
    return Grammar(path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob(f"{language}_*.txt")))


def _expand(alternative: Alternative, text: Text) -> str:
    if isinstance(alternative, str):
        return alternative
    return "".join([part if isinstance(part, str) else part(text) for part in alternative])


def _compile(template: str, rules: dict[str, list[Alternative]]) -> Alternative:
    parts: list[Part] = []
    start = 0
    for opening, closing in _braces(template):
        if opening > start:
            parts.append(template[start:opening].translate(_SIGNS))
        parts.append(_slot(template[opening + 1 : closing], rules))
        start = closing + 1
    if not parts:
        return template.translate(_SIGNS)
    if start < len(template):
        parts.append(template[start:].translate(_SIGNS))
    return tuple(parts)


def _braces(template: str) -> Iterable[tuple[int, int]]:
    """Positions of the outermost pairs of braces."""
    depth = opening = 0
    for at, character in enumerate(template):
        if character == "{":
            opening = at if depth == 0 else opening
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield opening, at
    if depth:
        raise ValueError(f"unbalanced braces in template {template!r}")


def _slot(inside: str, rules: dict[str, list[Alternative]]) -> Part:
    if match := _NUMBER.match(inside):
        return _number(int(match[1]), int(match[2]), match[3] or "")
    if match := _REFERENCE.match(inside):
        name, key, modifiers = match[1], match[2], [_MODIFIERS[m] for m in match[3].split(".")[1:]]
        if name not in rules and not key:
            raise ValueError(f"template names the rule {name!r}, which no section defines")
        part = _reference(rules.get(name, []))
        if key:
            part = _remembered(part, f"{name}#{key}", key.isdigit())
        for modifier in modifiers:
            part = _modified(part, modifier)
        return part
    match = _KEYED.match(inside)
    part = _reference([_compile(choice, rules) for choice in _split(match[1] if match else inside)])
    return _remembered(part, f"|#{match[2]}", match[2].isdigit()) if match else part


def _split(inside: str) -> list[str]:
    """`inside` cut at the bars that lie outside inner braces."""
    choices, depth, start = [], 0, 0
    for at, character in enumerate(inside):
        depth += (character == "{") - (character == "}")
        if character == "|" and depth == 0:
            choices.append(inside[start:at])
            start = at + 1
    return [*choices, inside[start:]]


def _reference(alternatives: list[Alternative]) -> Callable[[Text], str]:
    def expand(text: Text) -> str:
        alternative = alternatives[int(text.random() * len(alternatives))]
        if isinstance(alternative, str):
            return alternative
        return "".join([part if isinstance(part, str) else part(text) for part in alternative])

    return expand


def _remembered(part: Callable[[Text], str], key: str, local: bool) -> Callable[[Text], str]:
    def recall(text: Text) -> str:
        memory = text.local if local else text.named
        found = memory.get(key)
        if found is None:
            found = memory[key] = part(text)
        return found

    return recall


def _modified(part: Callable[[Text], str], modifier: Callable[[str], str]) -> Callable[[Text], str]:
    return lambda text: modifier(part(text))


def _number(low: int, high: int, form: str) -> Callable[[Text], str]:
    span = high - low + 1
    if form == ",":
        return lambda text: f"{low + int(text.random() * span):,}"
    if form:
        return lambda text: f"{low + text.random() * (high - low):.{form[1:]}f}"
    return lambda text: str(low + int(text.random() * span))
