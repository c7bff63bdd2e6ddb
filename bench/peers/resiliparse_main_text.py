"""resiliparse's main content, for `bench main-text`: a folder of decoded pages -> `texts.json`."""

import json
import sys
from pathlib import Path

from resiliparse.extract.html2text import extract_plain_text


def main(folder: Path) -> None:
    texts = [
        extract_plain_text((folder / name).read_bytes().decode("utf-8"), main_content=True)
        for name in json.loads((folder / "names.json").read_text(encoding="utf-8"))
    ]
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
