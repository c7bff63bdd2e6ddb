"""trafilatura with its defaults, for `bench main-text`: a folder of pages -> `texts.json`."""

import json
import sys
from pathlib import Path

import trafilatura


def main(folder: Path, how: str) -> None:
    texts = []
    for name in json.loads((folder / "names.json").read_text(encoding="utf-8")):
        body = (folder / name).read_bytes()
        texts.append(trafilatura.extract(body if how == "bytes" else body.decode("utf-8")) or "")
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
