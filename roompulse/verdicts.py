"""How does what a person says of an alert get into the log? One way, whoever asks for it."""

from producers.single_records import send
from schemas.records import Verdict, encode, verdict_key
from schemas.topics import ALERTS

LONGEST_NOTE = 500


async def give(bootstrap: str, verdict: Verdict) -> None:
    """Write a verdict beside the versions of its alert; returns when it is acknowledged.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
    """
    await send(bootstrap, ALERTS, verdict_key(verdict.alert_id), encode(verdict))
