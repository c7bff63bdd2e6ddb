"""Sign against xxhash and datasketch, with keys and shingles made again in plain Python."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages.minhash import agreement, bands, xxh32
from stages.sign import Sign

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
        if char in "'\u2019" or (unicodedata.category(char) in ("Cf", "Cc") and char not in "\n\t"):
            continue
        if unicodedata.combining(char) and name.startswith("COMBINING"):
            continue
        if name.startswith("CJK UNIFIED") or kana:
            out += [(word, False)] * bool(word) + [(unicodedata.normalize("NFKC", char), True)]
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


def shingle_bytes(text: str, words: int = 5, han: int = 8) -> list[bytes]:
    parts = units(text)
    out = []
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            if sum(words if single else han for _, single in parts[start:end]) >= words * han:
                out.append(key_text(parts[start:end]).encode())
                break
    return out or ([key_text(parts).encode()] if parts else [])


def signed(texts: list[str] | pa.Array, **parameters: int) -> dict[str, pa.Array]:
    stage = Sign(**parameters)
    column = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    columns = stage.apply(pa.record_batch({"text": column}), stage.load({}))
    assert {name: column.type for name, column in columns.items()} == stage.adds
    return columns


def signature(value: bytes | None) -> np.ndarray:
    assert value is not None
    return np.frombuffer(value, "<u4")


def check(text: str, **parameters: int) -> None:
    stage = Sign(**parameters)
    columns = {name: column[0].as_py() for name, column in signed([text], **parameters).items()}
    shingles = shingle_bytes(text, stage.words, stage.han)
    assert columns["shingles"] == len(shingles)
    if not shingles:
        assert columns["exact"] is None
        assert columns["minhash"] is None
        return
    assert columns["exact"] == xxhash.xxh3_128_digest(key_text(units(text)).encode())
    theirs = MinHash(num_perm=stage.permutations, seed=stage.seed, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    theirs.update_batch(shingles)
    np.testing.assert_array_equal(signature(columns["minhash"]), theirs.hashvalues)


@pytest.mark.parametrize("text", [ENGLISH, CHINESE, MIXED, ENGLISH + CHINESE * 3 + MIXED, MIXED * 40])
def test_signature_is_datasketchs(text: str) -> None:
    check(text)
    check(text, permutations=64, seed=7, words=3, han=5)
    check(text, permutations=33, seed=2**32 - 1, words=1, han=1)


LETTERS = (
    "abcDEFéÉüÑßжЖΩ０Ａｂ９12 \u3000 \n\t.,'’-_()#—…“”!?。，！《》、的是在了和一不有国カメラひらー😀→"
    "\u0301\u200b\ufeffﬁ²𝐀𠀀"
)
documents = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=120),
    st.lists(st.sampled_from(["the", "Cat", "sat", "。", "中文", "漢字", "7", ", "]), max_size=60).map(" ".join),
)


@settings(max_examples=150, deadline=None)
@given(documents, st.integers(1, 6), st.integers(1, 9))
def test_any_text(text: str, words: int, han: int) -> None:
    check(text, permutations=40, words=words, han=han)


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, max_size=12), st.data())
def test_batching_and_slices_change_nothing(texts: list[str], data: st.DataObject) -> None:
    whole = signed(texts)
    start = data.draw(st.integers(0, len(texts)))
    stop = data.draw(st.integers(start, len(texts)))
    part = signed(pa.array(texts, pa.string()).slice(start, stop - start))
    for name in whole:
        assert part[name].to_pylist() == whole[name].slice(start, stop - start).to_pylist()


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
    ],
)
def test_what_the_key_forgets(one: str, other: str) -> None:
    exact = signed([one, other])["exact"]
    assert exact[0] == exact[1]
    assert exact[0].is_valid


@pytest.mark.parametrize(
    ("one", "other"),
    [("ab c", "a bc"), ("item 1", "item 2"), ("漢字", "汉字"), ("は", "ば"), ("one two", "two one"), ("ß", "ss")],
)
def test_what_the_key_keeps(one: str, other: str) -> None:
    exact = signed([one, other])["exact"]
    assert exact[0] != exact[1]


def test_five_words_eight_characters() -> None:
    assert shingle_bytes("One two, three four five six") == [b"one two three four five", b"two three four five six"]
    assert shingle_bytes("一二三四五六七八九。") == ["一二三四五六七八".encode(), "二三四五六七八九".encode()]
    # 8 + 8 + 5 * 5 = 41 >= 40
    assert shingle_bytes("big data一二三四五六")[0] == "big data一二三四五".encode()
    counts = signed(["a b c d e f", "一二三四五六七八九", "big data一二三四五", "big data一二三四"])["shingles"]
    assert counts.to_pylist() == [2, 2, 1, 1]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 20))
def test_xxh32(data: bytes, start: int) -> None:
    start = min(start, len(data))
    buffer = np.frombuffer(data + b"beyond", np.uint8)
    assert int(xxh32(buffer, start, len(data))) == xxhash.xxh32_intdigest(data[start:])


def test_every_length_of_xxh32() -> None:
    data = bytes(range(100))
    buffer = np.frombuffer(data, np.uint8)
    for size in range(101):
        assert int(xxh32(buffer, 0, size)) == xxhash.xxh32_intdigest(data[:size])


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
    one, other = (set(shingle_bytes(" ".join(w))) for w in (words, edited))
    true = len(one & other) / len(one | other)
    estimate = agreement(signature(ours[0])[None], signature(ours[1])[None])[0]
    assert abs(estimate - true) < 0.05  # four standard deviations at 1,024 permutations


@pytest.mark.parametrize("parameters", [{"permutations": 0}, {"words": 0}, {"han": 33}, {"seed": -1}])
def test_parameters_out_of_range(parameters: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match=next(iter(parameters))):
        Sign(**parameters)


def test_golden() -> None:
    """Revision 1. If this fails and `Sign.revision` did not change: bump revision."""
    columns = signed([ENGLISH, CHINESE, MIXED])
    digest = xxhash.xxh3_64_hexdigest(b"".join(v for n in ("exact", "minhash") for v in columns[n].to_pylist()))
    assert (Sign.revision, digest) == (1, "59eb1ae39b13c2bd")
