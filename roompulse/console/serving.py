"""What makes a console run? What is known, who keeps it up to date, and who shows it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from roompulse.console.asking import verdict_asked
from roompulse.console.guard import Guard
from roompulse.console.page import Moment, Pages
from roompulse.console.player import Player
from roompulse.console.web import ConsoleServer, Deed, now_ms
from roompulse.following import Following
from roompulse.run_folder import known_of_folder
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


@dataclass(frozen=True, slots=True)
class Session:
    """A session file that the console may replay, and how fast it begins."""

    file: Path
    speed: float


async def serve_kafka(
    bootstrap: str, place: Place, tell: Callable[[str], None], session: Session | None = None
) -> None:
    """Show what the workers of a Kafka publish, until cancelled.

    Raises:
        BrokerUnavailable, TopicsError: there is no usable Kafka.
        ListenError: it cannot listen.
    """
    following = Following(bootstrap)
    player: Player | None = None

    def moment() -> Moment:
        replay = player.state() if player is not None else None
        return Moment(now_ms(), following.heard_ms, following.kafka_answers, replay)

    async def judge(body: bytes) -> None:
        await give(bootstrap, verdict_asked(body, following.known, now_ms()))

    deeds: dict[str, Deed] = {"/api/verdicts": judge}
    if session is not None:
        player = Player(session.file, bootstrap, session.speed)
        deeds["/api/replay"] = player.ask
    server = ConsoleServer(Pages(following.known), moment, Guard(place.token), deeds)
    try:
        async with following:
            if player is not None:
                player.look(server.tell)
            await _serve(server, place, tell, lambda: following.run(server.tell))
    finally:
        if player is not None:
            await player.close()


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
