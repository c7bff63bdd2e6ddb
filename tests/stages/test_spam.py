"""Spam at the edges of a text and spam throughout, by example and by law."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages import spam_edges, spam_lexicon
from stages.judge import Judge
from stages.spam import SPAM_SIGNALS, Spam, measured
from stages.spam_lexicon import CATEGORIES, Lexicon, Term
from stages.spam_lines import HITS, LETTERS, LINKS, POINTS, WEIGHT

ARTICLE = (
    "国家统计局今天公布的数据显示，前三季度经济运行总体平稳，居民收入的增长与经济增长基本同步，就业形势保持稳定。\n"
    "专家认为，随着各项政策的落实，这一趋势还会继续下去，但是外部环境的不确定性也在增加。\n"
    "（记者 王芳）"
)
ENGLISH = (
    "The harbour was quiet in the morning, and the boats that had come in during the night lay side by side.\n"
    "By noon the wind had turned, and nobody spoke of leaving before the next day."
)
PORN = "成人电影 日本毛片 免费观看 无码专区 国产自拍"
GAMBLING = "澳门新葡京|百家乐|时时彩|注册送彩金|真人荷官"


def columns(*texts: str | None, urls: list[str | None] | None = None, **parameters: Any) -> dict[str, list[Any]]:
    stage = Spam(**parameters)
    batch = pa.record_batch(
        {"text": pa.array(texts, pa.string()), "url": pa.array(urls or [None] * len(texts), pa.string())}
    )
    made = stage.apply(batch, stage.load({}))
    assert {name: column.type for name, column in made.items()} == Spam.adds
    return {name: column.to_pylist() for name, column in made.items()}


def test_the_files_are_those_of_the_revision() -> None:
    data = spam_lexicon.TERMS.read_bytes() + spam_lexicon.PAIRS.read_bytes()
    assert (Spam.revision, hashlib.sha256(data).hexdigest()[:16]) == (1, "a73f8b82c234aee6"), (
        "bump the revision, then pin"
    )


@pytest.mark.parametrize(
    ("spam", "kind"),
    [
        (PORN, "porn"),
        (GAMBLING, "gambling"),
        ("澳門新葡京 百家樂 時時彩 註冊送彩金", "gambling"),
        ("成 人 电 影 日 本 毛 片 无 码 专 区", "porn"),
        ("百★家★乐 时★时★彩 老★虎★机", "gambling"),
        ("ＢＥＴ３６５ 百家乐 开元棋牌", "gambling"),
        ("代开发票 办证刻章 高仿名表 QQ：123456789", "illicit"),
        ("buy viagra | cheap cialis | generic viagra", "illicit"),
        ("下载app 官网下载 破解版 传奇私服 关键词排名", "seo"),
        ("【福润】现房热销中！首付仅19万起，送豪礼，详询：4008881234", "ads"),
        ("http://a1.example.cn http://b2.example.com/x www.c3example.net www.d4example.top", "links"),
    ],
)
@pytest.mark.parametrize("article", [ARTICLE, ENGLISH])
def test_a_line_of_spam_goes_and_the_article_stays(spam: str, kind: str, article: str) -> None:
    found = columns(f"{spam}\n{article}", f"{article}\n{spam}", f"{spam}\n\n{article}\n{spam}\n")
    assert found["text"] == [article, f"{article}\n", f"{article}\n"]
    assert found["spam_cut_kind"] == [kind] * 3
    assert found["spam_cut_lines"] == [1, 1, 2]
    size = len(spam.encode())
    assert found["spam_cut_bytes"] == [size + 1, size, 2 * size + 3]
    assert found["spam_cuts"][0] == [{"start": 0, "end": size + 1}]
    assert found["spam_score"] == [0, 0, 0]


@pytest.mark.parametrize(
    "text",
    [
        ARTICLE,
        ENGLISH,
        f"{ARTICLE}\n{PORN}\n{ARTICLE}",
        f"最高法发布关于办理利用六合彩赌博案件的意见\n{ARTICLE}",
        f"百家乐\n{ARTICLE}",
        f"{ARTICLE}\n作者：张三 译者：李四 校对：王五\n本文由志愿者翻译，欢迎转载",
        f"目录 前言 正文 附录 参考文献 索引 后记\n{ARTICLE}",
        "白日依山盡，黃河入海流。\n欲窮千里目，更上一層樓。",
        f"{ENGLISH}\nSee https://example.org/a and https://example.org/b for the sources of these figures.",
        "",
    ],
)
def test_what_is_no_spam_or_no_edge_stays(text: str) -> None:
    found = columns(text)
    assert found["text"] == [text]
    assert found["spam_cut_bytes"] == [0]
    assert found["spam_cut_kind"] == [None]
    assert found["spam_cuts"] == [[]]
    assert found["spam_score"][0] < 0.4


def test_a_title_between_two_lines_of_spam_stays() -> None:
    assert columns(f"{PORN}\n港口的早晨\n{GAMBLING}\n{ARTICLE}")["text"] == [f"港口的早晨\n{ARTICLE}"]


def test_a_page_of_spam_keeps_all_and_is_told() -> None:
    page = "\n".join([PORN, GAMBLING] * 4)
    found = columns(page, ARTICLE, None)
    assert found["text"] == [page, ARTICLE, ""] or found["text"] == [page, ARTICLE, None]
    assert found["spam_score"] == [1, 0, 0]
    assert found["spam_line_share"] == [1, 0, 0]
    assert found["spam_porn_per_1000"][0] > 100
    assert found["spam_points"][0] > 750 > 0 > found["spam_points"][1]


def test_the_judge_drops_by_the_pack() -> None:
    judge = Judge(packs=("spam",))
    assert set(judge.reads) == {"spam_score", "spam_url", "spam_host"}
    found = columns(
        "\n".join([PORN] * 8), f"{PORN}\n{ARTICLE}", ARTICLE, urls=[None, None, "https://x.cn/porn/xxx-videos"]
    )
    batch = pa.record_batch({name: pa.array(found[name], SPAM_SIGNALS[name]) for name in judge.reads})
    assert judge.apply(batch, None)["drop"].to_pylist() == ["spam.max_spam_score", None, "spam.max_spam_url"]
    assert set(Judge().reads).isdisjoint(SPAM_SIGNALS)
    assert "spam_line_share" in Judge(override={"zh": {"max_spam_line_share": 0.5}}).reads
    with pytest.raises(RecipeError, match="Did you mean `max_spam_score`"):
        Judge(packs=("spam",), override={"spam": {"spam_scores": 0.5}})


def test_hosts_of_a_list(tmp_path: Any) -> None:
    (tmp_path / "hosts").write_text("# a list\nbad.example\n")
    stage = Spam(domains=("hosts",))
    assert stage.assets == ("hosts",)
    urls = ["http://bad.example/", "https://a.bad.example:80/x", "http://notbad.example/", "http://[", None]
    batch = pa.record_batch({"text": pa.array([ARTICLE] * 5), "url": pa.array(urls)})
    made = stage.apply(batch, stage.load({"hosts": tmp_path / "hosts"}))
    assert made["spam_host"].to_pylist() == [1, 1, 0, 0, 0]


def test_a_threshold_too_low_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 80"):
        Spam(threshold=3)


# -- kernels -------------------------------------------------------------------------------------------------------

TOY = spam_lexicon.read_terms(
    "## gambling | x\n70\t赌场\n100\t网上赌场\n## seo | x\n50\tab\n90\tab cd\n## porn | x\n60\ta片\n"
)


def lines(text: str, lexicon: Lexicon) -> np.ndarray:
    data = np.frombuffer(text.encode(), np.uint8)
    return measured(data, np.array([0, len(data)], np.int32), lexicon)[1]


def hits(text: str) -> dict[str, int]:
    row = lines(text, spam_lexicon.built(TOY, {}))[0]
    return {name: int(row[HITS + n]) for n, name in enumerate(CATEGORIES) if row[HITS + n]}


def test_terms_are_found_as_words_and_the_longest_counts() -> None:
    assert hits("网上赌场") == hits("赌场") == {"gambling": 1}
    assert lines("网上赌场", spam_lexicon.built(TOY, {}))[0, WEIGHT + 1] == 100  # not 70 more for what it holds
    assert hits("网 上 赌-场") == {"gambling": 1}
    assert hits("网上，赌，场") == hits("赌...场") == {}
    assert hits("ab") == hits("x ab, y") == hits("ＡＢ") == {"seo": 1}
    assert hits("xab") == hits("abx") == hits("ab1") == {}
    assert lines("ab  cd", spam_lexicon.built(TOY, {}))[0, WEIGHT + 3] == 90
    assert hits("看a片吗") == {"porn": 1}
    assert hits("xa片") == {}


def test_a_term_counts_twice_in_a_line_and_all_hits_are_told() -> None:
    row = lines("赌场 赌场 赌场 赌场", spam_lexicon.built(TOY, {}))[0]
    assert (row[HITS + 1], row[WEIGHT + 1], row[LETTERS]) == (4, 140, 8)


def test_pairs_speak_where_no_term_does() -> None:
    lexicon = spam_lexicon.built([], {spam_lexicon.folded("赌球"): 40, "球": 20})
    assert lines("赌球", lexicon)[0, POINTS] > lines("球赌", lexicon)[0, POINTS] > lines("书本", lexicon)[0, POINTS]


def test_links_are_counted() -> None:
    assert lines("http://a.cn/x www.b.com 看 c.top d.nett", spam_lexicon.built(TOY, {}))[0, LINKS] == 3


def test_a_wrong_file_is_told() -> None:
    with pytest.raises(ValueError, match="line 1: category 'pron'"):
        spam_lexicon.read_terms("## pron | x\n3\ta\n")
    with pytest.raises(ValueError, match="line 2: got 'x"):
        spam_lexicon.read_terms("## porn | x\nx\ta\n")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("甲乙丙", min_size=1, max_size=4), max_size=8, unique=True), st.text("甲乙丙丁", max_size=30))
def test_the_automaton_finds_every_term(words: list[str], text: str) -> None:
    for word in words:
        # Of terms that overlap the heaviest counts, so one that outweighs the others is seen wherever it stands alone;
        # where a longer one ends with it, that one stands there, too.
        lexicon = spam_lexicon.built([Term(w, w == word, 99 if w == word else 1) for w in words], {})
        row = lines(text, lexicon)
        longer = [w for w in words if w != word and w.endswith(word)]
        ends = [at for at in range(len(text) + 1) if text[:at].endswith(word)]
        if any(not text[:at].endswith(tuple(longer)) for at in ends):
            assert row[0, HITS + 1] > 0
        if word not in text:
            assert not row[:, HITS + 1].any()


pieces = st.one_of(
    st.sampled_from([PORN, GAMBLING, "", "港口的早晨", "http://a.cn", *ARTICLE.split("\n"), *ENGLISH.split("\n")]),
    st.text(max_size=20),
)
documents = st.lists(st.tuples(pieces, st.sampled_from(["\n", "\r\n", "\r", "\n\n"])), max_size=8).map(
    lambda parts: "".join(a + b for a, b in parts)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(documents, min_size=1, max_size=4))
def test_laws(texts: list[str]) -> None:
    found = columns(*texts)
    for number, text in enumerate(texts):
        data, spans = text.encode(), found["spam_cuts"][number]
        # The spans are what is missing, and nothing between kept lines is.
        places = [0, *(place for span in spans for place in (span["start"], span["end"])), len(data)]
        kept = b"".join(data[a:b] for a, b in zip(places[::2], places[1::2], strict=True))
        assert kept.decode() == found["text"][number]
        assert found["spam_cut_bytes"][number] == len(data) - len(kept)
        assert places == sorted(places)
        alone = columns(text)
        assert all(alone[name][0] == found[name][number] for name in alone)


@settings(max_examples=40, deadline=None)
@given(documents)
def test_every_line_is_measured_once(text: str) -> None:
    data = np.frombuffer(text.encode(), np.uint8)
    _, table = measured(data, np.array([0, len(data)], np.int32), spam_lexicon.shipped())
    ends = table[:, 1].tolist()
    assert table[:, 0].tolist() == [0, *ends[:-1]][: len(ends)]
    assert (ends[-1] if ends else 0) == len(data)
    assert len(ends) == len(text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")) * bool(text)


def test_the_middle_is_never_looked_at() -> None:
    long = "\n".join([PORN] * (spam_edges.EDGE_LINES + 5))
    found = columns(f"{long}\n" + f"{ARTICLE}\n" * 80)
    assert found["spam_cut_lines"] == [spam_edges.EDGE_LINES]
