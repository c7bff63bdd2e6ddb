"""Main text of web pages against text marked by people: precision, recall and F1 of character 4-grams, beside
trafilatura and resiliparse on the same pages.

`gold.py` reads pages and their text, `labels.py` says which blocks of a page are text, `fit.py` learns trees from that,
`study.py` learns from some hosts and judges on others, `page.py` shows it. `scripts/train_blocks.py` learns from all,
for the model that ships.
"""
