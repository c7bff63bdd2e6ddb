"""Nothing that a page holds acts where it is shown: not in the report, not on a terminal, not in JSON or an error."""

import json
import os
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from corpus import cli, explain, screen
from corpus.progress import Progress
from corpus.seal import Flow
from corpus.stage import Account
from corpus.status import StageStatus, Status

ROOT = Path(__file__).parent.parent.parent

# Escape codes of 7 and of 8 bits, a link, a title, carriage returns, backspaces; text that runs backwards; markup of
# HTML, of templates and of the terminal library.
RAW = (
    "\x1b[2J\x1b[31m \x9b31m \x1b]8;;http://evil.example\x07link\x1b]8;;\x07 \x1b]0;owned\x07 over\rwritten \x08\x08 \x7f\x00"
    "\u202eevil\u202c \u2066x\u2069 \u200e\u200f \u2028 \U000e0041 [red]red[/red] [/nope] :bomb: {{ 7 * 7 }} {% raw %}"
)
HTML = (
    "</pre></article></title><script>alert(1)</script><img src=x onerror=alert(1)><style>*{display:none}</style>"
    "<meta http-equiv=refresh content='0;url=http://evil.example'><a href='javascript:alert(1)'>x</a><!-- "
    "<svg onload=alert(1)> \"' onmouseover=alert(1) `"
)
WORDS = " ".join(f"word{n * n % 997}" for n in range(120))
URL = "http://a.example/" + "".join(RAW.split("\0")).replace("\r", "").replace(" ", "") + HTML.replace(" ", "")

MANIFEST = """name = "hostile"
seed = 1
[[source]]
name = "crawl"
format = "warc"
files = ["*.warc"]
root = "{root}"
max_lost_share = 1.0
[[stage]]
kind = "extract"
[[stage]]
kind = "repair"
[[stage]]
kind = "spam"
[[stage]]
kind = "pii"
[[stage]]
kind = "normalise"
[[stage]]
kind = "sign"
[[stage]]
kind = "dedup"
accept = ["crawl"]
[[stage]]
kind = "encode"
tokenizer = "tokenizers/zh-en-16k"
[[stage]]
kind = "pack"
"""


def record(url: str, fields: str, body: str, kind: str = "response") -> bytes:
    content = f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}".encode()
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content + b"\r\n\r\n"


def escaped(text: str) -> str:
    return "".join(f"&#{ord(c)};" for c in text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    page = f"<title>{escaped(HTML + RAW)}</title><article>" + f"<p>{escaped(HTML)}<p>{escaped(RAW)} {WORDS}." * 4
    plain = "Content-Type: text/plain"
    evil = RAW.replace("\r", "").replace("\0", "")
    records = [
        record(URL, "Content-Type: text/html; charset=utf-8", page),
        record("http://a.example/plain", plain, f"{HTML}\n{RAW}\n{WORDS} one two"),
        record("http://a.example/copy" + URL, plain, f"{HTML}\n{RAW}\n{WORDS} one {RAW} {HTML}"),
        record(URL + "1", plain, f"{HTML}\n{RAW}\n{WORDS} one two"),
        record(URL + "2", f"Content-Type: text/{evil}{HTML}", "x"),
        record(
            URL + "3", f"Content-Type: text/html\r\nContent-Encoding: {evil[:20]}{HTML[10:40]}".replace(",", ""), "x"
        ),
        record(URL + "4", plain, "x", kind=(HTML + evil)[:60]),
        record(URL + "5", plain, f"色情 赌博 {RAW} a@b.example 13800138000\n" * 3 + f"ä¸\xadæ–‡ {HTML} {WORDS}"),
    ]
    (folder / "a.warc").write_bytes(b"".join(records))
    (folder / "m.toml").write_text(MANIFEST.format(root=folder))
    return folder


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`corpus` with these arguments -> (exit status, what it printed, what it said)."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corpus", *map(str, arguments)])
        monkeypatch.setenv("CORPUS_ASSETS", os.pathsep.join([str(ROOT), os.environ.get("CORPUS_ASSETS", "")]))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return (ended.value.code or 0, *capsys.readouterr())  # type: ignore[return-value]

    return call


@pytest.fixture
def built(folder: Path, run: Run) -> Path:
    out = folder / "out"
    if not out.exists():
        status, printed, said = run("build", folder / "m.toml", "--local", "--out", out, "--store", folder / "store")
        assert status == 0, said
        harmless(printed)
        harmless(said)
    return out


def harmless(text: str) -> None:
    """No character that moves a cursor, starts a sequence or turns the direction."""
    odd = {c for c in text if c != "\n" and not c.isprintable()}
    assert not odd


def test_what_is_told_of_a_build(folder: Path, built: Path, run: Run) -> None:
    for arguments in (["status", folder / "m.toml", "--out", built], ["verify", built], ["report", built]):
        status, printed, said = run(*arguments)
        assert status == 0
        harmless(printed + said)


@pytest.mark.parametrize("suffix", ["", "1", "2", "3", "4", "5"])
@pytest.mark.parametrize("option", ["--no-replay", "--replay"])
def test_the_life_of_a_document(built: Path, run: Run, suffix: str, option: str) -> None:
    status, printed, said = run("explain", built, "--url", (URL + suffix).strip(), option)
    assert (status, said) == (0, "")
    harmless(printed)
    flat = "".join(printed.split())
    assert "<script>alert(1)</script>" in flat
    assert "\\x1b[2J\\x1b[31m" in flat
    assert "[red]red[/red]" in flat
    assert "\\x202eevil\\x202c" in flat
    if suffix == "" and option == "--replay":
        assert "blocks kept" in printed


def test_a_token(built: Path, run: Run) -> None:
    for option in ("--no-replay", "--replay"):
        status, printed, said = run("trace", built, "--token", "40", option)
        assert (status, said) == (0, "")
        harmless(printed)
        assert "\\x1b[2J" in printed


def test_json_is_the_same_without_a_character_that_acts(built: Path, run: Run) -> None:
    status, printed, said = run("explain", built, "--url", URL, "--json")
    assert (status, said) == (0, "")
    harmless(printed)
    assert json.loads(printed)[0]["url"] == URL
    for value in ("\x9b\u202e\U000e0041\x7f\x85", 'a\nb\t"\\', "文字"):
        assert json.loads(screen.json_text([value])) == [value]
        harmless(screen.json_text([value]))


class Parsed(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_holds_text_alone(built: Path, run: Run) -> None:
    assert run("report", built)[0] == 0
    page = (built / "report.html").read_text(encoding="utf-8")
    harmless(page)
    found = Parsed(page)
    acting = {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "input",
        "audio",
        "video",
        "template",
    }
    assert not acting & found.tags
    for tag, name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "srcset", "style", "action", "formaction", "xlink:href", "data")
        assert name != "href" or value.startswith("#")
        assert (tag, name) != ("meta", "http-equiv") or value == "Content-Security-Policy"
    assert page.count("<style>") == page.lower().count("<style") == 1
    for shown in (HTML[:60], "\\x1b[2J\\x1b[31m", "\\x202eevil\\x202c", "[/nope]", "{{ 7 * 7 }}"):
        assert shown in found.text
    for kind in ("kept", "not_html", "bad_http", "not_response", "near_duplicate"):
        assert kind in found.text


def test_errors_quote_without_acting(built: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, said = run("explain", built, "--url", "http://nowhere/\x1b[2J\u202e[/x]")
    assert status == 1
    assert "http://nowhere/\\x1b[2J\\x202e[/x]" in said
    harmless(said)

    def broken(*_: object) -> None:
        raise RuntimeError(f"a page said {RAW}")

    monkeypatch.setattr(explain, "explain", broken)
    status, _, said = run("explain", built, "--url", "x")
    assert status == 1
    assert "RuntimeError: a page said \\x1b[2J" in said
    harmless(said)


def test_brackets_and_controls_in_tables_are_shown() -> None:
    to = Console(width=200, force_terminal=True, color_system=None, markup=True)
    hostile = f"[/nope]{RAW}"
    flows = {hostile: [Flow(stage=hostile, kind="x", rows=1, kept=0, dropped={hostile: 1})]}
    stage = StageStatus(source=hostile, stage=hostile, stale=1, why={hostile: 1}, dropped={hostile: 1})
    with to.capture() as captured:
        to.print(screen.funnel_table(flows))
        screen.print_status(to, Status([stage], {}))
        to.print(explain._told(hostile, Account(hostile, [{hostile: hostile, "text": hostile}])))
    harmless(captured.get())
    assert captured.get().count("[/nope]") >= 6


def test_an_account_of_many_rows_is_cut() -> None:
    to = Console(width=80)
    with to.capture() as captured:
        to.print(explain._told("extract", Account("blocks", [{"text": f"row {n}"} for n in range(2000)])))
    assert captured.get().count("row ") == 500
    assert "and 1,500 more; --json lists all" in captured.get()


def test_what_a_build_says_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().say(f"[/nope] {RAW}\nsecond")
    said = capsys.readouterr().err
    harmless(said)
    assert "[/nope]" in said
    assert said.endswith("\nsecond\n")
