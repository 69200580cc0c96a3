"""Who may ask what of the console, and what it answers: decided first, then asked over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from typer.testing import CliRunner

from producers.kafka import BrokerError
from roompulse.cli.app import app
from roompulse.console.asking import AskError
from roompulse.console.guard import COOKIE, HEADERS, SHORTEST_TOKEN, Asked, Guard, is_loopback
from roompulse.console.page import Moment, Pages
from roompulse.console.serving import Place, serve_folder
from roompulse.console.web import MOST_STREAMS, ConsoleServer, Deed, ListenError
from roompulse.known import Known
from schemas.records import encode
from tests.unit.making import figures

TOKEN = "correct-horse-battery"
LOCAL = "127.0.0.1:6070"
ELSEWHERE = "https://elsewhere.example"

Client = TestClient[Request, Application]


def asked(method: str = "GET", path: str = "/api/page", **head: str | None) -> Asked:
    return Asked(method, path, head.pop("host", LOCAL) or "", **head)


@pytest.mark.parametrize("host", ["127.0.0.1:6070", "localhost:6070", "[::1]:6070", "127.8.9.1"])
def test_without_a_token_loopback_may_read(host: str) -> None:
    assert Guard(None).refusal(asked(host=host)) is None


@pytest.mark.parametrize(
    "host", ["elsewhere.example:6070", "10.0.0.5:6070", "", "127.0.0.1.nip.example", "[::1", "a@b"]
)
def test_a_name_that_was_turned_to_this_machine_gets_nothing(host: str) -> None:
    refusal = Guard(None).refusal(asked(host=host))
    assert refusal is not None
    assert refusal.status == HTTPStatus.MISDIRECTED_REQUEST


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (f"http://{LOCAL}", True),
        (f"https://{LOCAL}", True),
        (None, False),
        ("null", False),
        (ELSEWHERE, False),
        ("http://127.0.0.1:6071", False),
        (f"http://{LOCAL}.example", False),
    ],
)
def test_only_the_own_page_may_change_something(origin: str | None, *, passes: bool) -> None:
    for guard, cookie in ((Guard(None), None), (Guard(TOKEN), Guard(TOKEN).cookie)):
        refusal = guard.refusal(asked("POST", "/api/verdicts", origin=origin, cookie=cookie))
        assert (refusal is None) is passes
        if refusal is not None:
            assert refusal.status == HTTPStatus.FORBIDDEN


def test_with_a_token_nothing_is_told_to_who_has_not_logged_in() -> None:
    guard = Guard(TOKEN)
    for path in ("/", "/api/page", "/api/stream", "/api/verdicts"):
        for cookie in (None, "", TOKEN, "\udcff", Guard("another token, as long").cookie):
            refusal = guard.refusal(asked(path=path, cookie=cookie))
            assert refusal is not None
            assert refusal.status == HTTPStatus.UNAUTHORIZED
    for path in ("/login", "/live", "/static/css/base.css"):
        assert guard.refusal(asked(path=path)) is None
    assert guard.refusal(asked(cookie=guard.cookie, host="roompulse.example")) is None


def test_a_program_with_the_token_needs_no_page() -> None:
    guard = Guard(TOKEN)
    assert guard.refusal(asked("POST", "/api/verdicts", bearer=TOKEN)) is None
    refused = guard.refusal(asked("POST", "/api/verdicts", bearer="wrong"))
    assert refused is not None
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert Guard(None).refusal(asked("POST", "/api/verdicts", bearer="")) is not None


def test_the_cookie_does_not_hold_the_token() -> None:
    cookie = Guard(TOKEN).cookie
    assert cookie is not None
    assert TOKEN not in cookie
    assert cookie == Guard(TOKEN).cookie, "a restart keeps people logged in"
    assert Guard(None).cookie is None
    assert not Guard(None).knows("")


@pytest.mark.parametrize(
    ("host", "is_own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("h", False)],
)
def test_loopback_is_this_machine(host: str, *, is_own: bool) -> None:
    assert is_loopback(host) is is_own


@pytest.fixture
async def console() -> AsyncIterator[Callable[..., Awaitable[tuple[Client, ConsoleServer]]]]:
    """Starts a console over what is given as known; stops all at the end."""
    started: list[tuple[Client, ConsoleServer]] = []

    async def start(
        known: Known | None = None,
        token: str | None = None,
        deeds: Mapping[str, Deed] | None = None,
    ) -> tuple[Client, ConsoleServer]:
        server = ConsoleServer(Pages(known or Known()), lambda: Moment(7), Guard(token), deeds)
        client: Client = TestClient(TestServer(server.app))
        await client.start_server()
        started.append((client, server))
        return client, server

    yield start
    for client, server in started:
        await server.stop()
        await client.close()


Start = Callable[..., Awaitable[tuple[Client, ConsoleServer]]]


@pytest.mark.parametrize(
    "path", ["/", "/login", "/api/page", "/static/js/main.js", "/live", "/none", "/static/x"]
)
async def test_every_answer_carries_the_headers(console: Start, path: str) -> None:
    client, _ = await console()
    async with client.get(path) as answer:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


async def test_refusals_carry_the_headers_and_do_nothing(console: Start) -> None:
    client, _ = await console(token=TOKEN)
    async with client.get("/", allow_redirects=False) as answer:
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == "/login"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    async with client.get("/api/page") as answer:
        assert answer.status == HTTPStatus.UNAUTHORIZED
        assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


async def test_a_person_logs_in_with_the_token_and_with_nothing_else(console: Start) -> None:
    client, _ = await console(token=TOKEN)
    origin = {"Origin": f"http://{client.host}:{client.port}"}
    async with client.post(
        "/login", data={"token": "wrong"}, headers=origin, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/login?wrong"
        assert "Set-Cookie" not in answer.headers
    async with client.post("/login", data={"token": TOKEN}, allow_redirects=False) as answer:
        assert answer.status == HTTPStatus.FORBIDDEN, "another site's form"
    async with client.post(
        "/login", data={"token": TOKEN}, headers=origin, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/"
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    async with client.get("/api/page") as answer:
        assert answer.status == HTTPStatus.OK


async def test_files_are_sent_once_and_then_only_when_they_changed(console: Start) -> None:
    client, _ = await console()
    async with client.get("/static/vendor/uplot.min.js") as answer:
        assert answer.content_type == "text/javascript"
        tag = answer.headers["ETag"]
    async with client.get("/static/vendor/uplot.min.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == HTTPStatus.NOT_MODIFIED
    for path in ("/static/../web.py", "/static/%2e%2e/web.py", "/static/vendor/VENDORED.md"):
        async with client.get(path) as answer:
            assert answer.status == HTTPStatus.NOT_FOUND


async def _next_events(lines: AsyncIterator[bytes], stop: str) -> dict[str, object]:
    """The sections that come until one of that name has come."""
    found: dict[str, object] = {}
    name = ""
    async for line in lines:
        text = line.decode().strip()
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            found[name] = json.loads(text.removeprefix("data: "))
            if name == stop:
                return found
    raise AssertionError(f"the stream ended without {stop}: {found}")


async def test_a_stream_sends_all_sections_and_then_what_changes(console: Start) -> None:
    known = Known()
    client, server = await console(known)
    async with client.get("/api/stream?room=r") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        lines = answer.content.__aiter__()
        first = await _next_events(lines, "replay")
        assert first["room"] is None
        known.apply_room(figures("r", gross_minor=5))
        known.version += 1
        server.tell()
        second = await _next_events(lines, "room")
    assert set(second) == {"status", "room"}
    room = second["room"]
    assert isinstance(room, dict)
    assert room["summary"]["gross_minor"] == 5


async def test_streams_are_bounded_and_a_closed_one_makes_room(console: Start) -> None:
    client, server = await console()
    open_ones = [await client.get("/api/stream") for _ in range(MOST_STREAMS)]
    async with client.get("/api/stream") as answer:
        assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    for one in open_ones:
        one.close()
    async with asyncio.timeout(10):
        while True:
            server.tell()
            async with client.get("/api/stream") as answer:
                if answer.status == HTTPStatus.OK:
                    break


async def test_a_folder_is_served_where_it_was_told(tmp_path: Path) -> None:
    (tmp_path / "boards.json").write_bytes(b"[]")
    (tmp_path / "run.json").write_bytes(encode({"counts": {"events": 3}, "watermark_ms": 9}))
    told: asyncio.Queue[str] = asyncio.Queue()
    file = tmp_path / "address"
    place = Place("127.0.0.1", 0, None, file)
    serving = asyncio.create_task(serve_folder(tmp_path, place, told.put_nowait))
    address = await told.get()
    assert file.read_text() == address
    async with ClientSession() as session, session.get(f"{address}/api/page") as answer:
        status = (await answer.json())["status"]
    assert (status["is_live"], status["events"], status["watermark_ms"]) == (False, 3, 9)
    taken = Place("127.0.0.1", int(address.rpartition(":")[2]), None)
    with pytest.raises(ListenError, match="choose another address with --host and --port"):
        await serve_folder(tmp_path, taken, told.put_nowait)
    place = Place("127.0.0.1", 0, None, tmp_path / "none" / "address")
    with pytest.raises(ListenError, match="cannot be written"):
        await serve_folder(tmp_path, place, told.put_nowait)
    serving.cancel()
    await asyncio.wait([serving])


def _refused(*options: str, token: str = "") -> str:
    environment = {"ROOMPULSE_CONSOLE_TOKEN": token}
    done = CliRunner().invoke(app, ["console", *options], env=environment)
    assert done.exit_code == 1
    return done.output


def test_the_command_wants_a_token_where_others_can_reach_it(tmp_path: Path) -> None:
    folder = ("--results", str(tmp_path))
    assert "set a token" in _refused(*folder, "--host", "0.0.0.0")
    short = "x" * (SHORTEST_TOKEN - 1)
    told = _refused(*folder, token=short)
    assert "too short" in told
    assert short not in told
    assert "cannot be read" in _refused(*folder, "--token-file", str(tmp_path / "none"))
    assert "name the folder" in _refused(*folder)
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    told = _refused(*folder, "--host", "0.0.0.0", "--token-file", str(file))
    assert "name the folder" in told, "it got past the token"


async def test_what_is_asked_is_done_once_it_is_json_of_the_own_page(console: Start) -> None:
    done: list[bytes] = []

    async def do(body: bytes) -> None:
        if body == b"refused":
            raise AskError("not so")
        if body == b"no kafka":
            raise BrokerError("no Kafka answers")
        done.append(body)

    client, _ = await console(deeds={"/api/verdicts": do})
    own = {"Origin": f"http://{client.host}:{client.port}", "Content-Type": "application/json"}
    for body, head, status in (
        (b"{}", own, HTTPStatus.NO_CONTENT),
        (b"{}", own | {"Content-Type": "text/plain"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (b"{}", own | {"Origin": ELSEWHERE}, HTTPStatus.FORBIDDEN),
        (b"refused", own, HTTPStatus.BAD_REQUEST),
        (b"no kafka", own, HTTPStatus.SERVICE_UNAVAILABLE),
        (b"x" * 20_000, own, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ):
        async with client.post("/api/verdicts", data=body, headers=head) as answer:
            assert answer.status == status
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert done == [b"{}"]
    reader, _ = await console()
    own["Origin"] = f"http://{reader.host}:{reader.port}"
    async with reader.post("/api/verdicts", data=b"{}", headers=own) as answer:
        assert answer.status == HTTPStatus.NOT_FOUND, "a past run takes no verdicts"
