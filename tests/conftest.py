"""The same examples on every machine and in every run: laws that hold in CI hold again at home.

`ROOMPULSE_HYPOTHESIS=search pytest ...` looks for new examples instead, and keeps what it finds;
`unshrunk` shows the first failing example as it was drawn, at once.
"""

import os

from hypothesis import HealthCheck, Phase, settings

from schemas.kafka_access import VARIABLES

# How the caller gets into a Kafka of his own is nothing to those that the tests start.
for name in VARIABLES:
    os.environ.pop(name, None)

_SLOW_TO_DRAW = [HealthCheck.too_slow]
settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW_TO_DRAW
)
settings.register_profile("search", deadline=None, suppress_health_check=_SLOW_TO_DRAW)
settings.register_profile("unshrunk", settings.get_profile("suite"), phases=[Phase.generate])
settings.load_profile(os.environ.get("ROOMPULSE_HYPOTHESIS", "suite"))
