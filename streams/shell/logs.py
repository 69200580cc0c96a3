"""What does a worker say? Nothing in normal operation; one line for what a person should know.

Faust and aiokafka log rebalances, each failed connection and each retry as warnings and errors.
All of that is normal here: a worker that dies says why (`worker`), a Kafka that is away is told
once (`log_ends`). `ROOMPULSE_LOG_LEVEL=info` shows theirs, too.
"""

import logging

# What Faust logs of our subclasses stands under the names of our modules; what we have to say
# ourselves is logged by the name `roompulse.worker`.
_LIBRARIES = ("aiokafka", "faust", "mode", "streams")


def set_up(level: str) -> None:
    """Log to standard error, one plain line each."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.setLevel(logging.CRITICAL if level == "warning" else level.upper())
