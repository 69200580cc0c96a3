"""Is the pipeline well: is every event folded, in time, once, and is the state safe?"""

from deploy.grafana.spec import NUMBER, Page, Panel, Query, Row, graph, stat

_GOOD_BELOW_ONE = ((None, "green"), (1.0, "red"))
_PARTITION = "partition {{partition}}"


def _ratio_of_rates(part: str, base: str) -> str:
    """Two counters of each partition; nothing where the second stands still."""
    top, bottom = (
        f"sum by (partition) (rate(roompulse_{counter}[$__rate_interval]))"
        for counter in (part, base)
    )
    return f"{top} / ({bottom} > 0)"


PIPELINE = Page(
    uid="roompulse-pipeline",
    title="Pipeline health",
    description="Workers, lag, event time, checkpoints, refused events and full maps.",
    variables=(),
    rows=(
        Row(
            "Now",
            (
                stat(
                    "Alerts firing",
                    'count(ALERTS{alertstate="firing", alertname=~"Roompulse.+"}) or vector(0)',
                    steps=_GOOD_BELOW_ONE,
                    about="Of the rules of `deploy/prometheus/rules/alerts.yml`.",
                ),
                stat(
                    "Workers",
                    "count(roompulse_board_leader) or vector(0)",
                    steps=((None, "red"), (1, "green")),
                    about="Workers that answer; each shows whether it keeps the boards.",
                ),
                stat(
                    "Workers that keep the boards",
                    "roompulse:board_leaders:sum",
                    steps=((None, "red"), (1, "green"), (2, "red")),
                    about="One, but for moments of a handover.",
                ),
                stat(
                    "Lag",
                    "roompulse:consumer_lag_records:sum",
                    steps=((None, "green"), (20_000, "orange"), (200_000, "red")),
                ),
                stat(
                    "Refused, last 5 minutes",
                    "roompulse:events_rejected:share5m",
                    "percentunit",
                    decimals=2,
                    steps=((None, "green"), (0.01, "red")),
                    about="Of all events; nothing while none come.",
                ),
                stat(
                    "Entries given up, last 5 minutes",
                    "sum(map:roompulse_state_evicted:increase5m)",
                    steps=_GOOD_BELOW_ONE,
                    decimals=0,
                ),
            ),
        ),
        Row(
            "Events",
            (
                graph(
                    "Events a second, by outcome",
                    ("outcome:roompulse_events:rate1m", "{{outcome}}"),
                    unit="cps",
                    about="`late`, `future` and `broadcast` are parts of `accepted`.",
                ),
                graph(
                    "Accepted a second, by type",
                    ("type:roompulse_events_accepted:rate1m", "{{type}}"),
                    unit="cps",
                ),
                graph(
                    "Refused a second, by reason",
                    ("reason:roompulse_events_rejected:rate1m", "{{reason}}"),
                    unit="cps",
                    about="They are in `dead-letters`: `roompulse dead-letters list`.",
                ),
                graph(
                    "Records folded a second",
                    ("partition:roompulse_batch_records:rate1m", _PARTITION),
                    unit="cps",
                    about="Ticks and events that wait for their stamps are records, too.",
                ),
            ),
        ),
        Row(
            "In time",
            (
                graph(
                    "Lag by partition",
                    ("partition:roompulse_consumer_lag_records:max", _PARTITION),
                    steps=((None, "green"), (20_000, "orange")),
                ),
                graph(
                    "Event time behind the time of day",
                    ("partition:roompulse_watermark_delay_seconds:min", _PARTITION),
                    unit="s",
                    steps=((None, "green"), (120, "orange")),
                    about="A replay of an old evening is far behind by its nature.",
                ),
                graph(
                    "Share of a core that folding takes",
                    ("partition:roompulse_fold_seconds:rate1m", _PARTITION),
                    unit="percentunit",
                    steps=((None, "green"), (0.8, "orange")),
                ),
                graph(
                    "Time of folding, a record",
                    (
                        _ratio_of_rates("fold_seconds_total", "batch_records_total"),
                        _PARTITION,
                    ),
                    unit="s",
                ),
                graph(
                    "Records in a fetch",
                    (
                        _ratio_of_rates("batch_records_total", "batches_total"),
                        f"{_PARTITION}, mean",
                    ),
                    ("max by (partition) (roompulse_batch_records_max)", f"{_PARTITION}, most"),
                    decimals=0,
                ),
                graph(
                    "Records whose stamps are not decided",
                    ("max by (partition) (roompulse_clock_waiting_records)", _PARTITION),
                    decimals=0,
                ),
            ),
        ),
        Row(
            "State",
            (
                graph(
                    "Age of the checkpoint",
                    ("min by (partition) (roompulse_checkpoint_age_seconds)", _PARTITION),
                    unit="s",
                    steps=((None, "green"), (60, "orange")),
                    about="A partition without new records is not saved again.",
                ),
                graph(
                    "Size of the checkpoint",
                    ("max by (partition) (roompulse_checkpoint_bytes)", _PARTITION),
                    unit="bytes",
                ),
                graph(
                    "Rooms with state",
                    ("max by (partition) (roompulse_rooms)", _PARTITION),
                    decimals=0,
                ),
                Panel(
                    "Maps",
                    "table",
                    (
                        Query("sum by (map) (roompulse_state_evicted_total)", "Given up"),
                        Query("max by (map) (roompulse_state_cap)", "Cap of a partition"),
                    ),
                    NUMBER,
                    about="A full map gives up its oldest entries: docs/limits.md.",
                    decimals=0,
                ),
            ),
        ),
    ),
)
