"""A pure, seeded model of live-commerce evenings, with the truth of what was planted.

Normal traffic (`traffic`, `aftersales`, with `parameters`, `identities`, `catalogue`, `rooms`,
`evening`) is one thing; what is planted on it is an `Overlay` (`dirt`, `quota`), which sees every
minute and every sale of a room and may add to them. `scenarios` puts them together, `session`
merges the rooms by arrival, `truth` says what a correct reader must find. Nothing here does I/O.
"""

from producers.generator.scenarios import SCENARIOS, Scenario, ScenarioError, generate
from producers.generator.session import Session, World
from producers.generator.traffic import Overlay, Room
from producers.generator.truth import Incident, Truth

__all__ = [
    "SCENARIOS",
    "Incident",
    "Overlay",
    "Room",
    "Scenario",
    "ScenarioError",
    "Session",
    "Truth",
    "World",
    "generate",
]
