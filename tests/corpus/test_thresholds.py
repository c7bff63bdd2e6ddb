"""The study of thresholds: every curve says what a judge with that threshold would keep."""

from pathlib import Path

import judged
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.local import Local
from corpus.opened import Build
from corpus.progress import Progress
from corpus.report import render
from corpus.store import Blobs
from corpus.tally import TallyTask, tally
from corpus.threshold_charts import charts
from corpus.thresholds import Curve, Limit, asked, bins_of, values_of
from stages.judge import Judge

numbers = st.floats(-(2.0**90), 2.0**90, allow_nan=False, width=32)


@given(st.lists(numbers, min_size=1, max_size=40))
def test_bins_ascend_and_are_near(values: list[float]) -> None:
    ordered = np.sort(np.array(values, np.float64))
    bins = bins_of(ordered)
    assert (np.diff(bins) >= 0).all()
    back = values_of(bins)
    assert (np.abs(back) <= np.abs(ordered)).all()
    assert (np.abs(ordered - back) <= np.maximum(np.abs(ordered) / 64, 1 / 4096)).all()
    assert (bins_of(back) == bins).all()


def test_bins_are_exact_for_shares_and_small_counts() -> None:
    for values in (np.arange(-4096, 4097) / 4096, np.arange(-128.0, 129)):
        assert (values_of(bins_of(values)) == values).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("judged")
    judged.prepare(place)
    judged.build(place)
    return place


def curves(folder: Path) -> dict[tuple[str, str, str], Curve]:
    build = Build(Blobs(str(folder / "out")), Blobs(str(folder / "store")))
    found: dict[tuple[str, str, str], Curve] = {}
    for partition in build.partitions():
        task = TallyTask(build.store, tuple(build.labels(partition.source)), (partition,))
        for rule, curve in tally(task).curves.items():
            if rule in found:
                found[rule].add(curve)
            else:
                found[rule] = curve
    return found


RULES = {
    "mine.max_share": [0.0, 0.1, 0.25, 0.499, 0.5, 0.75, 1.0],
    "mine.min_count": [0, 10, 20, 25.5, 60, 127, 1000],
    "all.max_count": [-1, 0, 30, 109, 110, 111, 127],
    "all.min_balance": [-3, -2, -1.5, -1.25, 0, 0.1, 2],
}


def test_every_rule_of_every_source_has_a_curve(folder: Path) -> None:
    assert set(curves(folder)) == {(source, "judge", code) for source in ("web", "laws") for code in RULES}


@pytest.mark.parametrize("code", RULES)
def test_a_curve_says_what_another_threshold_would_keep(folder: Path, tmp_path: Path, code: str) -> None:
    curve = curves(folder)["web", "judge", code]
    told = curve.at(np.array(RULES[code], np.float64))
    assert (np.diff(told[:, 0]) * (1 if curve.limit.op == "max" else -1) >= 0).all()
    pack, _, rule = code.partition(".")
    for threshold, (documents, size) in zip(RULES[code], told.tolist(), strict=True):
        builder = judged.builder(folder, f"override.{pack}.{rule} = {float(threshold)}")
        unread = builder.discover()
        builder.walk(dict.fromkeys(builder.partitions, 4), unread)
        kept = [p.records[3] for p in builder.partitions["web"]]
        assert documents == sum(record.kept for record in kept), threshold
        assert size == _kept_bytes(builder, "web")
    assert curve.seen[0] == judged.DOCUMENTS


def _kept_bytes(builder: judged.Builder, source: str) -> int:
    from corpus.opened import Tables

    total = 0
    for partition in builder.partitions[source]:
        seen = Tables(builder.store, partition)
        sizes = seen.column(1, "bytes").to_numpy()
        total += int(sizes[np.isin(seen.rows(1), seen.living(3))].sum())
    return total


def test_alone_is_what_leaving_the_rule_out_returns(folder: Path) -> None:
    found = curves(folder)
    now = found["web", "judge", "mine.max_share"].kept[0]
    for code in RULES:
        builder = judged.builder(folder, f'without = ["{code}"]')
        unread = builder.discover()
        builder.walk(dict.fromkeys(builder.partitions, 4), unread)
        kept = sum(p.records[3].kept for p in builder.partitions["web"])
        curve = found["web", "judge", code]
        assert curve.alone[0] == kept - now > 0
        assert curve.broken > curve.alone[0]


def test_partitions_do_not_matter(folder: Path, tmp_path: Path) -> None:
    judged.prepare(tmp_path)
    judged.build(tmp_path, rows=37)
    one, other = curves(folder), curves(tmp_path)
    assert set(one) == set(other)
    for rule, curve in one.items():
        assert (curve.bins == other[rule].bins).all()
        assert (curve.counts == other[rule].counts).all()
        assert (curve.kept == other[rule].kept).all()
        assert (curve.alone == other[rule].alone).all()
        assert curve.broken == other[rule].broken


def test_parts_of_documents_are_judged_by_the_signals_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = judged.MANIFEST.replace('kind = "judge"', 'kind = "halves"\n[[stage]]\nkind = "judge"')
    monkeypatch.setattr(judged, "MANIFEST", halves)
    judged.prepare(tmp_path)
    judged.build(tmp_path)
    curve = curves(tmp_path)["web", "judge", "mine.max_share"]
    assert 1.9 * judged.DOCUMENTS < curve.seen[0] < 2 * judged.DOCUMENTS
    for threshold, (documents, _) in zip((0.25, 0.75), curve.at(np.array([0.25, 0.75])).tolist(), strict=True):
        builder = judged.builder(tmp_path, f"override.mine.max_share = {threshold}")
        unread = builder.discover()
        builder.walk(dict.fromkeys(builder.partitions, 5), unread)
        assert documents == sum(p.records[4].kept for p in builder.partitions["web"])


def test_rules_are_read_from_the_definition() -> None:
    judge = Judge(packs=("map-cc", "none"), override={"none": {"max_score": 0.5}})
    found = {rule.code: rule for rule in asked(judge.resolved)}
    assert set(found) == {f"{pack.name}.{rule.name}" for pack in judge.judged() for rule in pack.rules}
    assert found["none.max_score"].limit == Limit("score", "max", 0.5)
    assert found["map-cc.min_char_entropy"].where == Limit("chars", "min", 100)
    assert found["map-cc.min_char_entropy"].languages == ("zh", "yue", "wuu")
    assert asked({"chars": 3, "window": {"min_x": 3}}) == []


def test_the_report_draws_what_moves(folder: Path) -> None:
    judged.build(folder)
    build = Build(Blobs(str(folder / "out")), Blobs(str(folder / "store")))
    page = render(build, Local(), Progress(quiet=True))
    section = page[page.index('<h2 id="thresholds">') : page.index('<h2 id="kept">')]
    drawn = charts(curves(folder))
    assert [(one["source"], len(one["rules"]), one["still"]) for one in drawn] == [("web", 4, []), ("laws", 4, [])]
    assert section.count("<polygon") == section.count('<polyline class="bytes"') == 8
    for one in drawn:
        assert f"{one['kept']} of {one['seen']} documents kept" in section
        assert [rule["alone"] for rule in one["rules"]] == sorted(
            (rule["alone"] for rule in one["rules"]), reverse=True
        )
        for rule in one["rules"]:
            assert f"alone it drops <b>{rule['alone']}</b>" in section
            heights = [float(point.split(",")[1]) for point in rule["area"].split()]
            assert 0 <= min(heights) <= max(heights) == 72


def test_a_rule_that_moves_nothing_is_named_only() -> None:
    zero, two = np.zeros(2, np.int64), np.array([9, 90], np.int64)
    flat = Curve(Limit("x", "max", 0.5), two, two, zero, 0, np.array([0], np.int32), np.array([[9, 90]]))
    (one,) = charts({("web", "judge", "p.max_x"): flat})
    assert (one["rules"], one["still"]) == ([], ["p.max_x"])
    assert (
        charts({("web", "judge", "p.max_x"): Curve(flat.limit, zero, zero, zero, 0, flat.bins[:0], flat.counts[:0])})
        == []
    )
