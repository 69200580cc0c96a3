"""A pure, seeded model of live-commerce evenings, with the truth of what was planted.

Normal traffic (`traffic`, `aftersales`, with `parameters`, `identities`, `catalogue`, `rooms`,
`evening`) is one thing; what is planted on it is an `Overlay`, which sees every minute and every
sale of a room and may add to them: `dirt`, `quota`, `viewbots`, `waves`, `price_war`, and the
`script`s that `adversaries` and `innocents` write. `scenarios`, `planted` and `season` put them
together, `session` merges the rooms by arrival, `truth` says what a correct reader must find.
Nothing here does I/O.
"""

from producers.generator.scenarios import SCENARIOS, Scenario, generate
from producers.generator.session import Session, World
from producers.generator.traffic import Overlay, Room
from producers.generator.truth import Incident, Truth
from producers.generator.wanted import ScenarioError, Wanted

__all__ = [
    "SCENARIOS",
    "Incident",
    "Overlay",
    "Room",
    "Scenario",
    "ScenarioError",
    "Session",
    "Truth",
    "Wanted",
    "World",
    "generate",
]
