"""Ways to decode text twice, as servers, editors and crawlers do it. None where the text cannot be damaged so."""

from collections.abc import Callable

Damage = Callable[[str], str]


def web_1252(data: bytes) -> str:
    """As browsers read it: bytes that windows-1252 leaves out are control characters."""
    return "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in data)


def entities(text: str) -> str:
    """Escaped once more than it was."""
    return text.replace("&", "&amp;").replace("“", "&ldquo;").replace("”", "&rdquo;").replace("—", "&mdash;")


KINDS: dict[str, Damage] = {
    "UTF-8 as GB18030": lambda text: text.encode().decode("gb18030", "replace"),
    "UTF-8 as GBK, losses as ?": lambda text: text.encode().decode("gbk", "replace").replace("\ufffd", "?"),
    "UTF-8 as Big5": lambda text: text.encode().decode("big5hkscs", "replace"),
    "UTF-8 as windows-1252": lambda text: web_1252(text.encode()),
    "UTF-8 as ISO-8859-1": lambda text: text.encode().decode("latin-1"),
    "UTF-8 as windows-1252, twice": lambda text: web_1252(web_1252(text.encode()).encode()),
    "GB18030 as windows-1252": lambda text: web_1252(text.encode("gb18030")),
    "Big5 as windows-1252": lambda text: web_1252(text.encode("big5hkscs")),
    "GB18030 as Big5": lambda text: text.encode("gb18030").decode("big5hkscs", "replace"),
    "Big5 as GB18030": lambda text: text.encode("big5hkscs").decode("gb18030", "replace"),
    "escaped twice": entities,
}
HAN_ALONE = frozenset(name for name in KINDS if not name.startswith("UTF-8") and name != "escaped twice")


def damaged(name: str, text: str) -> str | None:
    """None where the text does not fit in the charset, where nothing changes, or where it has no Han characters and
    the damage is of Chinese alone."""
    if name in HAN_ALONE and sum("\u4e00" <= char <= "\u9fff" for char in text) < 2:
        return None
    try:
        wrong = KINDS[name](text)
    except UnicodeEncodeError:
        return None
    return None if wrong == text else wrong
