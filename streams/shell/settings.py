"""What a worker can be told: one frozen set of typed settings, read once at start.

Each is an option of `roompulse worker` or an environment variable `ROOMPULSE_<NAME>`; what is
neither known nor valid stops the start with its name.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import MOST_BOARD_ROWS
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE


class WorkerSettings(BaseSettings):
    """Settings of one worker."""

    model_config = SettingsConfigDict(env_prefix="ROOMPULSE_", frozen=True, extra="forbid")

    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers, host:port.")
    group: str = Field("roompulse", description="Consumer group; workers of one group share rooms.")
    instance: str | None = Field(
        None,
        description="A name that stays the same across restarts of this worker: it gets its "
        "partitions back at once. Two running workers must not share one.",
    )
    metrics_host: str = Field("127.0.0.1", description="Where /metrics, /live and /ready listen.")
    metrics_port: int = Field(6067, ge=0, le=65_535, description="0 picks a free port.")
    top: int = Field(
        DEFAULT_TOP,
        ge=1,
        le=MOST_BOARD_ROWS,
        description="Rows of a published board; a board is one record, so not all of any number.",
    )
    rates_file: Path | None = Field(
        None,
        description="A rate table, YAML {base, date, rates}: boards over all currencies in its "
        "base, beside those of each currency.",
    )
    calendar_file: Path | None = Field(
        None,
        description="Festivals whose money is told, YAML list of {festival, first_day, last_day}; "
        "by default those shipped: 618, Double 11, 12.12, Spring Festival.",
    )
    metric_rows: int = Field(20, ge=0, le=500, description="Rows of a board shown as metrics.")
    zone: str = Field(DEFAULT_ZONE, description="Time zone of the day boards.")
    view_seconds: float = Field(0.75, gt=0, description="How often live views are refreshed.")
    checkpoint_seconds: float = Field(10.0, gt=0, description="How often state is saved.")
    session_timeout_seconds: float = Field(
        6.0,
        ge=1,
        description="After so long without a sign of life a worker loses its partitions.",
    )
    stuck_seconds: float = Field(
        30.0, gt=0, description="Lag without progress for so long makes /live fail."
    )
    fetch_min_bytes: int = Field(65_536, ge=1, description="A fetch waits for so much,")
    fetch_wait_ms: int = Field(100, ge=1, description="but not longer than this.")
    tick_seconds: float = Field(
        5.0, ge=0, description="A partition silent for so long gets a tick; 0 for never."
    )
    log_level: Literal["warning", "info", "debug"] = Field(
        "warning", description="Below warning, the libraries' own logs are shown, too."
    )
    address_file: Path | None = Field(
        None, description="Write the address of /metrics here once it listens."
    )
