"""python -m sampledata DIR [--seed N] [--scale X]"""

import argparse
from pathlib import Path

from sampledata import generate


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sampledata", description="Write a seeded sample corpus.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0)
    arguments = parser.parse_args()
    summary = generate(arguments.directory, arguments.seed, arguments.scale)
    for name, file in summary.files.items():
        print(
            f"{name:32} {file.records:7,} records  {file.text_bytes / 1e6:7.2f} MB of text  {file.bytes / 1e6:7.2f} MB"
        )
    print(
        f"{summary.documents:,} documents, {summary.text_bytes / 1e6:.1f} MB; "
        f"planted: {sum(summary.planted.values()):,}"
    )


if __name__ == "__main__":
    main()
