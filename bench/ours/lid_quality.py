"""`lid`, in batches as a build hands them to it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from stages.lid import Lid

PACKAGES = ("numba", "pyarrow", "numpy")
ABOUT = "column lang_label"


def prepare(lid_model: Path) -> Callable[[list[str]], list[str]]:
    stage = Lid(model=lid_model.name)
    model = stage.load({lid_model.name: lid_model})

    def answer(texts: list[str]) -> list[str]:
        return stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), model)["lang_label"].to_pylist()

    answer(["A text that compiles the kernels.", "一段用来编译的文字。"])
    return answer
