"""The worker's small web server: /metrics, /live and /ready, on loopback unless told otherwise."""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from streams.shell.metrics import CONTENT_TYPE


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
        app.router.add_get("/metrics", lambda _: _text(metrics()))
        app.router.add_get("/live", lambda _: _verdict(live()))
        app.router.add_get("/ready", lambda _: _verdict(ready()))
        self._runner = web.AppRunner(app, access_log=None)
        self.address = ""

    async def start(self, host: str, port: int, address_file: Path | None = None) -> None:
        """Listen; a port of 0 picks a free one, `address` then tells it.

        Raises:
            OSError: the address is in use or not ours.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0]
        self.address = f"http://{bound[0]}:{bound[1]}"
        if address_file is not None:
            address_file.write_text(self.address)  # noqa: ASYNC240 - once, at start

    async def stop(self) -> None:
        await self._runner.cleanup()


async def _text(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


async def _verdict(trouble: str) -> web.Response:
    return web.Response(text=trouble or "ok", status=503 if trouble else 200)
