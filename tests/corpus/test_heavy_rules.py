"""Rules that drop much of a source are named; a judge runs again alone, and for the source that changed alone."""

import io
from pathlib import Path

import judged
import pytest
import toys
from rich.console import Console

from corpus import screen
from corpus.explain import explain
from corpus.heavy_rules import LEAST_DROPPED
from corpus.status import Status, survey
from corpus.store import Blobs

HEAVY = """without = ["mine.max_share", "mine.min_count", "all.max_count"]
override.all.min_balance = 1.5"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    judged.prepare(tmp_path)
    return tmp_path


def status(folder: Path, judge: str) -> Status:
    return survey(judged.builder(folder, judge), Blobs(str(folder / "out")))


def shown(found: Status) -> str:
    to = Console(width=400, record=True, file=io.StringIO())
    screen.print_status(to, found)
    return to.export_text()


def test_a_rule_that_drops_half_is_named_with_documents_to_read(folder: Path) -> None:
    out, outcome = judged.build(folder, HEAVY)
    assert [(one.source, one.code) for one in outcome.heavy] == [("laws", "all.min_balance")]  # of web it drops 47%
    one = outcome.heavy[0]
    flow = next(flow for flow in outcome.funnel["laws"] if flow.stage == "judge")
    assert (one.dropped, one.rows) == (flow.dropped["all.min_balance"], flow.rows)
    assert one.told.startswith(f"judge: all.min_balance drops {one.dropped / one.rows:.1%} of laws (")
    assert f"limit 50.0%). Read some: corpus explain {out.root} --id " in one.told
    assert len(one.ids) == 2
    for identity in one.ids:
        (life,) = explain(out, Blobs(str(folder / "store")), None, identity)
        assert "all.min_balance" in str(life)
    found = status(folder, HEAVY)
    assert found.heavy == outcome.heavy
    page = shown(found)
    assert f"warning: {one.told}" in page
    assert f"all.min_balance {one.dropped} ({one.dropped / one.rows:.1%})" in page


def test_a_limit_is_no_part_of_identity(folder: Path) -> None:
    judged.build(folder, HEAVY)
    assert [
        one.source for one in status(folder, f"{HEAVY}\nwarn_share = 0.45\nsource.laws.warn_share = 1.0").heavy
    ] == ["web"]
    for share, named in ((0.45, {"web", "laws"}), (1.0, set())):
        found = status(folder, f"{HEAVY}\nwarn_share = {share}")
        assert found.fresh
        assert {one.source for one in found.heavy} == named
    assert min(one.dropped for one in status(folder, f"{HEAVY}\nwarn_share = 0.0").heavy) >= LEAST_DROPPED


def states(found: Status) -> dict[tuple[str, str], str]:
    return {(one.source, one.stage): one.state for one in found.stages if one.state != "fresh"}


def why(found: Status, source: str) -> list[str]:
    return [reason for one in found.stages if (one.source, one.stage) == (source, "judge") for reason in one.why]


def test_a_changed_threshold_runs_the_judge_of_its_source_and_reads_no_text(folder: Path) -> None:
    judged.build(folder)
    before = "source.laws.mine.max_share = 0.25"
    found = status(folder, before)
    assert why(found, "laws") == ["judge.mine.max_share 0.5 -> 0.25"]
    assert set(states(found)) == {("laws", "judge"), ("laws", "encode"), ("laws", "pack"), ("web", "pack")}
    toys.applied.clear()
    builder = judged.builder(folder, before)
    builder.walk({"web": 4, "laws": 4}, builder.discover())
    assert toys.applied == ["judge"]  # no parse, no measure: neither files nor texts
    assert builder.costs.steps == 1
    found = status(folder, 'source.laws.without = ["mine.max_share"]')
    assert why(found, "laws")[0] in ("judge.mine.max_share 0.25 -> off", "judge.mine.max_share 0.5 -> off")
    assert why(status(folder, "override.all.max_share = 0.75"), "web") == ["judge.all.max_share default -> 0.75"]


def test_another_pack_is_another_judge(folder: Path) -> None:
    judged.build(folder)
    manifest = judged.MANIFEST
    try:
        judged.MANIFEST = manifest.replace("max = 110", "max = 100").replace('languages = ["zh"]', 'languages = ["en"]')
        assert why(status(folder, ""), "web") == [
            "judge.all.max_count 110 -> 100",
            "judge.mine.languages ['zh'] -> ['en']",
        ]
    finally:
        judged.MANIFEST = manifest


def test_thresholds_are_told_to_the_last_digit(folder: Path) -> None:
    judged.build(folder)
    manifest = judged.MANIFEST
    try:
        judged.MANIFEST = manifest.replace("max = 110", "max = 12345678")
        assert why(status(folder, ""), "web") == ["judge.all.max_count 110 -> 12345678"]
    finally:
        judged.MANIFEST = manifest
