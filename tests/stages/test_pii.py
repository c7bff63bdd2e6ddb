"""E-mail addresses and numbers that name a person: what is replaced, what is not, and that once is enough."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages.pii import KINDS, PLACEHOLDERS, Pii
from stages.pii_numbers import identity, luhn


def replaced(*texts: str | None, **parameters: Any) -> tuple[list[str], list[tuple[int, ...]]]:
    stage = Pii(**parameters)
    columns = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), stage.load({}))
    assert {name: column.type for name, column in columns.items()} == Pii.adds
    counts = zip(*(columns[f"pii_{kind}"].to_pylist() for kind in KINDS), strict=True)
    return columns["text"].to_pylist(), list(counts)


def wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


FOUND = {
    "<EMAIL>": [
        "zhang.san@qq.com", "a@b.cn", "first.last+tag@mail.example.co.uk", "USER_01@163.COM", "x-y@sub-domain.example.org",
        "12345678@qq.com", "13812345678@139.com", "a%b@example.net", "wang@example.com.cn",
    ],
    "<PHONE>": [
        "13812345678", "138 1234 5678", "138-1234-5678", "1381-234-5678", "+8613812345678", "+86 13812345678",
        "+86-138-1234-5678", "+86 138 1234 5678", "86-13812345678", "8613812345678", "008613812345678", "0086 13812345678",
        "(+86)13812345678", "(86) 138 1234 5678", "19912345678", "010-62345678", "(010)62345678", "(0571) 87654321",
        "0755-2678 8888", "021 6234 5678", "0571-8765432", "+86-10-62345678", "+86 571 87654321", "0086-0816-6623109",
    ],
    "<ID>": [
        "11010519491231002X", "11010519491231002x", "440524188001010014", "110105 19491231 002X", "110105-19491231-002X",
    ],
    "<CARD>": [
        "6222020000000000000", "6217 0000 0000 0000 001", "4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111",
        "5555555555554444", "378282246310005", "3782 822463 10005", "30569309025904", "3530111333300000", "6011111111111117",
        "622202 0000000000000", "9558800000000000004",
    ],
    "<IP>": [
        "114.114.114.114", "202.96.209.5", "2400:3200:baba::1", "2001:4860:4860:0:0:0:0:8888",
        "2606:4700::1111",
    ],
}  # fmt: skip


def valid(mark: str, form: str) -> str:
    """The form with its last digit made right, where the check digit was not written out."""
    if mark != "<CARD>":
        return form
    places = [at for at, char in enumerate(form) if char.isdigit()]
    for digit in "0123456789":
        form = form[: places[-1]] + digit + form[places[-1] + 1 :]
        if luhn(np.array([int(form[at]) for at in places]), len(places)):
            return form
    raise AssertionError(form)


@pytest.mark.parametrize(("mark", "form"), [(mark, form) for mark, forms in FOUND.items() for form in forms])
def test_every_written_form_is_found(mark: str, form: str) -> None:
    form = valid(mark, form)
    number = PLACEHOLDERS.index(mark)
    texts = [
        f"请联系{form}，谢谢", f"卡号或电话：{form}", form, f"（{form}）", f"联系 {form} 即可\n第二行", f"bank account, phone, IP: {form}.",
    ]  # fmt: skip
    wanted = [text.replace(form, mark) for text in texts]
    got, counts = replaced(*texts)
    assert got == wanted
    assert counts == [tuple(int(kind == number) for kind in range(5))] * len(texts)


@pytest.mark.parametrize(
    ("mark", "form"),
    [(mark, form) for mark, forms in FOUND.items() for form in forms if ":" not in form],
)
def test_full_width_forms_count(mark: str, form: str) -> None:
    form = valid(mark, form)
    assert replaced(f"请联系{wide(form)}，谢谢")[0] == [f"请联系{mark}，谢谢"]


@pytest.mark.parametrize(
    "text",
    [
        # Longer numbers, decimals, amounts, paths, codes.
        "编号 138123456789", "编号1381234567", "值 0.13812345678 和 13812345678.5", "共13812345678元", "￥13812345678", "约 $13812345678",
        "订单号：13812345678", "a13812345678", "13812345678abc", "见 /thread/13812345678.html", "13812345678-01", "12-13812345678",
        "doi:10.1000/13812345678", "ISBN 978-7-111-12345-6", "ISBN 9787111123456", "1609459200000", "20130101120000", "2013-01-01 12:00",
        "18位数字 110105194912310021", "身份证 99010519491231002X", "身份证 110105194913310026", "卡号 4111111111111112", "卡号 9999999999999995",
        "数据 135 2461 8790 221", "12 138 1234 5678", "400-820-6666", "热线 95588", "010-1234567", "1234-5678 9012",
        "a prime number 13312286461, is it?", "KQU( 6260933257596067126), KQU( 1)", "node=17051031011&x", "条码 4006381333931",
        # Addresses.
        "192.168.1.1 10.0.0.1 127.0.0.1 172.16.3.4 224.0.0.1 0.0.0.0 255.255.255.255 192.0.2.1 100.64.1.1", "版本 22.33.44.55",
        "v22.33.44.55", "section 4.2.1.3", "1.2.3.4.5", "22.33.44.256", "022.33.44.55", "Chrome/91.22.44.124", "fe80::1 ::1 2001:db8::1",
        "std::vector 2001::", "12:34:56:78", "2023:12:05", "22.33.44.55.in-addr.arpa",
        "git@github.com:x/y", "@name", "a@b", "icon@2x.png", "W@self.weight", "lodash@4.17.1", "a @ b.com", "@decorator.name", "x@.com",
        "x" * 65 + "@example.com",
    ],
)  # fmt: skip
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert replaced(text) == ([text], [(0,) * 5])


def test_lists_and_neighbours() -> None:
    got, counts = replaced(
        "手机13812345678/13912345678、13712345678,13612345678 13512345678",
        "138 1234 5678 139 1234 5678",
        "发到a@b.cn或者c@d.com。IP为202.96.209.5-202.96.209.9:80",
        "mail foo@bar.com.I am here",
        "http://user:secret@example.com/",
    )
    assert got == [
        "手机<PHONE>/<PHONE>、<PHONE>,<PHONE> <PHONE>",
        "<PHONE> <PHONE>",
        "发到<EMAIL>或者<EMAIL>。IP为<IP>-<IP>:80",
        "mail <EMAIL>.I am here",
        "http://user:<EMAIL>/",
    ]
    assert [sum(count) for count in counts] == [5, 2, 4, 1, 1]


def test_kinds_can_be_chosen() -> None:
    text = "电话13812345678，邮箱a@b.cn，身份证11010519491231002X"
    assert replaced(text, kinds=("phone",)) == (
        ["电话<PHONE>，邮箱a@b.cn，身份证11010519491231002X"],
        [(0, 0, 1, 0, 0)],
    )
    for wrong in ((), ("phones",)):
        with pytest.raises(RecipeError, match="Expected some of email"):
            Pii(kinds=wrong)


def test_nulls_and_slices() -> None:
    stage = Pii()
    column = pa.array(["x", None, "电话13812345678", "a@b.cn", ""]).slice(1)
    columns = stage.apply(pa.record_batch({"text": column}), stage.load({}))
    assert columns["text"].to_pylist() == ["", "电话<PHONE>", "<EMAIL>", ""]
    assert columns["pii_phone"].to_pylist() == [0, 1, 0, 0]


def test_a_second_look_finds_what_the_first_uncovered() -> None:
    hidden = "版本@example.com"  # no address
    text = "中 " + "x" * 30 + "@example.com 17638091991 zz"
    got, counts = replaced(text, hidden)
    assert got == ["中 <EMAIL> <PHONE> zz", hidden]
    assert counts == [(1, 0, 1, 0, 0), (0,) * 5]


@given(st.integers(11, 82), st.dates(), st.integers(0, 999))
@settings(max_examples=100, deadline=None)
def test_identity_numbers_have_one_check_digit(province: int, day: Any, serial: int) -> None:
    digits = np.array([int(char) for char in f"{province}0105{day:%Y%m%d}{serial:03}".zfill(17)])
    right = [check for check in range(11) if identity(digits, check)]
    assert len(right) <= 1
    if right and day.year >= 1880:
        weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        remainder = sum(int(a) * b for a, b in zip(digits, weights, strict=True)) % 11
        assert "10X98765432"[remainder] == "0123456789X"[right[0]]


PIECES = st.sampled_from(
    [form for forms in FOUND.values() for form in forms]
    + [*PLACEHOLDERS, "a@b.cn", "138", "1234", "5678", "86", "+86", "010", "22.33.44.55", "1.2.3.4", "version", "订单", "phone", "卡"]
    + list(" -./,:@+()=<>_年x１３０８\u3000\n")
)  # fmt: skip


@given(st.lists(PIECES, max_size=10).map("".join))
@example("138 1234 5678 13812345678")
@example("138 1234 5678 12a@b.cn")
@example("version@b.cn 22.33.44.55")
@settings(max_examples=1500, deadline=None)
def test_once_is_enough(text: str) -> None:
    once, counts = replaced(text)
    twice, none = replaced(*once)
    assert twice == once
    assert none == [(0,) * 5]
    for mark, count in zip(PLACEHOLDERS, counts[0], strict=True):
        assert once[0].count(mark) == count + text.count(mark)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("0123456789@.１"), max_size=40), max_size=5
    )
)
@settings(max_examples=200, deadline=None)
def test_documents_do_not_touch_each_other(texts: list[str]) -> None:
    whole = replaced(*texts)
    single = [replaced(text) for text in texts]
    assert whole == ([text for (text,), _ in single], [count for _, (count,) in single])
    for text, got in zip(texts, whole[0], strict=True):
        if not any(char.isdigit() or char in "@＠" for char in text):
            assert got == text
