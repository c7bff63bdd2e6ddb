"""Canonical forms of URLs, byte by byte; see `urls.py` for what they are."""

import numpy as np
from numba import njit

from stages.mix import mix

MOST_SORTED = 64  # parameters of a query: more are left in their order
NO_URL = 1  # kinds of text
FOREIGN = 2  # a URL whose host is not in ASCII

HEX, UNRESERVED, PATH, QUERY, HOST = 1, 2, 4, 8, 16
FNV, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3  # of FNV-1a, 64 bits
_SESSION = b";jsessionid="


def classes() -> np.ndarray:
    """What each byte may be: flags, (256,) uint8. RFC 3986, appendix A."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    table = np.zeros(256, np.uint8)
    sets = {
        HEX: "0123456789abcdefABCDEF",
        UNRESERVED: f"{letters}-._~",
        PATH: f"{letters}-._~!$&'()*+,;=:@",
        QUERY: f"{letters}-._~!$'()*+,;=:@/?",
        HOST: f"{letters}-._",
    }
    for flag, chars in sets.items():
        table[[ord(char) for char in chars]] |= flag
    return table


@njit(cache=True, nogil=True, inline="always")
def _lower(byte):  # type: ignore[no-untyped-def]
    return np.uint8(byte + 32) if 65 <= byte <= 90 else np.uint8(byte)


@njit(cache=True, nogil=True, inline="always")
def _digit(byte):  # type: ignore[no-untyped-def]
    return byte - 48 if byte < 58 else (byte & 0xDF) - 55


@njit(cache=True, nogil=True, inline="always")
def _upper_hex(value):  # type: ignore[no-untyped-def]
    return np.uint8(value + 48 if value < 10 else value + 55)


@njit(cache=True, nogil=True)
def _escape(data, at, end, classes, out, to):  # type: ignore[no-untyped-def]
    """Write what stands at `at`, an escape or a byte that must be one. -> (bytes read, bytes written)"""
    byte = data[at]
    if byte == 9 or byte == 10 or byte == 13:
        return 1, 0
    read = 1
    if byte == 37 and at + 2 < end and classes[data[at + 1]] & HEX and classes[data[at + 2]] & HEX:
        byte = np.uint8(_digit(data[at + 1]) * 16 + _digit(data[at + 2]))
        read = 3
        if classes[byte] & UNRESERVED:
            out[to] = byte
            return 3, 1
    out[to] = 37
    out[to + 1] = _upper_hex(byte >> 4)
    out[to + 2] = _upper_hex(byte & 15)
    return read, 3


@njit(cache=True, nogil=True)
def _authority(data, at, end, classes, https, out, to):  # type: ignore[no-untyped-def]
    """Write the host, and the port where it is not the default. -> end of `out`; -NO_URL: no host; -FOREIGN: a host
    that is not in ASCII"""
    begin = at
    for i in range(at, end):
        if data[i] == 64:
            begin = i + 1  # behind the user's name
    colon = end
    if begin < end and data[begin] == 91:  # [IPv6]
        close = begin
        while close < end and data[close] != 93:
            if close > begin and not (classes[data[close]] & HEX or data[close] == 58 or data[close] == 46):
                return -NO_URL
            close += 1
        if close == end or close == begin + 1:
            return -NO_URL
        colon = close + 1
        if colon < end and data[colon] != 58:
            return -NO_URL
        for i in range(begin, colon):
            out[to] = _lower(data[i])
            to += 1
    else:
        for i in range(begin, end):
            if data[i] == 58:
                colon = i
                break
        last = colon
        while last > begin and data[last - 1] == 46:
            last -= 1
        for i in range(begin, last):
            if data[i] >= 0x80 or data[i] == 37:
                return -FOREIGN
            if not classes[data[i]] & HOST:
                return -NO_URL
        while (
            last - begin > 4 and data[begin] | 32 == 119 and data[begin + 1] | 32 == 119 and data[begin + 2] | 32 == 119
        ):
            dot = begin + 3
            while dot < last and 48 <= data[dot] < 58:
                dot += 1
            if dot >= last or data[dot] != 46:
                break
            inner = False
            for i in range(dot + 1, last):
                inner |= data[i] == 46
            if not inner:  # www.com
                break
            begin = dot + 1
        if last == begin:
            return -NO_URL
        for i in range(begin, last):
            out[to] = _lower(data[i])
            to += 1
    port = colon + 1
    for i in range(port, end):
        if not 48 <= data[i] < 58:
            return -NO_URL
    while port < end - 1 and data[port] == 48:
        port += 1
    size = end - port
    usual = size <= 0 or (size == 2 and data[port] == 56 and data[port + 1] == 48 and not https)
    usual |= size == 3 and data[port] == 52 and data[port + 1] == 52 and data[port + 2] == 51 and https
    if not usual:
        out[to] = 58
        to += 1
        for i in range(port, end):
            out[to] = data[i]
            to += 1
    return to


@njit(cache=True, nogil=True)
def _path(data, at, end, classes, session, out, to):  # type: ignore[no-untyped-def]
    """Write the path, `data[at:end]` without its first slash. -> end of `out`"""
    root = to
    out[to] = 47
    to += 1
    segment = to
    while at <= end:
        if at < end and data[at] != 47 and data[at] != 92:
            if classes[data[at]] & PATH:
                out[to] = data[at]
                at += 1
                to += 1
                continue
            read, written = _escape(data, at, end, classes, out, to)
            at += read
            to += written
            continue
        for i in range(segment, to - session.size + 1):
            same = out[i] == 59
            for k in range(1, session.size):
                if not same:
                    break
                same = _lower(out[i + k]) == session[k]
            if same:
                to = i
                break
        size = to - segment
        if size == 1 and out[segment] == 46:
            to = segment
        elif size == 2 and out[segment] == 46 and out[segment + 1] == 46:
            to = segment
            if to - 1 > root:
                to -= 1
                while out[to - 1] != 47:
                    to -= 1
        elif at < end:
            out[to] = 47
            to += 1
        segment = to
        at += 1
    while to - 1 > root and out[to - 1] == 47:
        to -= 1
    return to


@njit(cache=True, nogil=True, inline="always")
def _holds(values, value):  # type: ignore[no-untyped-def]
    at = np.searchsorted(values, value)
    return at < values.size and values[at] == value


@njit(cache=True, nogil=True)
def _is_tracking(out, begin, end, names, families):  # type: ignore[no-untyped-def]
    value = np.uint64(FNV)
    family = False
    for i in range(begin, end):
        value = (value ^ np.uint64(_lower(out[i]))) * np.uint64(FNV_PRIME)
        if out[i] == 95 and not family:
            if _holds(families, value):
                return True
            family = True
    return _holds(names, value)


@njit(cache=True, nogil=True)
def _before(out, a, a_end, b, b_end):  # type: ignore[no-untyped-def]
    """Whether the name that starts at a sorts before the one at b."""
    while a < a_end and b < b_end:
        if out[a] != out[b]:
            return out[a] < out[b]
        a += 1
        b += 1
    return a == a_end and b < b_end


@njit(cache=True, nogil=True)
def _query(data, at, end, classes, names, families, out, to, spare, begins, ends, equals, order):  # type: ignore[no-untyped-def]
    """Write the query, `data[at:end]` without its question mark. -> end of `out`"""
    start = to
    out[to] = 63
    to += 1
    first = to
    count = 0
    sorted_already = True
    while at < end:
        begin = to
        name_end = -1
        while at < end and data[at] != 38:
            if data[at] == 61 and name_end < 0:
                name_end = to
            if classes[data[at]] & QUERY:
                out[to] = data[at]
                at += 1
                to += 1
                continue
            read, written = _escape(data, at, end, classes, out, to)
            at += read
            to += written
        at += 1
        if name_end < 0:
            name_end = to
        if to == begin or _is_tracking(out, begin, name_end, names, families):
            to = begin
            continue
        if count < MOST_SORTED:
            begins[count] = begin
            ends[count] = to
            equals[count] = name_end
            place = count
            while place > 0 and _before(out, begin, name_end, begins[order[place - 1]], equals[order[place - 1]]):
                order[place] = order[place - 1]
                place -= 1
            order[place] = count
            sorted_already &= place == count
        count += 1
        out[to] = 38
        to += 1
    if count == 0:
        return start
    to -= 1  # the last `&`
    if sorted_already or count > MOST_SORTED:
        return to
    for i in range(to - first):
        spare[i] = out[first + i]
    to = first
    for place in range(count):
        piece = order[place]
        for i in range(begins[piece], ends[piece]):
            out[to] = spare[i - first]
            to += 1
        out[to] = 38
        to += 1
    return to - 1


@njit(cache=True, nogil=True)
def _form_of(data, at, end, classes, names, families, session, out, to, spare, begins, ends, equals, order):  # type: ignore[no-untyped-def]
    """-> end of `out`; -NO_URL or -FOREIGN where it has no form here"""
    if end - at < 8 or data[at] | 32 != 104 or data[at + 1] | 32 != 116 or data[at + 2] | 32 != 116:
        return -NO_URL
    if data[at + 3] | 32 != 112:
        return -NO_URL
    at += 4
    https = data[at] | 32 == 115
    at += https
    if end - at < 4 or data[at] != 58 or data[at + 1] != 47 or data[at + 2] != 47:
        return -NO_URL
    at += 3
    host_end = at
    while host_end < end and data[host_end] != 47 and data[host_end] != 92 and data[host_end] != 63:
        if data[host_end] == 35:
            break
        host_end += 1
    out[to] = 104
    out[to + 1] = 116
    out[to + 2] = 116
    out[to + 3] = 112
    out[to + 4] = 58
    out[to + 5] = 47
    out[to + 6] = 47
    to = _authority(data, at, host_end, classes, https, out, to + 7)
    if to < 0:
        return to
    at = host_end
    path_end = at
    while path_end < end and data[path_end] != 63 and data[path_end] != 35:
        path_end += 1
    to = _path(data, min(at + 1, path_end), path_end, classes, session, out, to)
    if path_end < end and data[path_end] == 63:
        query_end = path_end + 1
        while query_end < end and data[query_end] != 35:
            query_end += 1
        to = _query(
            data, path_end + 1, query_end, classes, names, families, out, to, spare, begins, ends, equals, order
        )
    return to


@njit(cache=True, nogil=True)
def form(data, bounds, classes, names, families, out, out_ends, kind, done, longest):  # type: ignore[no-untyped-def]
    """Write the forms of URLs from number `done` on, while `out` has room for the longest possible one.

    data, bounds     uint8 and (n + 1,) int32: URL i is data[bounds[i]:bounds[i + 1]]
    classes          `classes()`
    names, families  sorted uint64: FNV hashes of the tracking parameters, and of what begins some to the first `_`
    out, out_ends    uint8 and (n + 1,) int64: form i is out[out_ends[i]:out_ends[i + 1]]
    kind             out, (n,) uint8: 0, NO_URL or FOREIGN. The form of these two is their text, trimmed
    longest          bytes of the longest form possible
    -> how many are done
    """
    spare = np.empty(longest, np.uint8)
    begins = np.empty(MOST_SORTED, np.int64)
    ends = np.empty(MOST_SORTED, np.int64)
    equals = np.empty(MOST_SORTED, np.int64)
    order = np.empty(MOST_SORTED, np.int64)
    session = np.frombuffer(_SESSION, np.uint8)
    while done < bounds.size - 1:
        to = out_ends[done]
        if to + longest > out.size:
            break
        at = np.int64(bounds[done])
        end = np.int64(bounds[done + 1])
        while at < end and data[at] <= 32:
            at += 1
        while at < end and data[end - 1] <= 32:
            end -= 1
        stop = _form_of(data, at, end, classes, names, families, session, out, to, spare, begins, ends, equals, order)
        if stop < 0:
            kind[done] = -stop
            for i in range(at, end):
                out[to + i - at] = data[i]
            stop = to + end - at
        done += 1
        out_ends[done] = stop
    return done


@njit(cache=True, nogil=True)
def hash_hosts(data, bounds, found):  # type: ignore[no-untyped-def]
    """Of each of n canonical forms a hash of its host and port: `found`, (n,) uint64, 0 where there is none."""
    for row in range(bounds.size - 1):
        at = bounds[row]
        end = bounds[row + 1]
        if end - at < 8 or data[at] != 104 or data[at + 4] != 58 or data[at + 5] != 47 or data[at + 6] != 47:
            continue
        value = np.uint64(FNV)
        at += 7
        while at < end and data[at] != 47:
            value = (value ^ np.uint64(data[at])) * np.uint64(FNV_PRIME)
            at += 1
        value = mix(value)
        found[row] = value if value else np.uint64(1)
