#!/bin/sh
# An environment for the peers, apart from ours: build/peers-venv. pip's own settings are honoured.
set -eu
cd "$(dirname "$0")/.."
place=build/peers-venv
test -x "$place/bin/python" || "${PYTHON:-python3}" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check -r bench/peers.txt
"$place/bin/python" -m pip check
"$place/bin/python" - <<'CHECK'
import datasketch, datatrove, fasttext, jieba, rensa, resiliparse, sentencepiece, spacy, tokenizers, trafilatura
spacy.blank("en")
print("the peers are there")
CHECK
