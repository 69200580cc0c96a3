"""Can what is shown be believed right now? One word and one sentence, from how long what is silent.

Time here is that of the person who looks (a monotonic clock in seconds); no figure depends on it.
"""

from dataclasses import dataclass

# Kafka answers several times a second; workers publish about once a second while they fold.
SILENT_SECONDS = 5.0
STALE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """How things stand.

    Attributes:
        word: in capitals where a person has to know it before believing a figure.
        is_good: whether the figures are what they seem to be.
    """

    word: str
    sentence: str
    is_good: bool


def state_of_run(*, has_boards: bool) -> State:
    """Of a run that has ended."""
    if not has_boards:
        return State("NO DATA", "nothing was sold in this run", is_good=False)
    return State("ended", "figures are final", is_good=True)


def state_of_system(
    *, has_boards: bool, lag: int | None, unanswered_seconds: float, unmoved_seconds: float
) -> State:
    """Of a running system.

    Args:
        has_boards: whether there is any board.
        lag: events that are not folded yet.
        unanswered_seconds: since Kafka has answered last.
        unmoved_seconds: since the workers have folded something last.
    """
    if unanswered_seconds > SILENT_SECONDS:
        return State(
            "KAFKA SILENT",
            f"no answer for {duration(unanswered_seconds)}: figures are as they were then",
            is_good=False,
        )
    if unmoved_seconds > STALE_SECONDS and lag:
        return State(
            "STALE",
            f"{lag:,} events wait and no worker has folded any for {duration(unmoved_seconds)}",
            is_good=False,
        )
    if not has_boards:
        return State(
            "NO DATA YET", "no board in Kafka: nothing was sold, or no worker runs", is_good=False
        )
    if unmoved_seconds > STALE_SECONDS:
        return State("quiet", f"no event for {duration(unmoved_seconds)}", is_good=True)
    return State("live", "figures move as events are folded", is_good=True)


def duration(seconds: float) -> str:
    """A time in its two largest units: 42 s, 12 min 05 s, 3 h 07 min, 2 d 4 h."""
    whole = int(seconds)
    minutes, seconds_left = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left} h"
    if hours:
        return f"{hours} h {minutes_left:02} min"
    if minutes:
        return f"{minutes} min {seconds_left:02} s"
    return f"{whole} s"
