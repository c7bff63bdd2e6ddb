"""Does the stage `spam` take spam off genuine texts, tell pages of spam, and leave clean text alone?

Spam is planted: lines of terms from `lists/`, advertisements from `quality/zh_spam_sms.jsonl.zst` and lists of
addresses, at the head or tail of genuine articles, and pages made of nothing else. Clean are the sets of `zh/` and
`pile/`. Two splits keep what was tuned on apart from what is reported: documents by the first byte of the sha256 of
their text (even: `scripts/spam_model.py` counts in them and thresholds were set on them; odd: reported), and terms by
the second byte of theirs (the rows `held out` plant odd terms alone, and the lexicon knows even ones and their
characters alone: what words nobody listed are found by).
"""
