"""An embedded run that can be looked at on the way, as a worker can."""

from zoneinfo import ZoneInfo

from roompulse.standing import Standing, standing_of
from schemas.records import AnyBoard, Progress, RoomFigures
from schemas.topics import DEFAULT_PARTITIONS
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE, BoardFold
from streams.core.emissions import Emissions
from streams.core.integrity.alert_book import AlertBook
from streams.embedded import EmbeddedRun, Results


class ShownRun(EmbeddedRun):
    """An embedded run whose boards can be looked at on the way; its results are not changed by it.

    What is shown goes into a board fold of its own: views of one offset have one content, so the
    final figures, which stand at an offset that was shown before, would not replace them there.

    Attributes:
        alerts: what is known of alerts by now.
    """

    def __init__(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        zone: str = DEFAULT_ZONE,
        top: int = DEFAULT_TOP,
    ) -> None:
        super().__init__(partitions, zone, top)
        self._shown = BoardFold(ZoneInfo(zone), top)
        self.alerts = AlertBook()

    @property
    def rooms(self) -> dict[str, RoomFigures]:
        """The figures of each room as they were last asked for."""
        return self._shown.rooms

    def standing(self) -> Standing:
        """The boards as they are now."""
        return standing_of(self.current_boards(), self.progress())

    def progress(self) -> list[Progress]:
        """How far each partition is."""
        return [partition.progress() for partition in self.partitions]

    def current_boards(self) -> list[AnyBoard]:
        """The boards as they are now."""
        for partition in self.partitions:
            changed = [room for room in partition.rooms.values() if room.changed]
            summaries, products = partition.figures(changed)
            for figures in summaries:
                self._shown.apply_room(figures)
            for each in products:
                self._shown.apply_product(each)
            self._shown.apply_progress(partition.progress())
        return self._shown.boards()

    def finish(self) -> Results:
        """End the session; what was only shown is handed to the results, too."""
        for partition in self.partitions:
            for room in partition.rooms.values():
                room.products.changed = dict(room.products.pairs)
        return super().finish()

    def _take(self, emissions: Emissions) -> None:
        super()._take(emissions)
        for line in emissions.minutes:
            self._shown.apply_minute(line)
        for alert in emissions.alerts:
            self.alerts.apply(alert)
