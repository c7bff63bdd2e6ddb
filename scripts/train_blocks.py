"""Learn the model that tells text from boilerplate, `stages/models/blocks.npy`, and write its card.

    pip install -e ".[models]"
    python scripts/train_blocks.py --data DIR

DIR holds `crawl/<set>.warc.gz` with `crawl/<set>.gold.jsonl.zst` for the sets of `bench/main_text/study.py`. The same
input gives the same bytes. How good it is on hosts it has not seen, `python -m bench main-text` says.
"""

import argparse
import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.main_text import fit, gold, labels, study  # noqa: E402
from stages import block_trees  # noqa: E402

_CARD = """# Which blocks of a web page are its text. Made by scripts/train_blocks.py; how good it is on hosts that it
# has not seen: bench/results/*-main-text.md. It holds thresholds on counts and shares, and no text of any page.

file = "{file}"
sha256 = "{digest}"
trees = {trees}
features = {features}
learner = "LightGBM {version}, {rounds} rounds, learning rate {rate}"
pages_are = "news, blogs and portals of 2005 to 2013; forums, shops and wikis are few"
comments_are = "text where people marked them so: in dragnet_en, not in waddle_multilingual"

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    chosen = parser.parse_args()
    sets, examples = [], []
    for name in study.LEARNED:
        path = chosen.data / "crawl" / name
        learned = labels.examples(gold.read(path))
        examples += learned
        facts = {
            "name": name,
            "warc_sha256": _digest(path.with_name(f"{name}.warc.gz")),
            "languages": ", ".join(sorted({example.gold.language for example in learned})),
            "pages": len(learned),
            "blocks": sum(len(example.values) for example in learned),
        }
        lines = (f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in facts.items())
        sets.append("\n".join(["[[learned_from]]", *lines]) + "\n")
    model = fit.fit([*examples, *labels.small_pages(examples)])
    path = block_trees.PATH
    path.parent.mkdir(exist_ok=True)
    np.save(path, model, allow_pickle=False)
    card = _CARD.format(
        file=path.name,
        digest=_digest(path),
        trees=len(model),
        features=len(block_trees.NAMES),
        version=version("lightgbm"),
        rounds=fit.ROUNDS,
        rate=fit.PARAMETERS["learning_rate"],
    )
    path.with_suffix(".toml").write_text(card + "\n".join(sets), encoding="utf-8")
    print(f"{len(examples)} pages, {len(model)} trees, {path.stat().st_size:,} bytes: {path}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
