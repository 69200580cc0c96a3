"""The console in a real Chromium beside a running replay: the page shows what the boards say.

The page itself is made to start the replay, to look at rooms and to judge an alert.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.kafka.broker import LocalKafka
from schemas.records import Board, BoardRow, Verdict, encode
from schemas.topics import ALERTS
from streams.embedded import Results
from streams.shell.collecting import alerts_and_verdicts
from streams.shell.reading import read_to_end
from tests.broker.workers import WorkerProcess, embedded, make_topics, session, until

EVENTS = 20_000
SEED = 3
_SECONDS = 90.0
_CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

Found = TypeVar("Found")

if _CHROMIUM is None:
    pytest.skip("no Chromium here: install Debian's chromium", allow_module_level=True)


def _run(work: Coroutine[Any, Any, Found]) -> Found:
    """Run it in a thread of its own: who drives the browser has an event loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # a sandbox of its own cannot be made by root in a container
        one = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def evening() -> list[bytes]:
    return session("brushing", EVENTS, SEED)


@pytest.fixture(scope="module")
def expected(evening: list[bytes]) -> Results:
    return embedded(evening)


@pytest.fixture(scope="module")
def address(
    kafka: LocalKafka, evening: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A console over a worker, with the evening to be replayed."""
    folder = tmp_path_factory.mktemp("console")
    file, told, log = folder / "evening.ndjson", folder / "address", folder / "console.log"
    file.write_bytes(b"".join(line + b"\n" for line in evening))
    _run(make_topics(kafka.bootstrap))
    command = [sys.executable, "-m", "roompulse.cli.app", "console", "--port", "0"]
    options = ["--address-file", str(told), "--bootstrap", kafka.bootstrap]
    options += ["--session", str(file), "--speed", "max"]
    with WorkerProcess(kafka.bootstrap, folder) as worker, log.open("wb") as said:
        worker.wait_ready()
        console = subprocess.Popen([*command, *options], stdout=said, stderr=said)
        try:
            until(told.exists, _SECONDS, "the console listens")
            yield told.read_text()
        finally:
            console.terminate()
            console.wait(10)
    assert "Traceback" not in log.read_text()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that complains of nothing and asks nobody but the console."""
    one = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    complaints: list[str] = []
    one.on("pageerror", lambda error: complaints.append(str(error)))
    one.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    one.on(
        "request",
        lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url),
    )
    one.set_default_timeout(_SECONDS * 1000)
    one.goto(address)
    yield one
    assert complaints == []
    one.close()


def _board(results: Results) -> Board[BoardRow]:
    for board in results.boards:
        if (board.scope, board.window, board.currency) == ("room", "total", "CNY"):
            return board  # type: ignore[return-value]
    raise AssertionError("no board of rooms")


def _rows(page: Page) -> dict[str, dict[str, Any]]:
    """What a person reads on the board: amounts, ranks and places lost, by room."""
    return {
        row["key"]: row
        for row in page.locator(".board tbody tr").evaluate_all(
            """rows => { const rank = at => Number(at.firstChild.textContent.slice(1));
            return rows.map(row => ({
              key: row.dataset.key,
              ...Object.fromEntries(["gross", "net", "trusted"].flatMap(kind => {
                const cell = row.querySelector(`.money.${kind}`);
                return [
                  [kind, Number(cell.querySelector("data").value)],
                  [`${kind}_text`, cell.querySelector("data").textContent],
                  [`rank_${kind}`, rank(cell.querySelector(".at"))],
                ];
              })),
              lost: Number(row.querySelector("[data-lost]")?.dataset.lost ?? 0),
              orders: row.querySelector(".orders .n").textContent,
            })); }"""
        )
    }


def _expected_rows(results: Results) -> dict[str, dict[str, Any]]:
    rows = {}
    for row in _board(results).rows:
        shown: dict[str, Any] = {"key": row.key}
        for kind in ("gross", "net", "trusted"):
            minor = getattr(row, f"{kind}_minor")
            shown[kind] = minor
            shown[f"{kind}_text"] = f"{minor // 100:,}.{minor % 100:02}"
            shown[f"rank_{kind}"] = getattr(row, f"rank_{kind}")
        rows[row.key] = {**shown, "lost": max(0, row.places_lost), "orders": f"{row.orders:,}"}
    return rows


def test_a_replay_that_the_page_starts_ends_in_the_figures_of_the_boards(
    page: Page, expected: Results
) -> None:
    expect(page.locator("#state .words")).to_have_text("Waiting for the first events")
    expect(page.locator("#replay-place")).to_be_enabled()
    page.locator("#replay .play").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#replay .doing")).to_contain_text("At its end")
    wanted = _expected_rows(expected)
    until(lambda: _rows(page) == wanted, _SECONDS, f"{_rows(page)} is {wanted}")
    for kind in ("gross", "net", "trusted"):
        shown = page.locator(f"#sums-body [data-sum={kind}] data")
        total = sum(getattr(room, f"{kind}_minor") for room in expected.rooms)
        assert shown.get_attribute("value") == str(total)
    losers = sorted(
        (row for row in _board(expected).rows if row.places_lost > 0),
        key=lambda row: (-row.places_lost, row.rank_gross),
    )
    named = page.locator("[data-loser]").evaluate_all("all => all.map(one => one.dataset.loser)")
    assert named == [row.key for row in losers[:3]]
    assert named, "the evening has attacks that cost places"


def test_a_room_shows_its_own_figures_and_its_curve(page: Page, expected: Results) -> None:
    room = max(expected.rooms, key=lambda one: one.gross_minor)
    page.locator(f".board tr[data-key='{room.room_id}'] a").click()
    for kind in ("gross", "net", "trusted"):
        shown = page.locator(f".room [data-money={kind}] data")
        expect(shown).to_have_attribute("value", str(getattr(room, f"{kind}_minor")))
    expect(page.locator(".room canvas")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator(".board")).to_be_visible()


def test_what_a_person_says_of_an_alert_stands_in_the_log_as_the_command_writes_it(
    page: Page, kafka: LocalKafka, expected: Results
) -> None:
    page.get_by_role("button", name="All", exact=True).click()
    alert_ids = {alert.alert_id for alert in expected.alerts}
    expect(page.locator(".inbox li")).to_have_count(len(alert_ids))
    first, second = sorted(alert_ids)[:2]
    page.locator(f".inbox li[data-key='{first}'] a").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why").fill("a raid, seen it")
    page.get_by_role("button", name="False alarm").click()
    expect(page.locator(".verdict .last")).to_contain_text("False alarm at")
    expect(page.get_by_role("button", name="False alarm")).to_have_attribute("aria-pressed", "true")

    command = [sys.executable, "-m", "roompulse.cli.app", "alerts", "dismiss", second]
    options = ["--note", "a raid, seen it", "--bootstrap", kafka.bootstrap]
    subprocess.run([*command, *options], check=True, capture_output=True)
    _, verdicts = _run(alerts_and_verdicts(kafka.bootstrap))
    assert set(verdicts) == {first, second}
    records = _run(_verdict_records(kafka.bootstrap))
    for alert_id in (first, second):
        given = verdicts[alert_id]
        assert given == Verdict(alert_id, "dismiss", given.given_ms, "a raid, seen it")
        assert records[alert_id] == (encode([alert_id, "verdict"]), encode(given))


async def _verdict_records(bootstrap: str) -> dict[str, tuple[bytes, bytes]]:
    """The bytes of each verdict in the log, by the id of its alert."""
    found = {}
    async for record in read_to_end(bootstrap, ALERTS, 0):
        key, value = record.key or b"", record.value or b""
        if json.loads(key)[1] == "verdict":
            found[json.loads(key)[0]] = (key, value)
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off_at_either_width_in_either_language(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    expect(page.locator(".board tbody tr")).not_to_have_count(0)
    for language, title in (("zh", "领先"), ("en", "Leads")):
        page.locator(f"#tools button[data-value={language}]").click()
        expect(page.locator(".answer.leads h2")).to_contain_text(title)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
    for theme in ("light", "dark"):
        page.locator(f"#tools button[data-value={theme}]").click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
