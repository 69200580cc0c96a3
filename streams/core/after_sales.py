"""How many complaints are there, and how long do people wait for a reply and a solution?

A complaint's states count once each by (`complaint_id`, `status`), remembered for 24 h of
watermark. First reply: first `replied` minus `opened`; resolution: first `resolved` minus `opened`;
without a known opening neither has a duration (design, section 6). A complaint may well be resolved
days later, so its course is kept beyond the 24 h.

State: counters, remembered states, courses, two histograms. Caps: `complaints`,
`complaint_courses`.
"""

from typing import Any

from schemas.codec import Complaint
from streams.core import limits
from streams.core.histogram import DurationHistogram
from streams.core.remembered import Remembered


class Course:
    """How far one complaint is: when it was opened, whether it was replied to and resolved."""

    __slots__ = ("first_ms", "opened_ms", "replied", "resolved")

    def __init__(
        self,
        first_ms: int,
        opened_ms: int | None = None,
        replied: bool = False,  # noqa: FBT001, FBT002 - as `snapshot` gives them
        resolved: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        self.first_ms = first_ms
        self.opened_ms = opened_ms
        self.replied = replied
        self.resolved = resolved

    def open(self, ts_ms: int) -> None:
        """Take the first opening."""
        if self.opened_ms is None:
            self.opened_ms = ts_ms

    def snapshot(self) -> list[Any]:
        return [self.first_ms, self.opened_ms, self.replied, self.resolved]


class AfterSales:
    """The complaints of one room."""

    __slots__ = (
        "_courses",
        "_evictions",
        "_known",
        "first_replies",
        "opened",
        "replied",
        "resolutions",
        "resolved",
    )

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.opened = 0
        self.replied = 0
        self.resolved = 0
        self.first_replies = DurationHistogram()
        self.resolutions = DurationHistogram()
        self._known: Remembered[None] = Remembered("complaints", evictions)
        self._courses: dict[str, Course] = {}

    def complaint(self, event: Complaint, watermark_ms: int) -> bool:
        """Count a complaint's state; False for a repeat."""
        state_id = f"{event.status}:{event.complaint_id}"
        if self._known.get(state_id, watermark_ms) is not None:
            return False
        self._known.put(state_id, event.ts_ms, None, watermark_ms)
        course = self._courses.get(event.complaint_id) or self._begin(event)
        if event.status == "opened":
            self.opened += 1
            course.open(event.ts_ms)
        elif event.status == "replied":
            self.replied += 1
            if not course.replied:
                course.replied = True
                self._measure(course, event.ts_ms, self.first_replies)
        else:
            self.resolved += 1
            if not course.resolved:
                course.resolved = True
                self._measure(course, event.ts_ms, self.resolutions)
        return True

    def rest(self, watermark_ms: int) -> None:
        """Free what is no longer remembered."""
        self._known.free(watermark_ms)

    def _measure(self, course: Course, ts_ms: int, durations: DurationHistogram) -> None:
        """Measure the first reply or solution of a complaint whose opening is known."""
        if course.opened_ms is not None:
            durations.add(max(0, ts_ms - course.opened_ms))

    def _begin(self, event: Complaint) -> Course:
        courses = self._courses
        course = courses[event.complaint_id] = Course(event.ts_ms)
        if len(courses) > limits.cap("complaint_courses"):
            self._evictions.give_up_oldest(
                "complaint_courses", courses, lambda id_: (courses[id_].first_ms, id_)
            )
        return course

    def snapshot(self) -> list[Any]:
        return [
            self.opened,
            self.replied,
            self.resolved,
            self.first_replies.snapshot(),
            self.resolutions.snapshot(),
            self._known.snapshot(),
            [[id_, *course.snapshot()] for id_, course in self._courses.items()],
        ]

    def restore(self, state: list[Any]) -> None:
        self.opened, self.replied, self.resolved, replies, resolutions, known, courses = state
        self.first_replies.restore(replies)
        self.resolutions.restore(resolutions)
        self._known.restore(known)
        self._courses = {id_: Course(*parts) for id_, *parts in courses}
