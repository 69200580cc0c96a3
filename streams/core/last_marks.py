"""When was something done last with a product of a room: put on, priced, taken off or stocked?

So that curves of a room can show where. A mark that comes twice or late changes nothing. State: the
newest stamp of each room. Bound: the rooms of the topic that is read.
"""

from schemas.records import ProductMark


class LastMarks:
    """The newest mark of each room."""

    __slots__ = ("_ts_ms",)

    def __init__(self) -> None:
        self._ts_ms: dict[str, int] = {}

    def apply(self, mark: ProductMark) -> None:
        """Take a mark, in whatever order they come."""
        self._ts_ms[mark.room_id] = max(mark.ts_ms, self._ts_ms.get(mark.room_id, mark.ts_ms))

    def of_room(self, room_id: str) -> int | None:
        """The stamp of the newest mark, epoch milliseconds; None before the first."""
        return self._ts_ms.get(room_id)
