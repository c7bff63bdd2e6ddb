"""English documents: encyclopaedia articles, questions with answers, LaTeX papers, abstracts of studies, spam.

Every function takes a random source that belongs to one document and returns a `Piece`. The facts are invented; the
sentences are written by us.
"""

import random
from typing import NamedTuple

from sampledata.grammar import Text, capital, load


class Piece(NamedTuple):
    """A document before it becomes a record or a page: a title, and paragraphs without blank lines inside."""

    title: str
    paragraphs: list[str]

    @property
    def body(self) -> str:
        return "\n\n".join(self.paragraphs)

    @property
    def text(self) -> str:
        return f"{self.title}\n\n{self.body}"


def english(rng: random.Random, **named: str) -> Text:
    """An expansion of the English grammar. `named` fixes references: rule__key="value" stands for {rule#key}."""
    return Text(load("en"), rng, **named)


def article(rng: random.Random) -> Piece:
    """An encyclopaedia article of two to five sections."""
    t = english(rng)
    kind = t.one("en_kinds")
    if kind == "person":
        t.named["person#p"] = name = t.one("person")
        t.named["last#l"] = name.split()[-1]
    title = t.one(f"{kind}_name")
    paragraphs = [t.one(f"{kind}_lead")]
    facts = t.some(f"{kind}_facts", 5, 12)
    cut = rng.randint(2, 4)
    paragraphs.append(" ".join(facts[:cut]))
    sections = [("Description", " ".join(facts[cut:]))]
    sections.append(("History", " ".join(t.some(f"{kind}_past", 2, 6))))
    if t.chance(0.75):
        sections.append(("Legacy", " ".join(t.some(f"{kind}_more", 1, 3))))
    if t.chance(0.5):
        others = [english(rng) for _ in range(rng.randint(2, 5))]
        sections.append(("See also", "\n".join(t.one(f"{t.one('en_kinds')}_name") for t in others)))
    for heading, body in sections:
        if body:
            paragraphs += [heading, capital(body)]
    return Piece(title, [capital(p) for p in paragraphs])


def question(rng: random.Random, code: str = "") -> Piece:
    """A question with one to five answers, most of them with a remark. `code` is shown in the question if given."""
    t = english(rng)
    topic = t.one("qa_topics")
    title = t.one(f"{topic}_title")
    general = topic != "code"

    def speech(part: str, low: int, high: int) -> str:
        sentences = t.some(f"{topic}_{part}", low, high)
        if general:
            sentences += t.some(f"any_{part}", 1, 4)
            rng.shuffle(sentences)
        return capital(" ".join(sentences))

    paragraphs = [f"Q:\n\n{capital(title)}", speech("question", 1 if general else 2, 3 if general else 5)]
    if topic == "code":
        paragraphs.append(code or t.one("code_block"))
    for _ in range(rng.randint(1, 5)):
        paragraphs.append("A:\n\n" + speech("answer", 1 if general else 2, 3 if general else 5))
        if topic == "code" and t.chance(0.6):
            paragraphs.append(t.one("code_block"))
        if t.chance(0.4):
            paragraphs.append(capital(t.one("remark")))
    return Piece(capital(title), paragraphs)


def abstract(rng: random.Random) -> Piece:
    """The abstract of a study: background, methods, results, conclusion."""
    t = english(rng)
    t.named["gene#g"], t.named["gene#h"] = rng.sample(t.grammar.words("gene"), 2)
    title = capital(t.one("abs_title"))
    parts = [
        t.some("abs_background", 1, 2),
        t.some("abs_methods", 2, 5),
        t.some("abs_results", 3, 7),
        t.some("abs_end", 1, 2),
    ]
    if t.chance(0.5):
        names = ("BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS")
        return Piece(title, [f"{name}: {capital(' '.join(part))}" for name, part in zip(names, parts, strict=True)])
    return Piece(title, [capital(" ".join(sentence for part in parts for sentence in part))])


def paper(rng: random.Random) -> Piece:
    """A short LaTeX paper: the source as text, with theorems and displayed formulas."""
    t = english(rng)
    t.named["mathadj#a"] = t.one("mathadj")
    title = t.one("paper_title")
    author = t.one("person")
    paragraphs = [
        "\\documentclass[11pt]{amsart}\n\\usepackage{amsmath,amssymb,amsthm}\n\\newtheorem{theorem}{Theorem}[section]\n"
        "\\newtheorem{lemma}[theorem]{Lemma}\n\\newtheorem{corollary}[theorem]{Corollary}",
        f"\\title{{{title}}}\n\\author{{{author}}}\n\\begin{{document}}",
        "\\begin{abstract}\n" + " ".join(t.some("paper_claim", 3, 5)) + "\n\\end{abstract}\n\\maketitle",
        "\\section{Introduction}",
        " ".join(t.some("paper_claim", 4, 7)),
    ]
    for number in range(rng.randint(3, 6)):
        paragraphs.append(f"\\section{{{t.one('section_title')}}}\\label{{sec:{number + 2}}}")
        for _ in range(rng.randint(1, 4)):
            paragraphs.append(" ".join(t.some("math_sentence", 2, 5)))
            if t.chance(0.6):
                paragraphs.append(t.one("display"))
            if t.chance(0.7):
                kind = rng.choice(("theorem", "lemma", "corollary"))
                claim = f"\\begin{{{kind}}}\n{t.one('math_statement')}\n\\end{{{kind}}}"
                proof = " ".join(t.some("math_sentence", 2, 6))
                paragraphs.append(f"{claim}\n\\begin{{proof}}\n{proof}\n\\end{{proof}}")
    works = [_work(t) for _ in range(rng.randint(4, 12))]
    paragraphs.append("\\begin{thebibliography}{99}\n" + "\n".join(works) + "\n\\end{thebibliography}\n\\end{document}")
    return Piece(title, paragraphs)


def _work(t: Text) -> str:
    """An entry of a bibliography."""
    number, year, first = t.rng.randint(2, 90), t.rng.randint(1955, 2012), t.rng.randint(1, 300)
    key = f"{t.one('last').lower()}{year % 100}"
    where = f"{t.one('town')} J. Math. {number} ({year}), {first}--{first + t.rng.randint(4, 60)}"
    return f"\\bibitem{{{key}}} {t.one('person')}, \\emph{{{t.one('paper_title')}}}, {where}."


def remarks(rng: random.Random, count: int) -> list[str]:
    """Short forum replies."""
    t = english(rng)
    return [t.one("remark") for _ in range(count)]


def nickname(rng: random.Random) -> str:
    return f"{rng.choice(load('en').words('nick'))}{rng.randint(1, 99) if rng.random() < 0.5 else ''}"


def spam(rng: random.Random) -> Piece:
    """Keyword lists and shop slogans, repeated as such pages repeat them."""
    t = english(rng)
    pitches = [t.one("en_pitch") for _ in range(rng.randint(3, 8))]
    pitches += rng.choices(pitches, k=rng.randint(3, 9))
    return Piece(t.one("en_pitch"), pitches)
