"""The verdict of a judge on a batch: which rules each document breaks, and the first of them with the values that
decided. Vectorised over documents; Python only for the details of what is dropped.

A value may be missing (null) of a document that the rule is not asked of, or that an earlier rule has dropped; of any
other it raises, and the engine quarantines that document.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.stage import Columns
from stages.packs import Bound, Rule
from stages.pareto import drawn, odds


class Verdict:
    """Filled rule by rule, in the order that decides."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.reason = np.zeros(batch.num_rows, np.int32)  # 0 = kept, else a position in `codes`
        self.broken = np.zeros(batch.num_rows, np.int16)
        self.codes: list[str | None] = [None]
        self.detail = np.full(batch.num_rows, None, object)
        self._numbers: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def language(self, keep: tuple[str, ...]) -> None:
        lang = self.batch.column("lang")
        hit = self._break("language", ~self.is_in(keep))
        self.detail[hit] = pc.fill_null(lang.take(pa.array(hit)), "none").to_numpy(zero_copy_only=False)

    def rule(self, code: str, rule: Bound, asked: np.ndarray | None = None) -> None:
        """Break, as `code`, the documents in `asked` (bool, none = all) whose value is beyond the limit."""
        if isinstance(rule, Rule) and rule.where is not None:
            value, there = self._column(rule.where.signal)
            holds = value >= rule.where.threshold if rule.where.op == "min" else value <= rule.where.threshold
            self._need(rule.where.signal, there, asked)
            asked = holds if asked is None else holds & asked
        value, there = self._column(rule.signal)
        self._need(rule.signal, there, asked)
        broken = value < rule.threshold if rule.op == "min" else value > rule.threshold
        hit = self._break(code, broken if asked is None else broken & asked)
        sign = "<" if rule.op == "min" else ">"
        # Six digits tell apart any two shares: they are multiples of 2**-12.
        self.detail[hit] = [f"{v:.6g} {sign} {rule.threshold:.6g}" for v in value[hit].tolist()]

    def pareto(self, column: str, alpha: int, seed: int) -> None:
        """See `stages/pareto.py`. ValueError where a score is outside of 0 to 1."""
        score, there = self._column(column)
        self._need(column, there, None)
        asked = there & (self.reason == 0)
        wrong = asked & ~((score >= 0) & (score <= 1))
        if wrong.any():
            raise ValueError(f"{column} is {score[wrong][0]}, and no score between 0 and 1")
        draw = drawn(self.batch.column("id"), column, seed)
        one_in = odds(score, alpha)
        hit = self._break(f"pareto.{column}", there & (draw * one_in >= 1))
        self.detail[hit] = [
            f"{s:.6g}: drawn {u:.6g} >= {1 / n:.6g}"
            for s, u, n in zip(score[hit].tolist(), draw[hit].tolist(), one_in[hit].tolist(), strict=True)
        ]

    def columns(self) -> Columns:
        labels = pa.array(self.codes, pa.string())
        return {
            "rules_broken": pa.array(self.broken),
            "drop": labels.take(pa.array(self.reason)),
            "detail": pa.array(self.detail, pa.string()),
        }

    def is_in(self, languages: tuple[str, ...]) -> np.ndarray:
        """Which documents are in one of the languages; an unknown one (null) is in none. (n,) bool."""
        lang = self.batch.column("lang")
        return pc.is_in(lang, value_set=pa.array(languages, lang.type), skip_nulls=True).to_numpy(zero_copy_only=False)

    def _break(self, code: str, broken: np.ndarray) -> np.ndarray:
        """-> positions of the documents that this is the reason of."""
        self.codes.append(code)
        self.broken += broken
        hit = np.flatnonzero(broken & (self.reason == 0))
        self.reason[hit] = len(self.codes) - 1
        return hit

    def _column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """-> values as (n,) float64, which are there: (n,) bool"""
        if name not in self._numbers:
            column = self.batch.column(name)
            there = np.asarray(column.is_valid())
            value = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.float64)
            value[~there] = np.nan  # breaks no rule
            self._numbers[name] = value, there
        return self._numbers[name]

    def _need(self, name: str, there: np.ndarray, asked: np.ndarray | None) -> None:
        missing = ~there & (self.reason == 0) if asked is None else ~there & (self.reason == 0) & asked
        if missing.any():
            raise ValueError(f"{name} is missing for {missing.sum()} of {len(there)} documents")
