"""A peer, in the peers' environment: what it names each sample, and how fast.

`python -m bench.charset.side` takes a JSON object on standard input: "peer", "samples" (a file of JSON lines with the
bytes in base64) and "answer", the file to write. The time is the processor's, for detecting and decoding, by part.
"""

import base64
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

PACKAGES = {
    "charset_normalizer": "charset-normalizer",
    "chardet": "chardet",
    "cchardet": "faust-cchardet",
    "resiliparse": "resiliparse",
}


def detector(peer: str) -> Callable[[bytes], str | None]:
    """Each with its defaults, on the whole body."""
    if peer == "charset_normalizer":
        from charset_normalizer import from_bytes

        def normalizer(body: bytes) -> str | None:
            best = from_bytes(body).best()
            return best.encoding if best is not None else None

        return normalizer
    if peer == "chardet":
        import chardet

        return lambda body: chardet.detect(body)["encoding"]
    if peer == "cchardet":
        import cchardet

        return lambda body: cchardet.detect(body)["encoding"]
    from resiliparse.parse.encoding import detect_encoding

    return lambda body: str(detect_encoding(body, html5_compatible=False))


def main() -> None:
    from bench.charset.sample import read

    order = json.load(sys.stdin)
    detect = detector(order["peer"])
    detect(b"warm up \xe4\xbd\xa0\xe5\xa5\xbd")
    names, seconds = [], {}
    with open(order["samples"], encoding="ascii") as lines:
        for line in lines:
            part, coded = line.rstrip("\n").split("\t")
            body = base64.b64decode(coded)
            started = time.process_time()
            name = detect(body)
            read(body, name)
            seconds[part] = seconds.get(part, 0.0) + time.process_time() - started
            names.append(name)
    package = PACKAGES[order["peer"]]
    answer = {"names": names, "seconds": seconds, "versions": {package: version(package)}}
    Path(order["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
