"""What is a page told, and what of it has changed? Sections of JSON, each sent when it differs.

A pure function of what is known, of the wish of the page and of the moment; pages that wish for the
same share one answer.
"""

from dataclasses import dataclass
from typing import Any, Final

from roompulse.console import alert_views, board_views, room_views
from roompulse.console.wish import SCOPES, Wish
from roompulse.known import Known
from schemas.records import encode
from streams.core.boards import DEFAULT_ZONE, WINDOWS

SECTIONS: Final = ("status", "totals", "headlines", "board", "inbox", "room", "card", "replay")
_MOST_WISHES: Final = 64  # answers that are kept until something comes

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is true of now, and not of the log.

    Attributes:
        now_ms: wall time, so that a page can tell how old an answer is.
        heard_ms: wall time at which something came last; None before.
        kafka_answers: whether the log could be asked for its end.
        replay: where a replay is that this console steers; None where there is none.
    """

    now_ms: int
    heard_ms: int | None = None
    kafka_answers: bool = True
    replay: Json | None = None


class Pages:
    """Makes the sections of pages from what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._made: dict[Wish, dict[str, bytes]] = {}
        self._made_of = -1

    def sections(self, wish: Wish, moment: Moment) -> dict[str, bytes]:
        """Every section by its name, as JSON; "null" where there is nothing to show."""
        if self._made_of != self._known.version or len(self._made) > _MOST_WISHES:
            self._made, self._made_of = {}, self._known.version
        if wish not in self._made:
            self._made[wish] = _of_the_log(self._known, wish)
        return {
            "status": encode(_status(self._known, moment)),
            **self._made[wish],
            "replay": _json(moment.replay),
        }


def changed_sections(before: dict[str, bytes], now: dict[str, bytes]) -> dict[str, bytes]:
    """The sections that a page does not show yet; the status always, as a sign of life."""
    return {
        name: text for name, text in now.items() if name == "status" or before.get(name) != text
    }


def _of_the_log(known: Known, wish: Wish) -> dict[str, bytes]:
    standing = known.standing()
    room = None if wish.room_id is None else room_views.room(known, wish.room_id)
    card = None if wish.alert_id is None else alert_views.card(known, wish.alert_id)
    choices = {
        "currencies": board_views.currencies(standing),
        "scopes": list(SCOPES),
        "windows": list(WINDOWS),
    }
    return {
        "totals": encode({"sums": board_views.totals(standing), "choices": choices}),
        "headlines": _json(board_views.headlines(standing, wish.currency)),
        "board": _json(board_views.board(known, standing, wish)),
        "inbox": encode(alert_views.inbox(known)),
        "room": _json(room),
        "card": _json(card),
    }


def _status(known: Known, moment: Moment) -> Json:
    standing = known.standing()
    counts = standing.counts
    return {
        "is_live": known.is_live,
        "now_ms": moment.now_ms,
        "heard_ms": moment.heard_ms,
        "kafka_answers": moment.kafka_answers,
        "watermark_ms": standing.watermark_ms,
        "lag": standing.lag,
        "zone": DEFAULT_ZONE,
        "events": counts.events,
        "duplicate": counts.duplicate,
        "rejected": counts.rejected,
        "late": counts.late,
        "rooms": len(known.rooms),
    }


def _json(value: Json | None) -> bytes:
    return b"null" if value is None else encode(value)
