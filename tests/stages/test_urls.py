"""Canonical URLs: examples of each rule, a slow reference, and laws."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.urls import PREFIXES, TRACKING, canonical, hosts
from stages.urls_kernel import MOST_SORTED


def form(url: str | None) -> str:
    return str(canonical(pa.array([url], pa.string()))[0])


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a", "http://example.com/a"),
        ("http://example.com:0080/a", "http://example.com/a"),
        ("http://example.com:/a", "http://example.com/a"),
        ("http://example.com:443/a", "http://example.com:443/a"),
        ("https://example.com:8443", "http://example.com:8443/"),
        ("http://www.example.com/", "http://example.com/"),
        ("http://WWW2.example.com/", "http://example.com/"),
        ("http://www.com/", "http://www.com/"),
        ("http://wwwx.example.com/", "http://wwwx.example.com/"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://user:word@example.com/a", "http://example.com/a"),
        ("http://example.com/a#part", "http://example.com/a"),
        ("http://example.com#part", "http://example.com/"),
        ("http://example.com?b=1", "http://example.com/?b=1"),
        ("http://example.com/a/", "http://example.com/a"),
        ("http://example.com/a//", "http://example.com/a"),
        ("http://example.com//a//b", "http://example.com//a//b"),
        ("http://example.com/a/./b/../c", "http://example.com/a/c"),
        ("http://example.com/../../a", "http://example.com/a"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http://example.com/a/%2e%2E/b", "http://example.com/b"),
        ("http://example.com\\a\\b", "http://example.com/a/b"),
        ("http://example.com/%7Euser/%e4%bd%a0", "http://example.com/~user/%E4%BD%A0"),
        ("http://example.com/你 好", "http://example.com/%E4%BD%A0%20%E5%A5%BD"),
        ("http://example.com/100%", "http://example.com/100%25"),
        ("http://example.com/%zz%4", "http://example.com/%25zz%254"),
        ("http://example.com/%2F%3f", "http://example.com/%2F%3F"),
        ("http://example.com/A?B=C", "http://example.com/A?B=C"),
        ("http://example.com/a?", "http://example.com/a"),
        ("http://example.com/a?&&", "http://example.com/a"),
        ("http://example.com/a?b=2&a=1&b=1&", "http://example.com/a?a=1&b=2&b=1"),
        ("http://example.com/a?a&a=", "http://example.com/a?a&a="),
        ("http://example.com/a?utm_source=x&id=3&UTM_Campaign=y&gclid=z&spm=a.b", "http://example.com/a?id=3"),
        ("http://example.com/a?fbclid=x", "http://example.com/a"),
        ("http://example.com/a?fbclid_not=x&u=utm_source", "http://example.com/a?fbclid_not=x&u=utm_source"),
        ("http://example.com/a;jsessionid=1F/b;JSESSIONID=2?x=1", "http://example.com/a/b?x=1"),
        ("http://example.com/a;b=1", "http://example.com/a;b=1"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("http://münchen.example/ä", "http://xn--mnchen-3ya.example/%C3%A4"),
        ("http://WWW.例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://user@ＥＸＡＭＰＬＥ.com:80/a", "http://example.com/a"),
        ("http://ex%61mple.com/", "http://example.com/"),
        (" \t http://example.com/a\nb \r\n", "http://example.com/ab"),
        # no URL of a page: the text itself
        ("ftp://Example.com/", "ftp://Example.com/"),
        ("  Example.com/a ", "Example.com/a"),
        ("http://", "http://"),
        ("http:///a", "http:///a"),
        ("http://./a", "http://./a"),
        ("http://a b/c", "http://a b/c"),
        ("http://example.com:8o/", "http://example.com:8o/"),
        ("http://[::1/", "http://[::1/"),
        ("http://[::1]x/", "http://[::1]x/"),
        ("http://ex%zzmple.com/A/", "http://ex%zzmple.com/A/"),
        ("http://a／b/C/", "http://a／b/C/"),
        (f"http://{'ä' * 300}.com/", f"http://{'ä' * 300}.com/"),
        ("", ""),
        (" \n", ""),
        (None, ""),
    ],
)
def test_one_form(url: str | None, want: str) -> None:
    assert form(url) == want


@pytest.mark.parametrize("name", sorted(TRACKING | {f"{prefix}x" for prefix in PREFIXES}))
def test_tracking_goes(name: str) -> None:
    assert form(f"http://a.example/?{name.upper()}=1&id=2&{name}") == "http://a.example/?id=2"


def test_too_many_parameters_keep_their_order() -> None:
    pieces = [f"p{number:03}=1" for number in reversed(range(MOST_SORTED + 1))]
    assert form("http://a.example/?" + "&".join(pieces)) == "http://a.example/?" + "&".join(pieces)
    assert form("http://a.example/?" + "&".join(pieces[1:])) == "http://a.example/?" + "&".join(pieces[:0:-1])


# -- laws --------------------------------------------------------------------------------------------------------------

_SAFE = "abcXYZ019-._~"


def escaped(text: bytes, allowed: str) -> str:
    """Percent-encoding normalised, the slow way."""
    out = ""
    for piece in re.findall(rb"%[0-9a-fA-F]{2}|.", text, re.DOTALL):
        byte = int(piece[1:], 16) if len(piece) == 3 else piece[0]
        unreserved = re.match(r"[A-Za-z0-9._~-]", chr(byte))
        if unreserved or (len(piece) == 1 and chr(byte) in allowed):
            out += chr(byte)
        elif len(piece) == 3 or chr(byte) not in "\t\r\n":
            out += f"%{byte:02X}"
    return out


def reference(host: str, port: str, path: str, query: str) -> str:
    segments: list[str] = []
    raw = [escaped(s.encode(), "!$&'()*+,;=:@") for s in re.split(r"[/\\]", path)]
    for number, segment in enumerate(raw):
        segment = re.sub(r";jsessionid=.*", "", segment, flags=re.IGNORECASE)
        last = number == len(raw) - 1
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
        if last and segment in (".", ".."):
            segments.append("")
    pieces = [escaped(p.encode(), "!$'()*+,;=:@/?") for p in query.split("&")]
    pieces = [p for p in pieces if p and p.split("=")[0].lower() not in TRACKING]
    pieces = [p for p in pieces if p.split("=")[0].lower()[:4] not in PREFIXES]
    pieces.sort(key=lambda p: p.split("=")[0])
    kept = "/" + "/".join(segments).rstrip("/")
    return f"http://{host.lower()}{port}{kept}" + ("?" + "&".join(pieces) if pieces else "")


hosts_ = st.lists(st.text("abC019-_", min_size=1, max_size=5), min_size=2, max_size=4).map(".".join)
paths = st.lists(
    st.sampled_from(
        ["", ".", "..", "a", "B~", "%7e", "%2E", "é", "你", "x y", "%", "%4", ";jsessionid=3", "a;b", "\t"]
    ),
    max_size=6,
).map("/".join)
pieces = st.tuples(
    st.sampled_from(["a", "b", "utm_x", "GCLID", "spm", "A", "%61", "", "ü"]), st.sampled_from(["", "=", "=1", "=?/"])
)
queries = st.lists(pieces.map("".join), max_size=8).map("&".join)


@settings(deadline=None)
@given(
    st.sampled_from(["http://", "HTTPS://"]),
    hosts_,
    st.sampled_from(["", ":8080", ":81"]),
    paths,
    queries,
    st.booleans(),
)
def test_the_slow_reference(scheme: str, host: str, port: str, path: str, query: str, fragment: bool) -> None:
    if re.match(r"www\d*\.", host, re.IGNORECASE):
        host = f"x{host}"
    url = f"{scheme}{host}{port}/{path}?{query}" + ("#f/?&" if fragment else "")
    assert form(url) == reference(host, port, path, query)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(),
            st.text().map("http://a.example/".__add__),
            st.text(_SAFE + ":/?#@%&=;\\ [").map("http://".__add__),
        ),
        max_size=6,
    )
)
def test_any_text_has_a_form_which_is_its_own(urls: list[str | None]) -> None:
    once = canonical(pa.array(urls, pa.string()))
    assert len(once) == len(urls)
    assert canonical(once).to_pylist() == once.to_pylist()
    assert [form(url) for url in urls] == once.to_pylist()


def test_slices_and_escapes_longer_than_the_text() -> None:
    urls = pa.array([None, "x", *[f"http://a.example/{'你' * n}" for n in range(200)], ""])
    assert canonical(urls.slice(2, 200)).to_pylist() == canonical(urls).to_pylist()[2:202]
    assert canonical(urls.slice(0, 0)).to_pylist() == []


def test_hosts() -> None:
    forms = canonical(
        pa.array(
            ["http://www.a.example/1", "https://A.example?2", "http://b.example", "http://b.example:81", "text", None]
        )
    )
    found = hosts(forms)
    assert found[0] == found[1] != 0
    assert len(set(found[1:5].tolist())) == 4
    assert found[4:].tolist() == [0, 0]
    assert found.dtype == np.uint64
