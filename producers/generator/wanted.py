"""What can be asked of a scenario besides its name and seed."""

from typing import NamedTuple

MOST_ROOMS = 2_000
MOST_HOURS = 168
LEAST_INTENSITY, MOST_INTENSITY = 0.1, 4.0
LEAST_AUDIENCE, MOST_AUDIENCE = 0.1, 4.0


class ScenarioError(ValueError):
    """A scenario that cannot be generated; its text is one line that says what to do."""


class Wanted(NamedTuple):
    """The options of a scenario; None for the scenario's own.

    Attributes:
        events: about how many events; of natural traffic where something is planted.
        rooms: how many rooms.
        hours: how long each room is open.
        intensity: times the table's figures of what is planted.
        audience: times the usual number of visits, for as many orders: a thin audience makes a
            session small while it holds as much to judge.
        attacks: which adversaries; all that the scenario has if None.
    """

    events: int | None = None
    rooms: int | None = None
    hours: float | None = None
    intensity: float | None = None
    audience: float | None = None
    attacks: tuple[str, ...] | None = None

    def check(self, scenario: str, options: frozenset[str]) -> None:
        """Refuse what the scenario does not have, and what is out of range.

        Raises:
            ScenarioError: with the option and what is allowed.
        """
        for option, value in self._asdict().items():
            if value is not None and option not in options:
                able = ", ".join(f"--{name}" for name in sorted(options))
                raise ScenarioError(f"{scenario} has no --{option}; it has {able}")
        for option, least, most in (
            ("rooms", 1, MOST_ROOMS),
            ("hours", 1, MOST_HOURS),
            ("intensity", LEAST_INTENSITY, MOST_INTENSITY),
            ("audience", LEAST_AUDIENCE, MOST_AUDIENCE),
        ):
            value = getattr(self, option)
            # written so that a NaN is refused too
            if value is not None and not least <= value <= most:
                raise ScenarioError(f"--{option} is from {least} to {most:,}, not {value}")
