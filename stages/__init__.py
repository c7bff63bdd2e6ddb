"""The stages. The two closed unions are the registry: a stage exists when it stands here.

To add one: a file with a frozen struct (see `corpus/stage.py`), its name in the union below, a test beside the others.
"""

from corpus.pack import Pack
from stages.contamination import Contamination
from stages.convert import Convert
from stages.cut import Cut
from stages.decontaminate import Decontaminate
from stages.dedup import Dedup
from stages.dedup_urls import DedupUrls
from stages.domains import Domains
from stages.encode import Encode
from stages.extract import Extract
from stages.fields import Fields
from stages.heldout import Heldout
from stages.judge import Judge
from stages.lid import Lid
from stages.normalise import Normalise
from stages.perplexity import Perplexity
from stages.pii import Pii
from stages.quality import Quality
from stages.read_jsonl import ReadJsonl
from stages.read_parquet import ReadParquet
from stages.read_pile import ReadPile
from stages.read_text import ReadText
from stages.read_warc import ReadWarc
from stages.read_wet import ReadWet
from stages.repair import Repair
from stages.repeats import Repeats
from stages.sensitive import Sensitive
from stages.sign import Sign
from stages.signals import Signals
from stages.spam import Spam
from stages.split import Split
from stages.substrings import Substrings
from stages.trim import Trim

Reader = ReadPile | ReadJsonl | ReadWarc | ReadWet | ReadParquet | ReadText
Stage = (
    Extract
    | Repair
    | Spam
    | Trim
    | Pii
    | Convert
    | Normalise
    | Split
    | Lid
    | Signals
    | Domains
    | Fields
    | Quality
    | Perplexity
    | Sensitive
    | Sign
    | Judge
    | DedupUrls
    | Dedup
    | Heldout
    | Repeats
    | Substrings
    | Cut
    | Contamination
    | Decontaminate
    | Encode
    | Pack
)

__all__ = ["Pack", "Reader", "Stage"]
