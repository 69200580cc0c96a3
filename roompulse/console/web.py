"""The console's web server: the page, and its sections as JSON, once and as they change.

A thin adapter of aiohttp. Who may ask is decided by `guard`, what a page is told by `page`. No
request is logged: an address may hold what a person typed.

Bounds: `MOST_STREAMS` pages at once; a stream sends at most every `TURN_SECONDS`.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from producers.kafka import BrokerError
from roompulse.console.asking import AskError
from roompulse.console.assets import Asset, assets
from roompulse.console.guard import COOKIE, HEADERS, Asked, Guard
from roompulse.console.page import Moment, Pages, changed_sections
from roompulse.console.wish import Wish, wish_of

MOST_STREAMS = 64
TURN_SECONDS = 0.1
_ALIVE_SECONDS = 1.0
_LARGEST_BODY_BYTES = 16 * 1024
_COOKIE_SECONDS = 14 * 24 * 3600

Deed = Callable[[bytes], Awaitable[None]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ListenError(RuntimeError):
    """The web server cannot start; the text is one line that says what to do."""


class ConsoleServer:
    """Serves one console.

    Args:
        pages: makes what pages show.
        moment: what is true of now.
        guard: who may ask.
        deeds: what may be asked to be done, by its path; given the body of the request.
    """

    def __init__(
        self,
        pages: Pages,
        moment: Callable[[], Moment],
        guard: Guard,
        deeds: Mapping[str, Deed] | None = None,
    ) -> None:
        self._pages = pages
        self._moment = moment
        self._guard = guard
        self._assets = assets()
        self._news = asyncio.Event()
        self._streams = 0
        self._closing = False
        app = web.Application(middlewares=[self._guarded], client_max_size=_LARGEST_BODY_BYTES)
        app.router.add_get("/", self._index)
        app.router.add_get("/live", self._live)
        app.router.add_get("/login", self._login_page)
        app.router.add_post("/login", self._login)
        app.router.add_get("/static/{path:.+}", self._static)
        app.router.add_get("/api/page", self._page)
        app.router.add_get("/api/stream", self._stream)
        for path, do in (deeds or {}).items():
            app.router.add_post(path, _done(do))
        self.app = app
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self.address = ""

    def tell(self) -> None:
        """Say that something changed: open pages look again."""
        self._news.set()
        self._news = asyncio.Event()

    async def start(self, host: str, port: int, address_file: Path | None = None) -> None:
        """Listen; a port of 0 picks a free one, `address` then tells it.

        Raises:
            ListenError: the address is in use or not ours, or the file cannot be written.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ListenError(
                f"the console cannot listen on {host}:{port} ({reason}): choose another address"
                " with --host and --port"
            ) from error
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.address = f"http://{shown}:{bound[1]}"
        if address_file is not None:
            await asyncio.to_thread(_write_whole, address_file, self.address)

    async def stop(self) -> None:
        """End open streams, and listen no more."""
        self._closing = True
        self.tell()
        await self._runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Refuse what may not pass, and put the headers of `guard` on whatever is answered."""
        refusal = self._guard.refusal(_asked(request))
        if refusal is None:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(HEADERS)
                raise
        elif refusal.status == HTTPStatus.UNAUTHORIZED and request.path == "/":
            response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/login"})
        else:
            response = web.Response(status=refusal.status, text=refusal.text)
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _index(self, request: web.Request) -> web.Response:
        return _file(request, self._assets["index.html"])

    async def _login_page(self, request: web.Request) -> web.Response:
        return _file(request, self._assets["login.html"])

    async def _static(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["path"])
        if asset is None:
            raise web.HTTPNotFound(text="no such file")
        return _file(request, asset)

    async def _live(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _login(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not self._guard.knows(str(form.get("token", ""))):
            return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/login?wrong"})
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        response.set_cookie(
            COOKIE,
            self._guard.cookie or "",
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )
        return response

    async def _page(self, request: web.Request) -> web.Response:
        sections = self._pages.sections(wish_of(request.query), self._moment())
        body = b",".join(b'"%s":%s' % (name.encode(), text) for name, text in sections.items())
        return _json(b"{" + body + b"}")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self._streams >= MOST_STREAMS:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text="too many pages")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", **HEADERS}
        )
        self._streams += 1
        try:
            await response.prepare(request)
            # a page that was closed is noticed when something is written to it
            with contextlib.suppress(ConnectionError):
                await self._send_changes(response, wish_of(request.query))
        finally:
            self._streams -= 1
        return response

    async def _send_changes(self, response: web.StreamResponse, wish: Wish) -> None:
        shown: dict[str, bytes] = {}
        while not self._closing:
            news = self._news
            sections = self._pages.sections(wish, self._moment())
            changed = changed_sections(shown, sections)
            shown = sections
            await response.write(
                b"".join(
                    b"event: %s\ndata: %s\n\n" % (name.encode(), text)
                    for name, text in changed.items()
                )
            )
            await asyncio.sleep(TURN_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ALIVE_SECONDS - TURN_SECONDS):
                    await news.wait()


def now_ms() -> int:
    """Wall time, epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _asked(request: web.Request) -> Asked:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return Asked(
        method=request.method,
        path=request.path,
        host=request.headers.get("Host", ""),
        origin=request.headers.get("Origin"),
        cookie=request.cookies.get(COOKIE),
        bearer=value if kind == "Bearer" else None,
    )


def _done(do: Deed) -> _Handler:
    """Answers whether something was done, and why not."""

    async def handler(request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # no form of another page is
            return web.Response(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text="send JSON")
        try:
            await do(await request.read())
        except AskError as error:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=str(error))
        except BrokerError as error:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text=str(error))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    return handler


def _file(request: web.Request, asset: Asset) -> web.Response:
    tag = f'"{asset.tag}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Content-Type": asset.content_type}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(body=asset.body, headers=headers)


def _json(body: bytes, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(body=body, status=status, headers=headers)


def _write_whole(file: Path, text: str) -> None:
    """Whoever waits for the file finds all of the text in it."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(text)
        part.replace(file)
    except OSError as error:
        raise ListenError(f"{file} cannot be written: {error.strerror}") from error
