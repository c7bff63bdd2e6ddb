"""`lid`: scripts of the whole document, the model where they leave the language open, in one call per partition."""

from bench.given import Done, Given, Job
from bench.ours import batches
from stages.lid import Lid

PACKAGES = ("numba", "pyarrow")


def prepare(given: Given) -> Job:
    assert given.lid_model is not None
    stage = Lid(model=given.lid_model.name)
    model = stage.load({given.lid_model.name: given.lid_model})
    whole = batches.of_text(given.path)
    for batch in batches.of_text(given.warm_up):
        stage.apply(batch, model)

    def run() -> Done:
        answers = [lang for batch in whole for lang in stage.apply(batch, model)["lang"].to_pylist()]
        return Done({"bytes": batches.text_bytes(whole), "documents": len(answers)}, answers)

    return run
