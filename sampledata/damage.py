"""What goes wrong with documents: near copies, mojibake, broken records, broken gzip members."""

import json
import random
import zlib
from collections.abc import Callable

SHINGLE_CHARS = 5

# Near copies share at least and at most this much of their sets of 5 characters in a row.
JACCARD_RANGE = (0.60, 0.99)


def jaccard(left: str, right: str) -> float:
    """Jaccard similarity of the sets of `SHINGLE_CHARS` characters in a row."""
    a = {left[i : i + SHINGLE_CHARS] for i in range(max(1, len(left) - SHINGLE_CHARS + 1))}
    b = {right[i : i + SHINGLE_CHARS] for i in range(max(1, len(right) - SHINGLE_CHARS + 1))}
    return len(a & b) / len(a | b)


def edited(text: str, rng: random.Random) -> str:
    """1 to 3% of the characters replaced: in Chinese one by one, elsewhere as whole words."""
    share = rng.uniform(0.01, 0.03)
    if _is_chinese(text):
        places = [i for i, c in enumerate(text) if "一" <= c <= "鿿"]
        letters = list(text)
        for place in rng.sample(places, max(1, int(share * len(places)))):
            letters[place] = text[rng.choice(places)]
        return "".join(letters)
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if word.isalpha()]
    for place in rng.sample(places, max(1, int(share * len(places)))):
        words[place] = rng.choice(("several", "rather", "certain", "various", "nearly", "perhaps", "other", "former"))
    return " ".join(words)


def framed(text: str, rng: random.Random) -> str:
    """The text between lines that another site would put around it."""
    if _is_chinese(text):
        above = rng.choice(
            ("本文转载自网络，版权归原作者所有。", "【编者按】以下内容由网友投稿。", "首页 > 资讯 > 正文")
        )
        below = rng.choice(
            ("（责任编辑：小李）", "上一篇：没有了 下一篇：没有了", "扫描二维码，关注我们，阅读更多精彩内容。")
        )
    else:
        above = rng.choice(("Reposted with permission.", "Home > Articles > Archive", "From our mailbag:"))
        below = rng.choice(("Share this page with a friend.", "Read more in our archive.", "Comments are closed."))
    return f"{above}\n\n{text}\n\n{below}"


def shortened(text: str, rng: random.Random) -> str:
    """The text without one of its shorter paragraphs."""
    paragraphs = text.split("\n\n")
    by_length = sorted(range(1, len(paragraphs)), key=lambda n: len(paragraphs[n]))
    if not by_length:
        return edited(text, rng)
    gone = rng.choice(by_length[: max(1, len(by_length) // 2)])
    return "\n\n".join(p for n, p in enumerate(paragraphs) if n != gone)


NEAR: dict[str, Callable[[str, random.Random], str]] = {"edited": edited, "framed": framed, "shortened": shortened}


def near_copy(text: str, rng: random.Random, how: str) -> tuple[str, float, str]:
    """A near copy made as `how` says, its similarity, and how it was made: where a document would leave
    `JACCARD_RANGE`, it is edited instead."""
    for made in (how, "edited", "edited", "edited"):
        copy = NEAR[made](text, rng)
        similarity = jaccard(text, copy)
        if JACCARD_RANGE[0] <= similarity <= JACCARD_RANGE[1]:
            return copy, similarity, made
    raise ValueError(f"no near copy of {text[:60]!r}... ({len(text)} characters) lies within {JACCARD_RANGE}")


def utf8_read_as_gbk(text: str) -> str:
    return text.encode("utf-8").decode("gbk", errors="replace")


def gbk_read_as_utf8(text: str) -> str:
    """锟斤拷: GBK bytes were read as UTF-8, saved with replacement characters, and read as GBK again."""
    replaced = text.encode("gbk", errors="ignore").decode("utf-8", errors="replace")
    return replaced.encode("utf-8").decode("gbk", errors="replace")


def utf8_read_as_latin1(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


MOJIBAKE: dict[str, Callable[[str], str]] = {
    "utf8-as-gbk": utf8_read_as_gbk,
    "gbk-as-utf8": gbk_read_as_utf8,
    "utf8-as-latin1": utf8_read_as_latin1,
}


def bad_json(record: dict[str, object]) -> bytes:
    """A line that stops in the middle."""
    line = json.dumps(record, ensure_ascii=False).encode()
    return line[: len(line) * 2 // 3].decode("utf-8", errors="ignore").encode()


def missing_text(record: dict[str, object]) -> bytes:
    return json.dumps({"meta": record["meta"]}, ensure_ascii=False).encode()


def text_is_number(record: dict[str, object]) -> bytes:
    return json.dumps({"text": 404, "meta": record["meta"]}, ensure_ascii=False).encode()


def bad_utf8(record: dict[str, object]) -> bytes:
    """One byte that cannot stand in UTF-8, inside the text."""
    line = json.dumps(record, ensure_ascii=False).encode()
    at = line.index(b'"text"') + 12
    return line[:at] + b"\xff" + line[at:]


BROKEN: dict[str, Callable[[dict[str, object]], bytes]] = {
    "bad-json": bad_json,
    "missing-text": missing_text,
    "text-is-number": text_is_number,
    "bad-utf8": bad_utf8,
}


def cut_member(member: bytes) -> bytes:
    """A gzip member that ends before its data do."""
    return member[: len(member) * 3 // 5]


def flip_byte(member: bytes, rng: random.Random) -> bytes:
    """A gzip member with one byte of its data changed, such that it no longer decompresses."""
    for _ in range(64):
        at = rng.randrange(len(member) // 3, len(member) * 2 // 3)
        flipped = member[:at] + bytes((member[at] ^ (1 << rng.randrange(8)),)) + member[at + 1 :]
        if not decompresses(flipped):
            return flipped
    raise ValueError(f"no flipped byte breaks this member of {len(member)} bytes")


def decompresses(member: bytes) -> bool:
    """True if `member` is one whole gzip member with the right checksum."""
    reader = zlib.decompressobj(wbits=31)
    try:
        reader.decompress(member)
    except zlib.error:
        return False
    return reader.eof


def _is_chinese(text: str) -> bool:
    return sum("一" <= c <= "鿿" for c in text[:400]) > 40
