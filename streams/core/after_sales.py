"""How many complaints are there, who answers for them, and how long do people wait?

A complaint's states count once each by (`complaint_id`, `status`), remembered for 24 h of
watermark. First reply: first `replied` minus `opened`; resolution: first `resolved` minus `opened`;
without a known opening neither has a duration (design, section 6). A complaint may well be resolved
days later, so its course is kept beyond the 24 h.

Service levels: a complaint whose opening is believed has a deadline for each, by the rules in force
when it was opened. When the watermark passes one, the complaint has been answered by a stamp not
after it, or the level is breached; that verdict stands, a later answer takes nothing back. An
answer whose stamp is refuted counts as given at the watermark. What was answered before its opening
was known is not judged.

State: counters, remembered states, courses, deadlines, histograms, loads. Caps: `complaints`,
`complaint_courses` (a course that goes takes its deadlines along), `loads`.
"""

from heapq import heapify, heappop, heappush
from typing import Any, Literal

from schemas.codec import Complaint
from schemas.rules import AfterSalesRules
from streams.core import limits
from streams.core.histogram import DurationHistogram
from streams.core.load import LEVELS, Level, Loads, Place
from streams.core.remembered import Remembered

_MINUTE_MS = 60_000
Verdict = Literal["in_time", "breach"]


class Answer:
    """How far a complaint is on one service level.

    Attributes:
        known: whether it was given.
        took_ms: since the opening; None where it was not measured.
        due_ms: the deadline; None where there is none.
    """

    __slots__ = ("due_ms", "known", "took_ms", "verdict")

    def __init__(
        self,
        known: bool = False,  # noqa: FBT001, FBT002 - as `snapshot` gives them
        took_ms: int | None = None,
        due_ms: int | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self.known = known
        self.took_ms = took_ms
        self.due_ms = due_ms
        self.verdict = verdict

    def snapshot(self) -> list[Any]:
        return [self.known, self.took_ms, self.due_ms, self.verdict]


class Course:
    """How far one complaint is.

    Attributes:
        first_ms: the stamp of the first event that was heard of it.
        opened_ms: the first opening; None while it is not known.
        party: whom an event named responsible last; None while none did.
        place: the load that counts it; None while none does.
    """

    __slots__ = ("answers", "first_ms", "kind", "opened_ms", "party", "place")

    def __init__(self, first_ms: int) -> None:
        self.first_ms = first_ms
        self.opened_ms: int | None = None
        self.kind = ""
        self.party: str | None = None
        self.place: Place | None = None
        self.answers: dict[Level, Answer] = {level: Answer() for level in LEVELS}

    def snapshot(self) -> list[Any]:
        answers = [self.answers[level].snapshot() for level in LEVELS]
        return [self.first_ms, self.opened_ms, self.kind, self.party, self.place, answers]

    @classmethod
    def restored(cls, state: list[Any]) -> "Course":
        self = cls(0)
        self.first_ms, self.opened_ms, self.kind, self.party, place, answers = state
        self.place = tuple(place) if place is not None else None
        for level, saved in zip(LEVELS, answers, strict=True):
            self.answers[level] = Answer(*saved)
        return self


class AfterSales:
    """The complaints of one room, and what its parties answer for."""

    __slots__ = (
        "_courses",
        "_deadlines",
        "_evictions",
        "_known",
        "first_replies",
        "loads",
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
        self.loads = Loads(evictions)
        self._known: Remembered[None] = Remembered("complaints", evictions)
        self._courses: dict[str, Course] = {}
        self._deadlines: list[tuple[int, Level, str]] = []

    def knows(self, event: Complaint, watermark_ms: int) -> bool:
        """Whether this state of a complaint was counted, and is still remembered."""
        return self._known.get(_state_id(event), watermark_ms) is not None

    def complaint(
        self,
        event: Complaint,
        watermark_ms: int,
        rules: AfterSalesRules,
        *,
        merchant_id: str | None,
        believed: bool,
    ) -> None:
        """Count a complaint's state that is no repeat."""
        self.settle(watermark_ms)
        self._known.put(_state_id(event), event.ts_ms, None, watermark_ms)
        course = self._courses.get(event.complaint_id) or self._begin(event)
        course.party = event.party or course.party
        if course.place is not None and course.party not in (None, course.place[1]):
            self._move(course, (course.place[0], course.party), event.ts_ms)
        if event.status == "opened":
            self.opened += 1
            if course.opened_ms is None:
                self._open(course, event, rules, merchant_id, believed=believed)
        elif event.status == "replied":
            self.replied += 1
            self._answer(course, "first_reply", event, watermark_ms, believed=believed)
        else:
            self.resolved += 1
            self._answer(course, "resolution", event, watermark_ms, believed=believed)

    def refund(self, place: Place, reason: str, accepted_minor: int, ts_ms: int) -> None:
        """Count an accepted refund for the party that answers for it."""
        self._leave(self.loads.refund(place, reason, accepted_minor, ts_ms))

    def settle(self, watermark_ms: int) -> None:
        """Judge the service levels whose deadline the watermark has passed."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= watermark_ms:
            due_ms, level, complaint_id = heappop(deadlines)
            course = self._courses[complaint_id]
            answer = course.answers[level]
            if answer.verdict is None:
                answer.verdict = "breach"
                if course.place is not None:
                    load, gone = self.loads.at(course.place, due_ms)
                    load.services[level].breaches += 1
                    self._leave(gone)

    def _open(
        self,
        course: Course,
        event: Complaint,
        rules: AfterSalesRules,
        merchant_id: str | None,
        *,
        believed: bool,
    ) -> None:
        course.opened_ms = event.ts_ms
        course.kind = event.kind
        party = course.party or getattr(rules.complaint_party, event.kind)
        self._move(course, (merchant_id, party), event.ts_ms)
        minutes = (rules.first_reply_minutes, rules.resolution_minutes)
        for level, limit in zip(LEVELS, minutes, strict=True):
            answer = course.answers[level]
            # a course that was given up as soon as it began has no deadlines
            if believed and not answer.known and event.complaint_id in self._courses:
                answer.due_ms = event.ts_ms + limit * _MINUTE_MS
                heappush(self._deadlines, (answer.due_ms, level, event.complaint_id))

    def _answer(
        self, course: Course, level: Level, event: Complaint, watermark_ms: int, *, believed: bool
    ) -> None:
        """Take the first reply or solution; measure it where the opening is known."""
        answer = course.answers[level]
        if answer.known:
            return
        answer.known = True
        if course.opened_ms is None:
            return
        answer.took_ms = max(0, event.ts_ms - course.opened_ms)
        whole = self.first_replies if level == "first_reply" else self.resolutions
        whole.add(answer.took_ms)
        given_ms = event.ts_ms if believed else watermark_ms
        in_time = answer.verdict is None and answer.due_ms is not None and given_ms <= answer.due_ms
        if in_time:
            answer.verdict = "in_time"
        if course.place is not None:
            load, gone = self.loads.at(course.place, event.ts_ms)
            load.services[level].durations.add(answer.took_ms)
            load.services[level].in_time += in_time
            self._leave(gone)

    def _move(self, course: Course, place: Place, ts_ms: int) -> None:
        """Count a complaint, with what is known of its answers, at another place."""
        for target, sign in ((course.place, -1), (place, 1)):
            if target is None:
                continue
            load, gone = self.loads.at(target, ts_ms)
            load.complain(course.kind, sign)
            for level in LEVELS:
                answer = course.answers[level]
                load.services[level].shift(answer.took_ms, answer.verdict, sign)
            course.place = target
            self._leave(gone)

    def _leave(self, gone: list[Place]) -> None:
        """Loads that were given up count nothing any more."""
        if gone:
            places = set(gone)
            for course in self._courses.values():
                if course.place in places:
                    course.place = None

    def rest(self, watermark_ms: int) -> None:
        """Free what is no longer remembered."""
        self._known.free(watermark_ms)

    def _begin(self, event: Complaint) -> Course:
        courses = self._courses
        course = courses[event.complaint_id] = Course(event.ts_ms)
        if len(courses) > limits.cap("complaint_courses"):
            self._evictions.give_up_oldest(
                "complaint_courses", courses, lambda id_: (courses[id_].first_ms, id_)
            )
            self._deadlines = [each for each in self._deadlines if each[2] in courses]
            heapify(self._deadlines)
        return course

    def snapshot(self) -> list[Any]:
        return [
            self.opened,
            self.replied,
            self.resolved,
            self.first_replies.snapshot(),
            self.resolutions.snapshot(),
            self._known.snapshot(),
            [[id_, course.snapshot()] for id_, course in self._courses.items()],
            self._deadlines,
            self.loads.snapshot(),
        ]

    def restore(self, state: list[Any]) -> None:
        self.opened, self.replied, self.resolved, replies, resolutions, known, *rest = state
        courses, deadlines, loads = rest
        self.first_replies.restore(replies)
        self.resolutions.restore(resolutions)
        self._known.restore(known)
        self._courses = {id_: Course.restored(parts) for id_, parts in courses}
        self._deadlines = [(due_ms, level, id_) for due_ms, level, id_ in deadlines]
        self.loads.restore(loads)


def _state_id(event: Complaint) -> str:
    return f"{event.status}:{event.complaint_id}"
