"""Quality of text repair: damage planted in real text, and clean text that must stay.

Documents are taken from the clean sets by a hash of their text. Each kind of damage (`damage.py`) is done to a whole
document, and to one of its lines while the others stay right. A repaired document is

- exact: equal to the one that was damaged;
- lost: equal but for characters that the damage destroyed, which are U+FFFD;
- left: as damaged, not touched;
- partly: anything else.

Then every clean document goes through, and each that changes is listed with what changed: real text holds real damage,
so a change is to be judged by eye. ftfy runs on the same damage with the switches that leave Chinese punctuation and
width alone.
"""
