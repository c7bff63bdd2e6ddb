"""Are the sets of the Pile judged as what they are, by the packs of their domains?

Good are the sets of `pile/` and the wanted mail of `quality/email_spamassassin_labelled.jsonl.zst`, each with the pack
of its domain and, beside it, with `en`, the pack for prose. Apart from them stand LaTeX files without a heading, which
RedPajama takes for no text, and messages in HTML. Documents are split by the first byte of the sha256 of their text
(even: what was developed on; odd: reported). Bad are files of each domain that are planted (`bad.py`): minified,
generated, encoded, tables of numbers, logs, pages of errors, licences. They are made by seed from the good ones, so
they follow from the data alone.
"""
