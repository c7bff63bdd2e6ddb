"""datatrove's n-gram decontamination: which documents its filter drops, with an index of given items.

Its indexer needs lighteval, which downloads tasks; the index is made here of the same calls, on the same config.
"""

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("datatrove", "spacy", "jieba")


def main(given: str, made: str) -> None:
    import numpy as np
    from datatrove.data import Document
    from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter
    from datatrove.utils.text import ngrams, simplify_text
    from datatrove.utils.typeshelper import Languages

    from bench import inputs

    order = json.loads(Path(given).read_text(encoding="utf-8"))
    config = NGramsDecontConfig(n_grams=order["units"], find_query_ngrams=True)
    language = Languages.english if order["language"] == "en" else Languages.mandarin_chinese
    with tempfile.TemporaryDirectory() as folder:
        stage = NGramsDecontFilter(folder, config, language=language)
        for path in order["items"]:
            hashes = set()
            for text in inputs.documents(Path(path)):
                tokens = stage.tokenizer.word_tokenize(simplify_text(text, config.norm_config))
                hashes.update(map(stage.hash_func, map(" ".join, ngrams(tokens, config.n_grams))))
            name = f"{Path(path).name.split('.')[0]}.index.hashes"
            np.array(sorted(hashes), dtype=config.hash_config.np_descr).tofile(Path(folder) / name)
        stage.load_index_hashes()
        started = time.process_time()
        dropped = {
            what: [stage.filter(Document(text=text, id=str(n))) is not True for n, text in enumerate(order[what])]
            for what in ("planted", "clean")
        }
        seconds = time.process_time() - started
    answer = dropped | {"seconds": seconds, "versions": {name: version(name) for name in PACKAGES}}
    Path(made).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
