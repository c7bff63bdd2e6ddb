#!/bin/sh
# An environment for the peers, apart from ours: build/peers-venv; and one for dolma. pip's own settings are honoured.
set -eu
cd "$(dirname "$0")/.."
place=build/peers-venv
test -x "$place/bin/python" || "${PYTHON:-python3}" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check -r bench/peers.txt
# text-dedup asks for pyspark, unisim and older versions of what is here, for commands other than the one that runs.
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps text-dedup==0.4.0
if "$place/bin/python" -m pip check | grep -v -e "^text-dedup " -e "^No broken"; then exit 1; fi
"$place/bin/python" - <<'CHECK'
import datasets, datasketch, datatrove, duckdb, fasttext, jieba, mlcroissant, opencc, rensa, resiliparse, sentencepiece, spacy
import text_dedup.minhash, tokenizers, trafilatura
spacy.blank("en")
print("the peers are there")
CHECK

place=build/dolma-venv
test -x "$place/bin/python" || "${PYTHON:-python3}" -m venv "$place"
"$place/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r bench/dolma.txt
# What it prints is about data of NLTK that is not used here.
"$place/bin/python" -c "import dolma.taggers.c4, dolma.taggers.gopher" 2>/dev/null || { echo "dolma: no import" >&2; exit 1; }
echo "dolma is there"
