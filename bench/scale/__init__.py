"""Dedup at growing size: generated short documents with planted copies, `corpus build --until dedup` on Ray, and what
it costs per document.

`population.py` says which documents there are, `texts.py` writes them, `watch.py` looks at memory, processor time and
disk while the build runs, `truth.py` counts what was found and what was lost, `study.py` does one size after another,
`page.py` and `plot.py` show them.
"""
