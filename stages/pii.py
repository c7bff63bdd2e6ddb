"""PII: e-mail addresses and numbers that name a person, replaced by placeholders.

reads text (string)
adds  text (string)                   with `<EMAIL>`, `<IP>`, `<PHONE>`, `<ID>`, `<CARD>` where they stood
      pii_email, pii_ip, pii_phone,   how many of each kind were replaced
      pii_id, pii_card (int32)

- email  local part, @, domain of two labels or more that ends in a country's code or a common top-level domain. Not
         git@host; not what is no domain (`a@b.weight`, `icon@2x.png`).
- ip     public IPv4 and IPv6 addresses. Private, reserved and documentation ranges name nobody and stay. Four numbers
         of which fewer than two are 20 or more are a version or a section, unless "ip" or a bracket stands before.
- phone  mobile numbers of mainland China (11 digits, 3-4-4, 4-3-4) and landlines with a separated area code (010-,
         (021)); +86, 86 and 0086 belong to them. Eleven bare digits among Latin letters need a word such as "tel".
         Service numbers (400, 800, 95588), bare landlines and numbers of other countries stay.
- id     identity cards of 18 digits, with province, date and check digit. The 15 digits of old ones have no check
         digit and stay.
- card   bank cards of 13 to 19 digits of a known issuer, with check digit, whole or in groups; bare digits among Latin
         letters need a word such as "card", and 13 digits, which bar codes have, always.

Full-width forms count. A number may not be part of a longer one, a decimal, an amount, a path, a word or a row of
numbers. Kinds are tried in the order id, phone, card.

The placeholders are ASCII, so that no tokenizer loses them and NFC, width and script conversion leave them alone; in
capitals and angle brackets, so that plain text and the tags of HTML do not hold them; one token each where they are
declared as `user_defined_symbols`, else a few. They have neither digits nor @, and what changed is looked at until
nothing is found: a second pass changes nothing.

Only what a corpus says is replaced: the tables of earlier stages hold the text as it was. Memory: twice the batch.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.stage import Columns
from stages import pii_kernel
from stages.characters import utf8
from stages.rewriting import Rewriting

KINDS = ("email", "ip", "phone", "id", "card")  # in the order of the kernel
PLACEHOLDERS = ("<EMAIL>", "<IP>", "<PHONE>", "<ID>", "<CARD>")

# Codes of countries and the common generic domains. Not the whole list: `self.weights` and `icon.png` end in none.
_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg
ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh
gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr
kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf
ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm
sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf
ws ye yt za zm zw
"""
_GENERIC = """
com net org edu gov mil int arpa info biz name pro mobi asia tel travel jobs cat coop museum aero post top xyz site
online club vip shop app dev cloud email tech store live wang ren group link work ltd law fun space website blog news
world today team zone city center life love chat company global digital network systems media design studio host press
art icu cyou one wiki video games game red blue pink kim rocks agency academy london berlin nyc tokyo
"""


class Pii(Rewriting, frozen=True, kw_only=True, tag="pii"):
    """`kinds` to look for, of `KINDS`; the columns of others are 0. RecipeError where one is unknown or none named."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"text": pa.string()} | {f"pii_{kind}": pa.int32() for kind in KINDS}
    totals: ClassVar[tuple[str, ...]] = tuple(f"pii_{kind}" for kind in KINDS)

    kinds: tuple[str, ...] = KINDS

    def __post_init__(self) -> None:
        for at, kind in enumerate(self.kinds):
            if kind not in KINDS:
                raise RecipeError(f".kinds[{at}]: got {kind!r}. Expected some of {', '.join(KINDS)}.")
        if not self.kinds:
            raise RecipeError(f".kinds: got none. Expected some of {', '.join(KINDS)}; or remove this stage.")

    def load(self, assets: Mapping[str, Path]) -> np.ndarray:
        return domains()

    def apply(self, batch: pa.RecordBatch, model: np.ndarray) -> Columns:
        text = batch["text"]
        counts = np.zeros((len(text), len(KINDS)), np.int32)
        rows = np.arange(len(text))
        # A replaced address may have stood between a number and what gives it away: what changed is looked at again.
        # Words count within 24 bytes and scripts within 48, so it takes two rounds, and never more than a dozen.
        part = text
        while len(rows):
            part, found = self._once(part, model)
            changed = found.any(axis=1)
            rows = rows[changed]
            counts[rows] += found[changed]
            part = part.filter(pa.array(changed))
            mask = np.zeros(len(text), np.bool_)
            mask[rows] = True
            text = pc.replace_with_mask(text, pa.array(mask), part) if len(rows) else text
        text = pc.fill_null(text, "")
        return {"text": text} | {f"pii_{kind}": pa.array(counts[:, at]) for at, kind in enumerate(KINDS)}

    def _once(self, column: pa.Array, names: np.ndarray) -> tuple[pa.Array, np.ndarray]:
        """-> the column with what was found replaced, and how many of each kind: (n, kinds) int32."""
        data, bounds = utf8(column)
        total = int(bounds[-1]) - int(bounds[0])
        out = np.empty(total + total // 4 + 8, np.uint8)
        offsets = np.zeros(len(bounds), np.int32)
        counts = np.zeros((len(column), len(KINDS)), np.int32)
        wanted = np.array([kind in self.kinds for kind in KINDS])
        marks = np.frombuffer("".join(PLACEHOLDERS).encode(), np.uint8)
        mark_ends = np.cumsum([0, *map(len, PLACEHOLDERS)])
        pii_kernel.redact(data, bounds, wanted, names, marks, mark_ends, out, offsets, counts)
        text = pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]]))
        return text, counts


@cache
def domains() -> np.ndarray:
    """Top-level domains, each packed in a uint64, sorted."""
    names = (_COUNTRIES + _GENERIC).split()
    packed = np.array(sorted(int.from_bytes(name.encode(), "big") for name in names), np.uint64)
    packed.flags.writeable = False
    return packed
