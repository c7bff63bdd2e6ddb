"""Keyed hashes: published vectors, which URLs are the same, what a host names."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import keyed
from corpus.keyed import find_urls, host_hashes, id_hashes, key_of, sorted_pairs, url_hashes

KEY = key_of("salt")


def sip(data: bytes) -> str:
    key = np.frombuffer(bytes(range(16)), "<u8").astype(np.uint64)
    pair = keyed._sip(np.frombuffer(data or b"\0", np.uint8), 0, len(data), key)
    return b"".join(int(one).to_bytes(8, "little") for one in pair).hex()


def test_siphash_against_published_values() -> None:
    """The first outputs for the key 00 01 … 0f over the messages "", 00, in `vectors.h` of the reference code."""
    assert sip(b"") == "a3817f04ba25a8e66df67214c7550293"
    assert sip(b"\0") == "da87c1d86b99af44347659119b22fc45"


def spelt(url: str) -> tuple[str, str]:
    data = np.frombuffer(url.encode() or b"\0", np.uint8)
    out = np.zeros(len(data) + 1, np.uint8)
    n, begin, end = keyed._spell(data, 0, len(url.encode()), out)
    return bytes(out[:n]).decode(), bytes(out[begin:end]).decode()


@pytest.mark.parametrize(
    ("url", "as_compared", "host"),
    [
        ("HTTP://Example.ORG", "example.org/", "example.org"),
        ("https://example.org:443/A?b#c", "example.org/A?b", "example.org"),
        ("http://example.org:8080/", "example.org:8080/", "example.org"),
        ("http://example.org:/", "example.org/", "example.org"),
        ("http://example.org?q", "example.org/?q", "example.org"),
        ("http://u:p@example.org:80/x#", "u:p@example.org/x", "example.org"),
        ("ftp://Example.org/A", "ftp://example.org/A", "example.org"),
        ("http://[::1]:80/x", "[::1]/x", "[::1]"),
        ("example.org/page", "example.org/page", "example.org"),
        ("http://例.example/页", "例.example/页", "例.example"),
        ("", "/", ""),
    ],
)
def test_how_urls_are_compared(url: str, as_compared: str, host: str) -> None:
    assert spelt(url) == (as_compared, host)


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["http://a.b/c", "a.b", "://", "[", "@:"]))))
def test_any_string_can_be_asked_for(urls: list[str | None]) -> None:
    array = pa.array(urls, pa.string())
    there = sorted({url for url in urls if url is not None})[::2]
    hi, lo = sorted_pairs(*url_hashes(KEY, pa.array(there, pa.string())))
    found = set(find_urls(KEY, array, hi, lo)[0].tolist())
    same = {spelt(url)[0] for url in there}
    assert found == {i for i, url in enumerate(urls) if url is not None and spelt(url)[0] in same}


def test_a_host_names_what_is_below_it() -> None:
    urls = ["http://b.example/", "http://a.b.example:81/x", None, "https://ab.example/", "http://example/", "b.example"]
    hi, lo = sorted_pairs(*host_hashes(KEY, pa.array(["b.example"])))
    assert find_urls(KEY, pa.array(urls, pa.string()), hi, lo)[0].tolist() == [0, 1, 5]
    assert find_urls(KEY, pa.array([None], pa.string()), hi, lo)[0].tolist() == []


def test_many_hits_and_slices() -> None:
    urls = pa.array(["http://x.example/", *(f"http://b.example/{i}" for i in range(500))])
    hi, lo = sorted_pairs(
        *(np.concatenate(p) for p in zip(url_hashes(KEY, urls), host_hashes(KEY, pa.array(["example"]))))
    )
    rows, places = find_urls(KEY, urls.slice(1), hi, lo)
    assert np.bincount(rows).tolist() == [2] * 500
    assert len(np.unique(places)) == 501


def test_kinds_and_salts_have_hashes_of_their_own() -> None:
    one = pa.array(["0123456789abcdef"])
    pairs = [
        host_hashes(KEY, one),
        host_hashes(key_of("other"), one),
        id_hashes(KEY, one.cast(pa.binary()).cast(pa.binary(16))),
        url_hashes(KEY, one),
    ]
    assert len({(int(hi[0]), int(lo[0])) for hi, lo in pairs}) == 4
