"""Quality of charset detection: pages whose charset is known, real ones and made ones.

Three sets (`gold.py`, `made.py`):

- `charset_real_pages`: pages and feeds in the bytes their servers sent, labelled by people.
- `zh_legacy_charset_transcoded`: whole Chinese pages in GBK, GB18030 and Big5, declared rightly, wrongly or not at all.
- made: text of 38 languages in every charset that holds it, in pieces of 20, 60, 200 and 1,000 characters and in whole
  pages, each without a declaration, with the right one and with a wrong one.

A page is read **right** when its text equals the text that the true charset gives. A superset is therefore as good as
the set itself, and windows-1252 for an ASCII page is no error. `label` counts beside it how often the named charset
is of the true one's family, whatever the text. Peers detect on the same bytes, the declaration inside them included;
what they name is decoded with the same supersets as ours.
"""
