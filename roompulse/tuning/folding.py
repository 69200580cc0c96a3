"""A session under a rule set: what it comes to, and the orders that were scored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from producers.generator import generate
from producers.generator.wanted import Wanted
from producers.sessions import truth_path
from schemas.rules import RuleSet
from schemas.topics import DEFAULT_PARTITIONS
from streams.core.integrity.order_signs import ScoredOrder
from streams.embedded import EmbeddedRun, Results

Planted = dict[str, Any]  # a line of a truth file
_CHUNK = 10_000
_NOT_PLANTED = ("totals", "innocent")


class TruthError(Exception):
    """A truth file that cannot be read; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A session that was folded.

    Attributes:
        orders: by room, those that detection still remembers at the end, the last 24 h.
        suspected: room and order id of those that are off trusted GMV.
    """

    results: Results
    orders: dict[str, list[ScoredOrder]]
    suspected: frozenset[tuple[str, str]]


def fold(
    chunks: Iterable[Sequence[bytes]],
    rules: RuleSet | None,
    partitions: int = DEFAULT_PARTITIONS,
) -> Folded:
    """Fold a session with a rule set, or with the rules of its own log if that is None."""
    run = EmbeddedRun(partitions, rules=rules)
    for chunk in chunks:
        run.feed(chunk)
    results = run.finish()  # which scores the last orders
    orders = {
        room.room_id: list(room.suspicion.orders.recent)
        for partition in run.partitions
        for room in partition.rooms.values()
        if room.suspicion is not None
    }
    suspected = frozenset(
        (room_id, order.order_id)
        for partition in run.partitions
        for room_id in partition.rooms
        for order in orders.get(room_id, ())
        if partition.detectors.suspects.knows(room_id, order.order_id)
    )
    return Folded(results, orders, suspected)


def generated(scenario: str, seed: int, wanted: Wanted) -> tuple[list[list[bytes]], list[Planted]]:
    """A generated session in chunks, and what was planted in it.

    Raises:
        ScenarioError: there is no such scenario, or it has no such option.
    """
    session = generate(scenario, seed, wanted=wanted)
    chunks = list(_chunked(session))
    return chunks, [line for line in session.truth.lines() if line["kind"] not in _NOT_PLANTED]


def planted_beside(session: Path) -> list[Planted] | None:
    """What the truth file beside a session says was planted; None where there is none.

    Raises:
        TruthError: the file is there and is no truth file.
    """
    path = truth_path(session)
    if not path.exists():
        return None
    try:
        lines = [msgspec.json.decode(line, type=dict) for line in path.read_bytes().splitlines()]
        planted = [line for line in lines if line["kind"] not in _NOT_PLANTED]
        for line in planted:
            _require_place_and_time(line)
    except (OSError, msgspec.MsgspecError, KeyError, TypeError) as error:
        raise TruthError(f"{path}: is no truth file ({error})") from None
    return planted


def _require_place_and_time(line: Planted) -> None:
    msgspec.convert(
        [line["room_id"], line["started_ms"], line["ended_ms"], line["order_ids"]],
        type=tuple[str, int, int, list[str]],
    )


def _chunked(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    yield chunk
