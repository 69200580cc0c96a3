"""How is Faust set up for batches? The app of a worker, its way to Kafka, and where it reads."""

import faust
import mode
from faust.types import TP

from schemas.kafka_access import kafka_access
from schemas.topics import LIVE_EVENTS
from streams.shell import batch_transport
from streams.shell.settings import WorkerSettings

# Batches that Faust may hold before a stream; a fetch is up to 20,000 records, so this bounds what
# waits in memory. Small fetches cost: 2,000 to 5,000 records gave half the rate of 20,000.
_BUFFERED_BATCHES = 16
_FETCH_RECORDS = 20_000


class _App(faust.App):  # type: ignore[misc]
    """Faust makes a folder for tables in the working directory; there are no tables here."""

    def _create_directories(self) -> None:
        pass


def build_app(settings: WorkerSettings) -> faust.App:
    """The Faust app: batches of `live-events` into an agent that fails fast."""
    app = _App(
        settings.group,
        broker=f"kafka://{settings.kafka}",
        broker_credentials=_credentials(),
        store="memory://",
        web_enabled=False,
        web_bind="127.0.0.1",
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_max_poll_records=_FETCH_RECORDS,
        stream_buffer_maxsize=_BUFFERED_BATCHES,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        agent_supervisor=mode.supervisors.CrashingSupervisor,
        table_standby_replicas=0,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_rebalance_timeout=max(10.0, settings.session_timeout_seconds),
        worker_redirect_stdouts=False,
    )
    limits = batch_transport.FetchLimits(settings.fetch_min_bytes, settings.fetch_wait_ms)
    app.transport = batch_transport.BatchTransport.of(app, limits)
    return app


def _credentials() -> faust.types.auth.CredentialsT | None:
    """The settings of TLS and of the password, in Faust's form; its other clients have ours."""
    access = kafka_access()
    if access.has_password:
        return faust.SASLCredentials(
            username=access.username,
            password=access.password,
            ssl_context=access.context,
            mechanism=access.mechanism,
        )
    return None if access.context is None else faust.SSLCredentials(access.context)


class GroupPosition:
    """Moves where the group's consumer reads."""

    def __init__(self, app: faust.App) -> None:
        self._app = app

    async def rewind(self, partition: int, next_offset: int, first_offset: int) -> bool:
        consumer, target = self._app.consumer, TP(LIVE_EVENTS, partition)
        earliest = (await consumer.earliest_offsets(target))[target]
        wanted: int = max(next_offset, earliest)
        if wanted >= first_offset:
            return False
        await consumer.seek(target, wanted)
        return True
