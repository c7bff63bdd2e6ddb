"""Chinese documents in nine genres, simplified; `traditional` turns any of them into the other script.

As in `english`, every function takes the random source of one document and returns a `Piece`.
"""

import random
from collections.abc import Callable

from sampledata.english import Piece
from sampledata.grammar import Text, load

_NUMERALS = "一二三四五六七八九十"


def chinese(rng: random.Random, **named: str) -> Text:
    return Text(load("zh"), rng, **named)


def encyclopedia(rng: random.Random) -> Piece:
    """百科: a lead, two paragraphs of facts, one of history."""
    t = chinese(rng)
    kind = t.one("zh_kinds")
    title = t.one(f"{kind}_name")
    facts = t.some(f"{kind}_facts", 4, 9)
    cut = rng.randint(2, 4)
    paragraphs = [t.one(f"{kind}_lead"), "".join(facts[:cut]), "".join(facts[cut:])]
    paragraphs.append("".join(t.some(f"{kind}_more", 2, 4)))
    return Piece(title, [p for p in paragraphs if p])


def news(rng: random.Random) -> Piece:
    """新闻: an agency line with the lead, then short paragraphs."""
    t = chinese(rng)
    kind = t.one("news_kinds")
    title = t.one(f"{kind}_title")
    body = t.some(f"{kind}_body", 4, 8)
    return Piece(title, [t.one("agency") + t.one(f"{kind}_lead"), *_groups(rng, body)])


def review(rng: random.Random) -> Piece:
    """评论: what a buyer, an eater, a reader or a traveller has to say, with replies."""
    t = chinese(rng)
    kind = rng.choice(("goods", "eat", "film", "trip"))
    title = t.one(f"{kind}_title")
    paragraphs = _groups(rng, t.some(kind, 4, 8))
    return Piece(title, [*paragraphs, *(t.one("reply") for _ in range(rng.randint(0, 4)))])


def question(rng: random.Random) -> Piece:
    """问答: a question and one to four answers."""
    t = chinese(rng)
    kind = rng.choice(("ask_life", "ask_code", "ask_health", "ask_plant"))
    title = t.one(f"{kind}_title")
    paragraphs = ["".join(t.some(f"{kind}_q", 2, 3))]
    for number in range(rng.randint(1, 4)):
        author = nickname(rng)
        paragraphs.append(f"{number + 1}楼 {author}：" + "".join(t.some(f"{kind}_a", 2, 4)))
        if t.chance(0.4):
            paragraphs.append(t.one("reply"))
    return Piece(title, paragraphs)


def poem(rng: random.Random) -> Piece:
    """诗: regular verse of five or seven characters a line, or free verse."""
    t = chinese(rng)
    author = t.one("person")
    form = rng.randrange(3)
    if form == 0:
        lines = t.some("free", 5, 10)
        return Piece(f"{t.one('landform')}与{t.one('object')}", [author, "\n".join(lines)])
    couplets = []
    ends = rng.choice(("state3", "state3b"))
    endings = rng.sample(t.grammar.words(ends), 8)
    for _ in range(rng.choice((2, 4))):
        if form == 1:
            couplets.append(f"{t.one('line5')}，{t.one('line5')}。")
        else:
            upper = t.one("image2") + t.one("image2") + t.one("act1") + t.one("image2")
            couplets.append(f"{upper}，{t.one('image2')}{t.one('image2')}{endings.pop()}。")
    title = rng.choice(("{}即事", "{}夜坐", "过{}", "{}送别", "题{}", "{}杂咏")).format(t.one("place"))
    return Piece(title, [f"〔{t.one('dynasty')}〕{author}", "\n".join(couplets)])


def statute(rng: random.Random) -> Piece:
    """条文: local rules in chapters and numbered articles."""
    t = chinese(rng)
    title = t.one("law_title")
    articles = [t.one("law_first"), *t.some("law_article", 6, 13)]
    if t.chance(0.5):
        articles += t.some("law_article", 2, 8)
    articles.append(f"本办法自{rng.randint(1990, 2020)}年{rng.randint(1, 12)}月1日起施行。")
    paragraphs = [f"第{numeral(n)}条 {article}" for n, article in enumerate(articles, start=1)]
    for name, at in (("附则", len(paragraphs) - 1), ("管理与监督", len(paragraphs) // 2), ("总则", 0)):
        number = {"总则": 1, "管理与监督": 2, "附则": 3}[name]
        paragraphs.insert(at, f"第{numeral(number)}章 {name}")
    return Piece(title, paragraphs)


def lesson(rng: random.Random) -> Piece:
    """识字课: sentences for children and a table of new characters, drawn from the common half of GB 2312."""
    t = chinese(rng)
    title = t.one("lesson_title")
    new = rng.sample(_COMMON, rng.randint(12, 30))
    words = "、".join(f"{c}（{rng.randint(4, 18)}画）" for c in new[:5])
    return Piece(
        title, [*_groups(rng, t.some("lesson", 3, 5)), "本课生字：" + "、".join(new) + "。", f"注意笔画：{words}。"]
    )


def spam(rng: random.Random) -> Piece:
    """Keyword lists with a telephone number, in the mild."""
    t = chinese(rng)
    pitches = [t.one("zh_pitch") for _ in range(rng.randint(3, 8))]
    return Piece(pitches[0], pitches + rng.choices(pitches, k=rng.randint(3, 9)))


GENRES: dict[str, Callable[[random.Random], Piece]] = {
    "encyclopedia": encyclopedia,
    "news": news,
    "reviews": review,
    "questions": question,
    "poems": poem,
    "statutes": statute,
    "lessons": lesson,
}


def replies(rng: random.Random, count: int) -> list[str]:
    t = chinese(rng)
    return [t.one("reply") for _ in range(count)]


def nickname(rng: random.Random) -> str:
    return f"{rng.choice(load('zh').words('nick'))}{rng.randint(1, 99) if rng.random() < 0.3 else ''}"


def numeral(number: int) -> str:
    """1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else ("" if tens == 1 else _NUMERALS[tens - 1]) + "十") + (
        _NUMERALS[ones - 1] if ones else ""
    )


def _groups(rng: random.Random, sentences: list[str]) -> list[str]:
    """Sentences gathered into paragraphs of one to three."""
    groups = []
    while sentences:
        cut = rng.randint(1, 3)
        groups.append("".join(sentences[:cut]))
        sentences = sentences[cut:]
    return groups


# Rows 16 to 55 of GB 2312 hold its 3,755 common characters, ordered by pronunciation.
_COMMON = [
    bytes((row, cell)).decode("gb2312")
    for row in range(0xB0, 0xD8)
    for cell in range(0xA1, 0xFF)
    if not (row == 0xD7 and cell > 0xF9)
]
