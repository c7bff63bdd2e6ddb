"""ftfy on a list of texts, with the switches that leave Chinese punctuation and width as they are."""

import json
import sys
import time
from pathlib import Path

PACKAGES = ("ftfy",)


def main(given: str, made: str) -> None:
    from ftfy import TextFixerConfig, fix_text

    config = TextFixerConfig(
        uncurl_quotes=False,
        fix_character_width=False,
        fix_latin_ligatures=False,
        fix_line_breaks=False,
        remove_terminal_escapes=False,
        remove_control_chars=False,
        fix_surrogates=False,
        normalization=None,
        explain=False,
    )
    texts = json.loads(Path(given).read_text(encoding="utf-8"))
    started = time.process_time()
    fixed = [fix_text(text, config) for text in texts]
    seconds = time.process_time() - started
    Path(made).write_text(json.dumps({"seconds": seconds, "texts": fixed}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
