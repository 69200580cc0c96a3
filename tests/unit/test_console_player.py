"""What each button of the replay does; the replay itself is one that only obeys its control."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from producers.generator import generate
from producers.replay import MAX_SPEED, BrokerError, Control, Progress, ReplayReport, Selection
from roompulse.cli.app import app
from roompulse.console import player as playing
from roompulse.console.asking import AskError
from roompulse.console.player import Player, extent_of
from schemas.codec import decode_all
from schemas.errors import InputError
from schemas.records import encode


class Stage:
    """Stands where the replay does, and notes what was begun."""

    def __init__(self) -> None:
        self.begun: list[tuple[int | None, float, bool]] = []
        self.reached_ms = 0
        self.error: Exception | None = None
        self.at_end = asyncio.Event()

    async def replay(
        self,
        records: Any,  # noqa: ANN401 - not asked for
        bootstrap: str,
        *,
        selection: Selection,
        control: Control,
        on_progress: Any,  # noqa: ANN401 - a callback
    ) -> ReplayReport:
        del records, bootstrap
        if self.error is not None:
            raise self.error
        since = selection.since
        self.begun.append((None if since is None else since.ms, control.speed, control.paused))
        on_progress(Progress(5, self.reached_ms, 0.0, control.speed, control.paused, 1))
        while not control.stopped and not self.at_end.is_set():
            control.wake.clear()
            ends = [asyncio.ensure_future(one.wait()) for one in (control.wake, self.at_end)]
            _, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for one in pending:
                one.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        return ReplayReport(
            events=5,
            by_partition=(5,),
            refused={},
            too_large=0,
            first_ms=0,
            last_ms=self.reached_ms,
            closing_tick_ms=None,
            passes=1,
            elapsed_seconds=0.0,
            max_lag_seconds=0.0,
            stopped=control.stopped,
        )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("session") / "calm.ndjson"
    file.write_bytes(b"".join(line + b"\n" for line in generate("calm", 1, events=1_000)))
    return file


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    one = Stage()
    monkeypatch.setattr(playing, "replay", one.replay)
    yield one
    one.at_end.set()


async def looked_at(file: Path, speed: float = 60.0) -> Player:
    """A player that knows from when to when its session goes."""
    player, known = Player(file, "nowhere:1", speed), asyncio.Event()
    player.look(known.set)
    await known.wait()
    return player


async def ask(player: Player, action: str, **more: object) -> dict[str, Any]:
    await player.ask(encode({"action": action, **more}))
    await asyncio.sleep(0)  # what was begun begins
    return player.state()


def test_a_session_goes_from_its_first_to_its_greatest_believed_stamp(session: Path) -> None:
    events = list(decode_all(session.read_bytes().splitlines()))
    stamps = [one.ts_ms for one in events if not isinstance(one, InputError)]
    assert extent_of(session) == (stamps[0], max(stamps))
    assert extent_of(session, lambda: True) is None


async def test_buttons_do_what_they_say(session: Path, stage: Stage) -> None:
    player = await looked_at(session)
    state = player.state()
    assert (state["state"], state["speed"], state["file"]) == ("idle", 60.0, "calm.ndjson")
    first_ms, last_ms = state["first_ms"], state["last_ms"]
    stage.reached_ms = first_ms + 7

    state = await ask(player, "play")
    assert (state["state"], state["event_ms"], state["events"]) == ("playing", first_ms + 7, 5)
    assert (await ask(player, "play"))["state"] == "playing", "once is enough"
    assert (await ask(player, "pause"))["state"] == "paused"
    assert (await ask(player, "pause"))["state"] == "paused"
    assert (await ask(player, "speed", speed=200))["speed"] == 200.0
    assert (await ask(player, "play"))["state"] == "playing"
    assert (await ask(player, "speed", speed=None))["speed"] is None

    stage.reached_ms = last_ms - 1
    state = await ask(player, "seek", to_ms=last_ms - 3)
    assert (state["state"], state["event_ms"]) == ("playing", last_ms - 1)
    await ask(player, "pause")
    state = await ask(player, "seek", to_ms=first_ms)
    assert state["state"] == "paused", "whoever pauses and seeks stays paused"
    stage.reached_ms = first_ms + 9
    state = await ask(player, "stop")
    assert state["state"] == "stopped"
    await ask(player, "play")
    await player.close()
    assert stage.begun == [
        (None, 60.0, False),
        (last_ms - 3, MAX_SPEED, False),
        (first_ms, MAX_SPEED, True),
        (first_ms + 9, MAX_SPEED, False),
    ]


async def test_where_to_begin_can_be_chosen_before_it_plays(session: Path, stage: Stage) -> None:
    player = await looked_at(session)
    first_ms = player.state()["first_ms"]
    state = await ask(player, "seek", to_ms=first_ms + 60_000)
    assert (state["state"], state["event_ms"]) == ("idle", first_ms + 60_000)
    await ask(player, "play")
    stage.at_end.set()
    while player.state()["state"] == "playing":  # noqa: ASYNC110 - it ends by itself
        await asyncio.sleep(0)
    assert player.state()["state"] == "done"
    await ask(player, "play")
    await player.close()
    assert [since for since, _, _ in stage.begun] == [first_ms + 60_000, None]


async def test_what_cannot_be_done_is_told(session: Path, stage: Stage) -> None:
    unread = Player(session, "nowhere:1", 1.0)
    with pytest.raises(AskError, match="wait a moment"):
        await ask(unread, "seek", to_ms=1)
    player = await looked_at(session)
    for asked, why in (
        ({"action": "seek", "to_ms": 1}, "not in the session"),
        ({"action": "seek"}, "not in the session"),
        ({"action": "speed", "speed": 0}, "more than 0"),
        ({"action": "speed", "speed": 1e9}, "more than 0"),
        ({"action": "rewind"}, "cannot be asked"),
    ):
        with pytest.raises(AskError, match=why):
            await player.ask(encode(asked))
    stage.error = BrokerError("no Kafka answers")
    state = await ask(player, "play")
    assert (state["state"], state["error"]) == ("failed", "no Kafka answers")
    stage.error = None
    assert (await ask(player, "play"))["state"] == "playing", "and tried again"
    await player.close()


async def test_a_file_that_is_no_session_is_told(tmp_path: Path) -> None:
    file = tmp_path / "none.parquet"
    file.write_bytes(b"nothing")
    player = await looked_at(file)
    assert player.state()["state"] == "failed"
    assert "none.parquet" in player.state()["error"]
    await player.close()


def test_the_command_replays_for_people_at_this_machine_only(session: Path) -> None:
    for options, why in (
        (("--session", str(session), "--host", "0.0.0.0"), "only people at this machine"),
        (("--session", str(session), "--results", "out"), "a past run is not replayed"),
        (("--session", "none.ndjson"), "there is no such session file"),
        (("--session", str(session), "--speed", "fast"), "is no speed"),
    ):
        done = CliRunner().invoke(app, ["console", *options])
        assert done.exit_code == 1
        assert why in done.output
