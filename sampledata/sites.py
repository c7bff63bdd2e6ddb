"""Web sites that do not exist: what they publish, how they look, in which encoding, and what they say about it.

The encodings are the point. A site sends its bytes in `codec`; the HTTP header and the <meta> tag each name a charset
or none, and may be wrong. Charset names follow the habit of Chinese sites: GBK pages that call themselves gb2312.
"""

from typing import NamedTuple

from sampledata.randomness import source


class Encoding(NamedTuple):
    """codec: of the bytes, in Python's name. header, meta: the charset declared there, "" for none.
    fault: "" if a declaration can be trusted, else charset-missing, charset-wrong or charset-conflict (header and
    meta differ)."""

    language: str  # zh, zh-Hant or en
    codec: str
    header: str
    meta: str
    fault: str = ""


ENCODINGS = (
    Encoding("zh", "utf-8", "utf-8", "utf-8"),
    Encoding("zh", "gbk", "", "gb2312"),
    Encoding("en", "utf-8", "UTF-8", "utf-8"),
    Encoding("zh", "utf-8", "", "utf-8"),
    Encoding("zh", "gb18030", "gb18030", ""),
    Encoding("zh-Hant", "big5", "", "big5"),
    Encoding("zh", "gbk", "gbk", "gbk"),
    Encoding("en", "latin-1", "ISO-8859-1", ""),
    Encoding("zh", "gb18030", "", "gb2312"),
    Encoding("zh", "gbk", "", "", "charset-missing"),
    Encoding("zh-Hant", "utf-8", "utf-8", ""),
    Encoding("zh", "gbk", "utf-8", "utf-8", "charset-wrong"),
    Encoding("en", "cp1252", "", "windows-1252"),
    Encoding("zh", "gbk", "iso-8859-1", "gb2312", "charset-conflict"),
    Encoding("zh", "utf-8", "", "gb2312", "charset-wrong"),
    Encoding("zh-Hant", "big5", "Big5", ""),
    Encoding("zh-Hant", "big5", "", "", "charset-missing"),
    Encoding("zh", "gbk", "GB2312", ""),
    Encoding("en", "utf-8", "", "", "charset-missing"),
    Encoding("zh", "utf-8", "", "", "charset-missing"),
)

FOREIGN_CODECS = {
    "ja": ("shift_jis", "euc_jp", "utf-8"),
    "ru": ("cp1251", "koi8-r", "utf-8"),
    "fr": ("latin-1", "utf-8"),
}

_CHARSETS = {
    "shift_jis": "Shift_JIS",
    "euc_jp": "EUC-JP",
    "cp1251": "windows-1251",
    "koi8-r": "koi8-r",
    "latin-1": "iso-8859-1",
}

_HOSTS = (
    "qingxi", "baitang", "mingyue", "nanqiao", "shanhai", "beiwan", "lvzhou", "donghu", "xiyuan", "chengnan",
    "heping", "yunqi", "songtao", "zhuyuan", "meiling", "fordside", "oldmill", "greenlane", "millpond", "hilltop",
    "brookfield", "lantern", "quayside", "meadow", "stonegate",
)  # fmt: skip


class Site(NamedTuple):
    number: int
    host: str
    kind: str  # forum, news or blog
    look: str  # table, portal, article or plain
    name: str
    encoding: Encoding


def site(seed: int, number: int) -> Site:
    """Site `number`; consecutive numbers go through every encoding."""
    rng = source(seed, f"site-{number}")
    encoding = ENCODINGS[number % len(ENCODINGS)]
    kind = ("news", "forum", "blog")[(number + number // len(ENCODINGS)) % 3]
    look = rng.choice(
        {"forum": ("table", "portal"), "news": ("table", "portal", "article"), "blog": ("article", "plain")}[kind]
    )
    word = rng.choice(_HOSTS)
    prefix = {"forum": "bbs", "news": "www", "blog": "blog"}[kind]
    if encoding.language == "en":
        name = f"{word.title()} {rng.choice(('Courier', 'Forum', 'Notes', 'Herald', 'Weekly'))}"
    else:
        name = (
            rng.choice("青白明南山北绿东西城和云松竹梅")
            + rng.choice("溪塘月桥海湾洲湖园岭风石川原")
            + {
                "forum": "论坛",
                "news": rng.choice(("新闻网", "在线", "晚报网")),
                "blog": rng.choice(("笔记", "小站", "随笔")),
            }[kind]
        )
    return Site(number, f"{prefix}.{word}{number}.example", kind, look, name, encoding)


def foreign_encoding(language: str, turn: int) -> Encoding:
    codecs = FOREIGN_CODECS[language]
    codec = codecs[turn % len(codecs)]
    charset = _CHARSETS.get(codec, "utf-8")
    return Encoding(language, codec, charset if turn % 2 else "", charset)
