"""The worker's small web server: /metrics, /live and /ready, on loopback unless told otherwise."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from streams.shell.metrics import CONTENT_TYPE


class ListenError(RuntimeError):
    """The web server cannot start; the text is one line that says what to do."""


class WebServer:
    """Serves three pages of text.

    Args:
        metrics: the exposition text.
        live: what is stuck; the empty string if nothing is.
        ready: what is missing; the empty string if nothing is.
    """

    def __init__(
        self, metrics: Callable[[], bytes], live: Callable[[], str], ready: Callable[[], str]
    ) -> None:
        app = web.Application()
        app.router.add_get("/metrics", _page(lambda: _text(metrics())))
        app.router.add_get("/live", _page(lambda: _verdict(live())))
        app.router.add_get("/ready", _page(lambda: _verdict(ready())))
        self._runner = web.AppRunner(app, access_log=None)
        self.address = ""

    async def start(self, host: str, port: int, address_file: Path | None = None) -> None:
        """Listen; a port of 0 picks a free one, `address` then tells it.

        Raises:
            ListenError: the address is in use or not ours, or the file cannot be written.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ListenError(
                f"/metrics cannot listen on {host}:{port} ({reason}): choose another address with"
                " --metrics-host and --metrics-port"
            ) from error
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.address = f"http://{shown}:{bound[1]}"
        if address_file is not None:
            await asyncio.to_thread(_write_whole, address_file, self.address)

    async def stop(self) -> None:
        await self._runner.cleanup()


def _write_whole(file: Path, text: str) -> None:
    """Whoever waits for the file finds all of the text in it."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(text)
        part.replace(file)
    except OSError as error:
        raise ListenError(f"{file} cannot be written: {error.strerror}") from error


def _page(answer: Callable[[], web.Response]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def page(_: web.Request) -> web.Response:
        return answer()

    return page


def _text(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def _verdict(trouble: str) -> web.Response:
    return web.Response(text=trouble or "ok", status=503 if trouble else 200)
