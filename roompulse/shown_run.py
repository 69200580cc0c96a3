"""An embedded run that can be looked at on the way, as a worker can."""

from zoneinfo import ZoneInfo

from roompulse.standing import Standing, standing_of
from schemas.calendar import Calendar
from schemas.details import AfterSalesFigures, Detail, PitchMinute
from schemas.records import AnyBoard, ProductFigures, Progress, RoomFigures
from schemas.topics import DEFAULT_PARTITIONS
from streams.core.after_sales_totals import AfterSalesTotals
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE, BoardFold
from streams.core.emissions import Emissions
from streams.core.integrity.alert_book import AlertBook
from streams.core.last_marks import LastMarks
from streams.core.market.live import LiveMarket, MarketView, market_view
from streams.core.stickiness.comeback import Comeback, comeback
from streams.core.stickiness.live import LivePeople, live_people
from streams.embedded import EmbeddedRun, Results

_LOOK_MS = 10 * 60_000
_MARKET_MS = 60_000


class ShownRun(EmbeddedRun):
    """An embedded run whose boards can be looked at on the way; its results are not changed by it.

    What is shown goes into a board fold of its own: views of one offset have one content, so the
    final figures, which stand at an offset that was shown before, would not replace them there.

    Attributes:
        alerts: what is known of alerts by now.
        after_sales: who answers for what, as of when boards were last asked for.
    """

    def __init__(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        zone: str = DEFAULT_ZONE,
        top: int = DEFAULT_TOP,
        calendar: Calendar = (),
    ) -> None:
        super().__init__(partitions, zone, top, calendar=calendar)
        self._festivals = calendar
        self._people: dict[int, LivePeople] = {}
        self._comeback: Comeback | None = None
        self._looked_ms = -_LOOK_MS
        self._market = LiveMarket()
        self._market_view = MarketView()
        self._shown = BoardFold(ZoneInfo(zone), top)
        self.alerts = AlertBook()
        self.after_sales = AfterSalesTotals()
        self.last_marks = LastMarks()

    @property
    def rooms(self) -> dict[str, RoomFigures]:
        """The figures of each room as they were last asked for."""
        return self._shown.rooms

    @property
    def people(self) -> dict[int, LivePeople]:
        """Who is active, by partition; looked at anew every ten minutes of event time."""
        self._look()
        return self._people

    @property
    def comeback(self) -> Comeback | None:
        """Who came back; looked at likewise."""
        self._look()
        return self._comeback

    def _look(self) -> None:
        marks = [each.watermark_ms for each in self.partitions if each.watermark_ms is not None]
        now_ms = max(marks, default=self._looked_ms)
        if now_ms >= self._looked_ms + _LOOK_MS:
            self._looked_ms = now_ms
            found = {each.number: live_people(each, self._festivals) for each in self.partitions}
            self._people = {number: each for number, each in found.items() if each is not None}
            self._comeback = comeback(self.partitions)

    @property
    def market(self) -> MarketView:
        """How all stand beside each other; looked at anew every minute of event time."""
        now_ms = self._shown.as_of_ms
        if now_ms is not None and now_ms >= (self._market_view.as_of_ms or 0) + _MARKET_MS:
            rules = self.partitions[0].detectors.rules
            stand = self._market.stand(now_ms)
            self._market_view = market_view(stand, self.alerts.known(), rules)
        return self._market_view

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
                self._market.newest.apply_room(figures)
                self._learn_currency(figures)
            details = partition.details(changed)
            for detail in details:
                self._newest.apply_detail(detail)  # for the results: each is told once
            self._show_details(details)
            for each in products:
                self._shown.apply_product(each)
                self._market.newest.apply_product(each)
            self._shown.apply_progress(partition.progress())
        return self._shown.boards()

    def finish(self) -> Results:
        """End the session; what was only shown is handed to the results, too."""
        for partition in self.partitions:
            for room in partition.rooms.values():
                room.show_all_again()
        return super().finish()

    def _apply(
        self, rooms: list[RoomFigures], products: list[ProductFigures], details: list[Detail]
    ) -> None:
        super()._apply(rooms, products, details)
        for figures in rooms:
            self._learn_currency(figures)
        self._show_details(details)

    def _learn_currency(self, figures: RoomFigures) -> None:
        self.after_sales.apply_currency(figures.summary.room_id, figures.summary.currency)

    def _show_details(self, details: list[Detail]) -> None:
        for detail in details:
            if not isinstance(detail, PitchMinute):
                self._market.newest.apply_detail(detail)
            if isinstance(detail, AfterSalesFigures):
                self.after_sales.apply(detail)

    def _take(self, emissions: Emissions) -> None:
        super()._take(emissions)
        for line in emissions.minutes:
            self._shown.apply_minute(line)
            self._market.apply_minute(line)
        for mark in emissions.marks:
            self.last_marks.apply(mark)
        for alert in emissions.alerts:
            self.alerts.apply(alert)
