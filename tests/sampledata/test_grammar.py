"""The grammar engine, and the texts that the grammars give."""

import random
from itertools import combinations

import pytest

from sampledata import books, chinese, english
from sampledata.damage import jaccard, near_copy
from sampledata.grammar import Grammar, Text, article, load, plural
from sampledata.randomness import source
from sampledata.traditional import to_traditional


def expand(source_text: str, rule: str, seed: int = 1) -> str:
    return Text(Grammar([source_text]), random.Random(seed)).one(rule)


def test_references_modifiers_numbers_and_choices() -> None:
    grammar = "-- beast --\nox\n== a ==\n{beast.a.c} and {n:3-3} {beast.s}, {n:1500-1500,} {left|left}⟦{n:2-2/1}⟧⏎"
    assert expand(grammar, "a") == "An ox and 3 oxen, 1,500 left{2.0}\n"


def test_a_key_remembers_for_the_document_and_a_digit_for_the_sentence() -> None:
    text = Text(
        Grammar(["-- w --\n" + " ".join(map(str, range(999))) + "\n== a ==\n{w#k} {w#1} {w#1} {1|2|3#z}{1|2|3#z}"]),
        random.Random(1),
    )
    first, second = text.one("a").split(), text.one("a").split()
    assert first[0] == second[0]
    assert first[1] == first[2] != second[1] == second[2]
    assert first[3][0] == first[3][1]


def test_an_unknown_rule_and_an_open_brace_are_errors() -> None:
    with pytest.raises(ValueError, match="rule 'nobody'"):
        Grammar(["== a ==\n{nobody}"])
    with pytest.raises(ValueError, match="unbalanced"):
        Grammar(["== a ==\n{left|right"])


@pytest.mark.parametrize(
    ("noun", "one", "many"),
    [
        ("hour", "an hour", "hours"),
        ("uniform", "a uniform", "uniforms"),
        ("fairy", "a fairy", "fairies"),
        ("church", "a church", "churches"),
        ("wild goose", "a wild goose", "wild geese"),
        ("fisherman", "a fisherman", "fishermen"),
        ("wheat", "a wheat", "wheat"),
    ],
)
def test_articles_and_plurals(noun: str, one: str, many: str) -> None:
    assert (article(noun), plural(noun)) == (one, many)


def test_some_never_repeats_an_alternative() -> None:
    text = Text(Grammar(["== a ==\none\ntwo\nthree"]), random.Random(1))
    assert sorted(text.some("a", 3, 9)) == ["one", "three", "two"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_expands_without_leftovers(language: str) -> None:
    grammar = load(language)
    text = Text(grammar, random.Random(5), hero__h="Ada", friend__f="Hugh", rival__r="Mr Vane", aunt__a="Aunt Ida")
    with_braces = ("math", "expr", "relation", "display", "paper", "code")  # LaTeX and Python have their own
    for rule in sorted(grammar):
        for _ in range(5):
            left = "⟦⟧⏎" if rule.startswith(with_braces) else "{}⟦⟧⏎"
            assert not set(text.one(rule)) & set(left), rule


@pytest.mark.parametrize(
    "write", [english.article, english.question, english.abstract, english.paper, books.scene, *chinese.GENRES.values()]
)
def test_documents_of_a_kind_are_no_near_copies_of_each_other(write) -> None:
    texts = [write(source(3, f"doc-{n}")).text for n in range(30)]
    assert max(jaccard(a, b) for a, b in combinations(texts, 2)) < 0.55


def test_traditional_script_is_more_than_characters() -> None:
    assert to_traditional("头发干燥，发展里程，周末拉面，20只，3里") == "頭髮乾燥，發展里程，週末拉麵，20隻，3里"


def test_traditional_text_fits_big5() -> None:
    for number in range(60):
        text = to_traditional(chinese.news(source(1, f"t{number}")).text)
        kept = text.encode("big5", errors="ignore").decode("big5")
        assert len(kept) > 0.97 * len(text)


def test_numerals() -> None:
    assert [chinese.numeral(n) for n in (1, 10, 11, 20, 35)] == ["一", "十", "十一", "二十", "三十五"]


def test_a_text_too_short_for_a_near_copy_is_an_error() -> None:
    with pytest.raises(ValueError, match="no near copy"):
        near_copy("word", random.Random(1), "framed")
