"""Every topic: name, partitions, key, cleanup, limits. What creates or reads topics asks here.

Topics that stage 2 reads have one partition each: one board fold sees them whole. Their records
are small and a few thousand a second at most, far below what one partition carries.
"""

from dataclasses import dataclass, field

from schemas.events import MAX_RECORD_BYTES

LIVE_EVENTS = "live-events"
ROOM_SUMMARIES = "room-summaries"
ROOM_PRODUCTS = "room-products"
ROOM_DETAILS = "room-details"
ROOM_MINUTES = "room-minutes"
PRODUCT_MARKS = "product-marks"
PARTITION_PROGRESS = "partition-progress"
BOARDS = "boards"
ALERTS = "alerts"
DEAD_LETTERS = "dead-letters"
CHECKPOINTS = "checkpoints"
IDENTITY_LINKS = "identity-links"
SHARED_IDENTITIES = "shared-identities"
RING_MARKS = "ring-marks"
IDENTITY_CHECKPOINTS = "identity-checkpoints"
RING_CHECKPOINTS = "ring-checkpoints"

DEFAULT_PARTITIONS = 4
_HOUR_MS = 3_600_000
_RECORDS_KEPT_MS = 48 * _HOUR_MS
_EVENTS_KEPT_MS = 7 * 24 * _HOUR_MS
# A refused record travels inside its dead letter in base64, with its coordinates.
_DEAD_LETTER_BYTES = 4 * 1024 * 1024
# A board is one record; its rows are under 1 KB each.
MOST_BOARD_ROWS = 5_000
LARGEST_BOARD_BYTES = 8 * 1024 * 1024
# A checkpoint is written in chunks of this size at most (`streams.shell.checkpoints`).
CHECKPOINT_CHUNK_BYTES = 512 * 1024


_CHECKPOINT_KEY = "offsets, writer and chunk of the snapshot as a JSON list"
# With `delete`, because what is older than the last two snapshots is deleted by offset.
_CHECKPOINT_CLEANUP = "compact,delete"
_CHECKPOINT_CONFIG = {"max.message.bytes": str(2 * 1024 * 1024), "retention.ms": "-1"}


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's declaration.

    Attributes:
        partitions: None where the number follows that of `live-events`.
        key: what the record key holds, in words.
        cleanup_policy: Kafka's `cleanup.policy`.
        config: further topic settings by their Kafka names.
    """

    name: str
    partitions: int | None
    key: str
    cleanup_policy: str
    description: str
    config: dict[str, str] = field(default_factory=dict)

    def partition_count(self, live_partitions: int) -> int:
        """How many partitions it has where `live-events` has `live_partitions`."""
        return live_partitions if self.partitions is None else self.partitions

    def settings(self) -> dict[str, str]:
        """All of its settings by their Kafka names."""
        return {"cleanup.policy": self.cleanup_policy, **self.config}


TOPICS: tuple[Topic, ...] = (
    Topic(
        LIVE_EVENTS,
        None,
        "room_id",
        "delete",
        "What happens in the rooms, one JSON object a record.",
        {"retention.ms": str(_EVENTS_KEPT_MS), "max.message.bytes": str(1024 * 1024)},
    ),
    Topic(
        ROOM_SUMMARIES,
        1,
        "room_id",
        "compact",
        "The cumulative figures of each room, refreshed about once a second.",
    ),
    Topic(
        ROOM_PRODUCTS,
        1,
        "room_id, product_id and merchant_id as a JSON list",
        "compact",
        "The cumulative figures of each product in each room.",
    ),
    Topic(
        ROOM_DETAILS,
        1,
        "what it is, room_id and what tells it apart in the room, as a JSON list",
        "compact",
        "Who answers for what came back in each room; what each minute sold and what came back;"
        " what each product sold by the hour, and did in its first.",
    ),
    Topic(
        ROOM_MINUTES,
        1,
        "room_id and minute_ms as a JSON list",
        "delete",
        "Each room-minute, once the watermark has closed it.",
        {"retention.ms": str(_RECORDS_KEPT_MS)},
    ),
    Topic(
        PRODUCT_MARKS,
        1,
        "room_id, product_id, action and ts_ms as a JSON list",
        "delete",
        "What was done with products: listed, delisted, priced, stocked.",
        {"retention.ms": str(_RECORDS_KEPT_MS)},
    ),
    Topic(
        PARTITION_PROGRESS,
        1,
        "partition of live-events",
        "compact",
        "How far the fold of each partition is: offset, watermark, counts.",
    ),
    Topic(
        BOARDS,
        1,
        "scope, window and currency as a JSON list",
        "compact",
        "The newest state of each board.",
        {"max.message.bytes": str(LARGEST_BOARD_BYTES)},
    ),
    Topic(
        ALERTS,
        1,
        'alert_id and version as a JSON list; of a verdict alert_id and "verdict"',
        "compact",
        "Every version of every alert, with its evidence; what people said of alerts.",
    ),
    Topic(
        DEAD_LETTERS,
        1,
        "topic, partition, offset and reason as a JSON list",
        "compact",
        "Records that were refused, with their bytes, coordinates and reason.",
        {"max.message.bytes": str(_DEAD_LETTER_BYTES)},
    ),
    Topic(
        CHECKPOINTS,
        None,
        _CHECKPOINT_KEY,
        _CHECKPOINT_CLEANUP,
        "The whole state of each partition's fold, in chunks.",
        _CHECKPOINT_CONFIG,
    ),
    Topic(
        IDENTITY_LINKS,
        None,
        "kind of identity and the identity; of what every partition gets, its source",
        "delete",
        "Orders by each identity, prices by product, and how far each partition has told.",
        {"retention.ms": str(_RECORDS_KEPT_MS)},
    ),
    Topic(
        SHARED_IDENTITIES,
        1,
        "kind of identity and the identity; of watermarks and rules, their source",
        "delete",
        "The orders under identities that several buyers share, or of buyers in several rooms.",
        {"retention.ms": str(_RECORDS_KEPT_MS)},
    ),
    Topic(
        RING_MARKS,
        None,
        "room_id",
        "delete",
        "Orders of rings, which come off trusted GMV of their rooms.",
        # as long as events: who folds those again needs what was marked of them
        {"retention.ms": str(_EVENTS_KEPT_MS)},
    ),
    Topic(
        IDENTITY_CHECKPOINTS,
        None,
        _CHECKPOINT_KEY,
        _CHECKPOINT_CLEANUP,
        "Who uses which identities, for each partition of identity-links, in chunks.",
        _CHECKPOINT_CONFIG,
    ),
    Topic(
        RING_CHECKPOINTS,
        1,
        _CHECKPOINT_KEY,
        _CHECKPOINT_CLEANUP,
        "The rings, in chunks.",
        _CHECKPOINT_CONFIG,
    ),
)
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}
assert MAX_RECORD_BYTES * 2 < _DEAD_LETTER_BYTES
