"""What makes a console run? What is known, who keeps it up to date, and who shows it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from roompulse.console.asking import verdict_asked
from roompulse.console.folder import known_of_folder
from roompulse.console.following import Following
from roompulse.console.guard import Guard
from roompulse.console.known import Known
from roompulse.console.page import Moment, Pages
from roompulse.console.web import ConsoleServer, now_ms
from roompulse.verdicts import give


@dataclass(frozen=True, slots=True)
class Place:
    """Where a console listens, and who may ask it.

    Attributes:
        token: None on loopback.
        address_file: where its address is written once it listens.
    """

    host: str
    port: int
    token: str | None
    address_file: Path | None = None


async def serve_folder(folder: Path, place: Place, tell: Callable[[str], None]) -> None:
    """Show a run of the past until cancelled.

    `tell` is given the address once it listens.

    Raises:
        RunFolderError: it is no folder of a run.
        ListenError: it cannot listen.
    """
    known = known_of_folder(folder)
    server = ConsoleServer(Pages(known), lambda: Moment(now_ms()), Guard(place.token))
    await _serve(server, place, tell, asyncio.Event().wait)


async def serve_kafka(bootstrap: str, place: Place, tell: Callable[[str], None]) -> None:
    """Show what the workers of a Kafka publish, until cancelled.

    Raises:
        BrokerUnavailable, TopicsError: there is no usable Kafka.
        ListenError: it cannot listen.
    """
    known = Known()
    following = Following(bootstrap, known)

    def moment() -> Moment:
        return Moment(now_ms(), following.heard_ms, following.kafka_answers, following.lag)

    async def judge(body: bytes) -> None:
        await give(bootstrap, verdict_asked(body, known, now_ms()))

    deeds = {"/api/verdicts": judge}
    server = ConsoleServer(Pages(known), moment, Guard(place.token), deeds)
    try:
        await following.start()
        await _serve(server, place, tell, lambda: following.run(server.tell))
    finally:
        await following.stop()


async def _serve(
    server: ConsoleServer,
    place: Place,
    tell: Callable[[str], None],
    work: Callable[[], Awaitable[object]],
) -> None:
    try:
        await server.start(place.host, place.port, place.address_file)
        tell(server.address)
        await work()
    finally:
        await server.stop()
