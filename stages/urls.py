"""The canonical form of a URL: two addresses with one form are taken for one page.

RFC 3986 section 6 (safe for every server):
- scheme and host in lower case, no default or empty port, no dot at the end of the host;
- percent-encoding: unreserved characters are decoded, every other escape is upper-case, bytes that may not stand in a
  URL are encoded, a `%` that begins no escape is `%25`;
- dot segments are resolved; an empty path is `/`.

Beyond it, where a difference almost never leads to another page:
- `http` and `https` are one, `www.` (and `www2.`, ...) is dropped, user names too: the key of Common Crawl's index (the
  Internet Archive's SURT form) does the same, so a page has one line there;
- the fragment is dropped: it is not sent to the server;
- slashes at the end of the path are dropped: servers redirect the one to the other;
- parameters of the query that tell where a click came from or which session it belongs to are dropped (`TRACKING`), as
  is `;jsessionid=`; what is left is sorted by name (stable, as WHATWG's URLSearchParams.sort), empty pieces go.

Path and values keep their case. Hosts in other scripts become punycode by IDNA 2003, whose tables are frozen in the
standard library. A space or control character around the text is trimmed; tabs and line ends inside path and query are
skipped, as browsers do. Whatever is not `http(s)://host...` is its own form, trimmed. The form of a form is itself.

Work per URL is linear, but for the sort, which is left out beyond 64 parameters.
"""

import re

import numpy as np
import pyarrow as pa

from stages import urls_kernel as kernel
from stages.characters import utf8

_LONGEST_HOST = 255  # characters: RFC 1035, 2.3.4. The idna codec takes the square of a longer one

# Names in lower case, by who appends them. Sources: the general list of AdGuard's URL tracking filter (AdguardFilters,
# TrackParamFilter/sections/general_url.txt) and github.com/mpchadwick/tracking-query-params-registry, both with the
# platforms' own pages; for Chinese sites, links as they are met on them. Left out on purpose are names that elsewhere
# choose the page: `id`, `cid`, `ref`, `from`, `source`, `sid`, `share`, `__s`.
_BY_PLATFORM = {
    "Google": "gclid gclsrc dclid gbraid wbraid gad_source gad_campaignid srsltid usqp _ga _gl",
    "Meta": "fbclid fb_action_ids fb_action_types fb_ref fb_source igshid igsh",
    "Microsoft, X, TikTok, LinkedIn, Pinterest, Reddit": "msclkid twclid ttclid li_fat_id epik rdt_cid",
    "Yandex, impact.com, ShareASale": "yclid ysclid _openstat irclickid sscid",
    "Mailchimp, Marketo, HubSpot": "mc_cid mc_eid mkt_tok _hsenc _hsmi __hssc __hstc __hsfp hsctatracking",
    "Klaviyo, Vero, dotdigital, MailerLite": "_kx _ke vero_id vero_conv dm_i ml_subscriber ml_subscriber_hash",
    "Olytics, Listrak": "oly_anon_id oly_enc_id rb_clickid trk_contact trk_msg trk_module trk_sid",
    "Adobe, Marin, Wicked Reports, Branch": "s_cid s_kwcid ef_id mkwid pcrid wickedid _branch_match_id",
    "Matomo": "pk_campaign pk_kwd pk_keyword pk_source pk_medium pk_content pk_cid piwik_campaign piwik_kwd",
    "Alibaba and CSDN, bilibili": "spm scm utparam spm_id_from vd_source",
    "Baidu": "hmsr hmpl hmcu hmkw hmci bd_vid",
    "sessions of PHP, Java, ColdFusion, as in SURT": "phpsessid jsessionid cfid cftoken",
}
TRACKING = frozenset(" ".join(_BY_PLATFORM.values()).split())
PREFIXES = frozenset({"utm_", "mtm_", "hsa_"})  # to the first underscore: Google Analytics, Matomo, HubSpot's ads


def _fnv(name: bytes) -> int:
    value = kernel.FNV
    for byte in name:
        value = (value ^ byte) * kernel.FNV_PRIME % (1 << 64)
    return value


_CLASSES = kernel.classes()
_NAMES = np.sort(np.array([_fnv(name.encode()) for name in TRACKING], np.uint64))
_FAMILIES = np.sort(np.array([_fnv(name.encode()) for name in PREFIXES], np.uint64))


def canonical(column: pa.Array) -> pa.Array:
    """Canonical forms of n URLs (strings): n strings, "" for a null and for a URL of nothing but white space."""
    forms, kind = _formed(column)
    foreign = np.flatnonzero(kind == kernel.FOREIGN)
    if not len(foreign):
        return forms
    known: dict[bytes, bytes | None] = {}
    written = [_in_ascii(column[row].as_py().encode(), known) for row in foreign.tolist()]
    again, kind = _formed(pa.array(written, pa.string()))
    result = forms.to_pylist()
    for row, form, code in zip(foreign.tolist(), again.to_pylist(), kind.tolist(), strict=True):
        if code == 0:
            result[row] = form
    return pa.array(result, pa.string())


def hosts(forms: pa.Array) -> np.ndarray:
    """A hash of the host (with its port) of each of n canonical forms: (n,) uint64, 0 where there is none."""
    data, bounds = utf8(forms)
    found = np.zeros(len(forms), np.uint64)
    kernel.hash_hosts(data, bounds, found)
    return found


def _formed(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """-> forms, and what each URL is: 0, `kernel.NO_URL` or `kernel.FOREIGN`"""
    data, bounds = utf8(column)
    ends = np.zeros(len(bounds), np.int64)
    kind = np.zeros(len(bounds) - 1, np.uint8)
    sizes = np.diff(bounds.astype(np.int64))
    longest = 3 * int(sizes.max(initial=0)) + 16
    out = np.empty(int(bounds[-1]) - int(bounds[0]) + 2 * len(sizes) + longest, np.uint8)
    done = 0
    while True:
        done = kernel.form(data, bounds, _CLASSES, _NAMES, _FAMILIES, out, ends, kind, done, longest)
        if done == len(sizes):
            break
        out = np.concatenate([out, np.empty(len(out) + longest, np.uint8)])  # many bytes had to be escaped
    if ends[-1] >= 1 << 31:
        raise OverflowError(f"{ends[-1]:,} bytes of URLs in one batch; fewer than 2**31 fit into a column of strings")
    written = out[: ends[-1]].copy()
    return pa.StringArray.from_buffers(len(sizes), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(written)), kind


def _in_ascii(url: bytes, known: dict[bytes, bytes | None]) -> str | None:
    """A URL with its host in ASCII; None where it cannot be written so. `known` hosts are not asked for again."""
    scheme, middle, rest = url.partition(b"://")
    authority = re.split(rb"[/\\?#]", rest, maxsplit=1)[0]
    user, at, server = authority.rpartition(b"@")
    name, colon, port = server.partition(b":")
    if name not in known:
        known[name] = _punycode(name)
    host = known[name]
    if host is None:
        return None
    return b"".join([scheme, middle, user, at, host, colon, port, rest[len(authority) :]]).decode()


def _punycode(name: bytes) -> bytes | None:
    first, *parts = name.split(b"%")
    try:
        text = b"".join([first, *(bytes.fromhex(p[:2].decode()) + p[2:] for p in parts)]).decode()
        host = text.encode("idna") if len(text) <= _LONGEST_HOST else b""
    except ValueError:  # no escape, no UTF-8, or a label that IDNA forbids
        return None
    return host if host and all(_CLASSES[byte] & kernel.HOST for byte in host) else None
