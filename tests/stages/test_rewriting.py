"""What stages that change a text show of it."""

import pytest

from stages.convert import Convert
from stages.pii import Pii
from stages.repair import Repair
from stages.rewriting import Rewriting, changes


def test_changes_are_runs_of_lines() -> None:
    assert changes("a\nb\nc\nd", "a\nB\nc\nd\ne") == [{"before": "b", "after": "B"}, {"before": "", "after": "e"}]
    assert changes("a", "a") == []


@pytest.mark.parametrize(
    ("stage", "text", "before", "after"),
    [
        (Repair(), "第一行\n浣犲ソ锛屼笘鐣岋紝鎴戜滑鏄ソ鏈嬪弸\n第三行", "浣犲ソ", "你好"),
        (Pii(), "写信\n到 someone@example.com 去\n吧", "someone@", "<EMAIL>"),
        (Convert(), "第一行\n這個國家的語言\n第三行", "這個國家", "这个国家"),
    ],
)
def test_account_shows_the_lines_that_changed(stage: Rewriting, text: str, before: str, after: str) -> None:
    (account,) = stage.account({"text": text}, stage.load({}))
    assert account.title == "1 change of lines"
    (row,) = account.rows
    assert before in row["before"]
    assert after in row["after"]
    assert "第" not in row["before"]
    assert stage.account({"text": "什么都不变"}, stage.load({})) == []
