"""Sign against xxhash and datasketch, with keys and shingles made again in plain Python."""

import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages import characters, key
from stages.minhash import agreement, bands
from stages.shingles import shingle_hashes
from stages.sign import _GROUP_BYTES, Sign

CLASSES = Path(key.__file__).with_name("han_classes.txt").read_text(encoding="utf-8")
STANDS = {char: line[0] for line in CLASSES.splitlines() if line[0] != "#" for char in line}
ENGLISH = (
    "The committee shall report annually to the assembly on the state of its finances. It may also, at any time, "
    "propose amendments to these rules; a proposal needs the support of two members. Don't forget the café's "
    "naïve façade – “open” 24 hours, 7 days. "
)
CHINESE = (
    "《民法典》第一条规定：为了保护民事主体的合法权益，调整民事关系，维护社会和经济秩序，适应中国特色社会主义发展要求，"
    "弘扬社会主义核心价值观，根据宪法，制定本法。ＡＢＣ１２３ 全角字符。繁體字與簡體字並不合併。"
)
MIXED = "用iPhone 14 Pro拍照：先打开 Camera app，然后 press the shutter 按钮。价格是￥5,999元！カメラはｶﾒﾗ。"


def units(text: str) -> list[tuple[str, bool]]:
    """(unit, is a single character) of a text, by the rules of stages/key.py and today's Unicode tables."""
    out: list[tuple[str, bool]] = []
    word = ""
    for char in text:
        name = unicodedata.name(char, "")
        kana = "HIRAGANA LETTER" in name or "KATAKANA LETTER" in name or "PROLONGED SOUND MARK" in name
        if char in "'\u2019" or (unicodedata.category(char) in ("Cf", "Cc") and char not in "\t\n\v\f\r\x85"):
            continue
        if unicodedata.combining(char) and name.startswith("COMBINING"):
            continue
        if name.startswith("CJK UNIFIED") or kana:
            usual = unicodedata.normalize("NFKC", char)
            out += [(word, False)] * bool(word) + [(STANDS.get(usual, usual), True)]
            word = ""
        elif unicodedata.category(char)[0] in "LN":
            folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", char).lower())
            word += "".join(c for c in folded if not unicodedata.combining(c))
        else:
            out += [(word, False)] * bool(word)
            word = ""
    return out + [(word, False)] * bool(word)


def key_text(parts: list[tuple[str, bool]]) -> str:
    text = ""
    for i, (part, single) in enumerate(parts):
        text += " " * (i > 0 and not single and not parts[i - 1][1]) + part
    return text


Shingle = tuple[str, ...]


def shingles(text: str, words: int = 5, han: int = 8) -> list[Shingle]:
    parts = units(text)
    out = []
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            if sum(words if single else han for _, single in parts[start:end]) >= words * han:
                out.append(tuple(part for part, _ in parts[start:end]))
                break
    return out or ([tuple(part for part, _ in parts)] if parts else [])


def mix(h: int) -> int:
    """MurmurHash3's fmix64, as published."""
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD % 2**64
    h = (h ^ h >> 33) * 0xC4CEB9FE1A85EC53 % 2**64
    return h ^ h >> 33


def shingle_hash(shingle: Shingle) -> int:
    total = 0
    for unit in shingle:
        data = unit.encode()
        u = 0
        for at in range(0, len(data), 8):
            u = mix(u ^ int.from_bytes(data[at : at + 8], "little"))
        total = (total * 0x94D049BB133111EB + u) % 2**64
    return mix(total)


def signed(texts: list[str] | pa.Array, **parameters: int) -> dict[str, pa.Array]:
    stage = Sign(**parameters)
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    columns = stage.apply(pa.record_batch({"text": column}), stage.load({}))
    assert {name: column.type for name, column in columns.items()} == stage.adds
    return columns


def signature(value: bytes | None) -> np.ndarray:
    assert value is not None
    return np.frombuffer(value, "<u4")


def hashed(texts: list[str], words: int = 5, han: int = 8) -> list[list[int]]:
    text, bounds = characters.utf8(pa.array(texts, pa.string()))
    hashes, offsets = shingle_hashes(text, bounds, key.table(), words, han)
    assert (hashes.dtype, offsets.dtype) == (np.uint64, np.int64)
    return [hashes[start:end].tolist() for start, end in pairwise(offsets)]


def check(text: str, **parameters: int) -> None:
    stage = Sign(**parameters)
    columns = {name: column[0].as_py() for name, column in signed([text], **parameters).items()}
    made = shingles(text, stage.words, stage.han)
    hashes = [shingle_hash(shingle) for shingle in made]
    assert hashed([text], stage.words, stage.han) == [hashes]
    assert columns["shingles"] == len(made)
    if not made:
        assert columns["exact"] is None
        assert columns["minhash"] is None
        return
    assert columns["exact"] == xxhash.xxh3_128_digest(key_text(units(text)).encode())
    theirs = MinHash(
        num_perm=stage.permutations,
        seed=stage.seed,
        hashfunc=lambda shingle: shingle_hash(shingle) >> 32,
        scheme="affine32",
    )
    theirs.update_batch(made)
    np.testing.assert_array_equal(signature(columns["minhash"]), theirs.hashvalues)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, MIXED, ENGLISH + CHINESE * 3 + MIXED, MIXED * 40])
def test_signature_is_datasketchs(text: str) -> None:
    check(text)
    check(text, permutations=64, seed=7, words=3, han=5)
    check(text, permutations=33, seed=2**32 - 1, words=1, han=1)


def test_every_ascii_character_in_a_word_and_between_words() -> None:
    for char in map(chr, range(128)):
        check(f"{char}ab{char}cd0123456789{char}{char}efgh {char} x{char * 9}yz{char}", words=1, han=1)


def test_words_of_every_length() -> None:
    for size in range(1, 40):
        word = "".join("abcXYZ019"[i % 9] for i in range(size))
        for text in (word, f"{word} {word}", f"é{word} {word}’s {word}ö,{word}", f"汉{word}汉{word}。汉"):
            check(text, words=2, han=2)


LETTERS = (
    "abcDEFéÉüÑßжЖΩ０Ａｂ９12 \u3000 \n\t.,'’-_()#—…“”!?。，！《》、的是在了和一不有国カメラひらー😀→"
    "\u0301\u200b\ufeffﬁ²𝐀𠀀發髮𫔀\U000e0041"
)
documents = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=120),
    st.lists(st.sampled_from(["the", "Cat", "sat", "。", "中文", "漢字", "7", ", "]), max_size=60).map(" ".join),
    st.text(st.characters(max_codepoint=127), max_size=120),
)


@settings(max_examples=150, deadline=None)
@given(documents, st.integers(1, 6), st.integers(1, 9))
def test_any_text(text: str, words: int, han: int) -> None:
    check(text, permutations=40, words=words, han=han)


def walked(text: str) -> list[str]:
    """Units of a text, one character at a time by the table alone."""
    out = []
    word = ""
    for char in text:
        packed = int(key.table()[ord(char)]) if ord(char) < key.CODES else key.NOTHING << 40
        taken = (packed & 0xFFFFFFFF).to_bytes(4, "little")[: packed >> 32 & 255].decode()
        action = packed >> 40
        if action == key.LETTERS:
            word += taken
        elif action != key.NOTHING:
            out += [word] * bool(word) + [taken] * (action == key.SINGLE)
            word = ""
    return out + [word] * bool(word)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=4))
def test_the_kernel_takes_what_the_table_says(texts: list[str]) -> None:
    assert hashed(texts, 1, 1) == [[shingle_hash((unit,)) for unit in walked(text)] for text in texts]


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=12), st.data())
def test_batching_and_slices_change_nothing(texts: list[str], data: st.DataObject) -> None:
    whole = signed(texts)
    start = data.draw(st.integers(0, len(texts)))
    stop = data.draw(st.integers(start, len(texts)))
    part = signed(pa.array(texts, pa.string()).slice(start, stop - start))
    for name in whole:
        assert part[name].to_pylist() == whole[name].slice(start, stop - start).to_pylist()


def test_groups_change_nothing() -> None:
    texts = [(ENGLISH[i:] + CHINESE[i:]) * (40 + i) for i in range(60)]
    assert sum(len(text.encode()) for text in texts) > 3 * _GROUP_BYTES
    whole = signed(texts)
    for i in range(0, 60, 7):
        alone = signed([texts[i]])
        assert {name: column[i].as_py() for name, column in whole.items()} == {
            name: column[0].as_py() for name, column in alone.items()
        }


def test_unrelated_documents_of_ten_million_shingles_share_no_band() -> None:
    texts = []
    for seed in range(2):
        codes = 0x4E00 + np.random.default_rng(seed).integers(0, 3000, 10_000_000)
        texts.append(codes.astype("<u4").tobytes().decode("utf-32-le"))
    columns = signed(texts)
    assert columns["shingles"].to_pylist() == [9_999_993] * 2
    matrix = np.stack([signature(v) for v in columns["minhash"].to_pylist()])
    assert matrix.mean() < 1000  # the minima are small
    assert not (bands(matrix[:1], 18, 7) == bands(matrix[1:], 18, 7)).any()
    assert agreement(matrix[:1], matrix[1:])[0] < 0.02


def test_a_null_is_an_empty_document() -> None:
    columns = signed(pa.array(["a b", None, "", "。！ \n"], pa.string()))
    assert columns["exact"].is_valid().to_pylist() == [True, False, False, False]
    assert columns["minhash"].is_valid().to_pylist() == [True, False, False, False]
    assert columns["shingles"].to_pylist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, World! It's fine.", "hello  world\nits “FINE”"),
        ("Ｈｅｌｌｏ　ｗｏｒｌｄ", "hello world"),
        ("cafe\u0301 naïve", "CAFÉ naive"),
        ("你好，世界。", "你好 世界"),
        ("用 iPhone 拍照", "用iPhone拍照！"),
        ("co\u00adoperate", "cooperate"),
        ("ofﬁce", "office"),
        ("漢字", "汉字"),
        ("头发，发展", "頭髮，發展"),
        ("皇后之後", "皇后之后"),
        ("里面看着", "裡面看著"),
        ("⾯", "麵"),
        ("𪨧", "仑"),
    ],
)
def test_what_the_key_forgets(one: str, other: str) -> None:
    exact = signed([one, other])["exact"]
    assert exact[0] == exact[1]
    assert exact[0].is_valid


@pytest.mark.parametrize(
    ("one", "other"),
    [("ab c", "a bc"), ("item 1", "item 2"), ("末字", "未字"), ("は", "ば"), ("one two", "two one"), ("ß", "ss")],
)
def test_what_the_key_keeps(one: str, other: str) -> None:
    exact = signed([one, other])["exact"]
    assert exact[0] != exact[1]


def test_five_words_eight_characters() -> None:
    assert shingles("One, two") == [("one", "two")]
    assert shingles("One two, three four five six")[1:] == [("two", "three", "four", "five", "six")]
    assert shingles("一二三四五六七八九。") == [tuple("一二三四五六七八"), tuple("二三四五六七八九")]
    # 8 + 8 + 5 * 5 = 41 >= 40
    assert shingles("big data一二三四五六")[0] == ("big", "data", *"一二三四五")
    counts = signed(["a b c d e f", "一二三四五六七八九", "big data一二三四五", "big data一二三四"])["shingles"]
    assert counts.to_pylist() == [2, 2, 1, 1]


def test_agreement_is_datasketchs_jaccard() -> None:
    texts = [ENGLISH * 2, ENGLISH * 2 + CHINESE, CHINESE, CHINESE[:60] + MIXED]
    matrix = np.stack([signature(v) for v in signed(texts)["minhash"].to_pylist()])
    left, right = np.triu_indices(4)
    theirs = [MinHash(num_perm=126, scheme="affine32", hashvalues=row) for row in matrix]
    expected = [theirs[i].jaccard(theirs[j]) for i, j in zip(left, right, strict=True)]
    ours = agreement(matrix[left], matrix[right])
    np.testing.assert_array_equal(ours, expected)
    assert ours[0] == 1
    assert 0 < ours[1] < 1
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement(matrix, matrix[:2])


def test_bands_meet_where_all_their_rows_agree() -> None:
    rng = np.random.default_rng(3)
    minhash = rng.integers(0, 2, (200, 24), dtype=np.uint32)  # two values, so that bands do agree
    minhash[:, 4:8] = minhash[:, 0:4]  # equal rows under another number
    keys = bands(minhash, 6, 4)
    assert keys.shape == (200, 6)
    assert keys.dtype == np.uint64
    for band in range(6):
        rows = [tuple(r) for r in minhash[:, 4 * band : 4 * band + 4]]
        assert len(set(keys[:, band].tolist())) == len(set(rows)) == len(set(zip(rows, keys[:, band], strict=True)))
    assert not set(keys[:, 0].tolist()) & set(keys[:, 1].tolist())
    np.testing.assert_array_equal(bands(minhash[:, :20], 4, 4), keys[:, :4])
    with pytest.raises(ValueError, match="do not fit"):
        bands(minhash, 5, 5)


def test_similarity_is_estimated() -> None:
    rng = np.random.default_rng(1)
    words = [f"w{i}" for i in rng.integers(0, 5000, 2000)]
    edited = list(words)
    for at in range(0, 2000, 100):
        edited[at] = "edited"
    ours = signed([" ".join(words), " ".join(edited)], permutations=1024)["minhash"].to_pylist()
    one, other = (set(shingles(" ".join(w))) for w in (words, edited))
    true = len(one & other) / len(one | other)
    estimate = agreement(signature(ours[0])[None], signature(ours[1])[None])[0]
    assert abs(estimate - true) < 0.05  # four standard deviations at 1,024 permutations


@pytest.mark.parametrize("parameters", [{"permutations": 0}, {"words": 0}, {"han": 33}, {"seed": -1}])
def test_parameters_out_of_range(parameters: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match=next(iter(parameters))):
        Sign(**parameters)


def test_golden() -> None:
    """Revision 3. If this fails and `Sign.revision` did not change: bump revision."""
    columns = signed([ENGLISH, CHINESE, MIXED])
    digest = xxhash.xxh3_64(b"".join(v for n in ("exact", "minhash") for v in columns[n].to_pylist()))
    table = xxhash.xxh3_64_hexdigest(key.table().astype("<u8").tobytes())
    assert (Sign.revision, digest.hexdigest(), table) == (3, "972ddee56ef9a3ff", "3cf2ce2d897d4a5a")
