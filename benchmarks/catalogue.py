"""Which benchmarks there are, which ratios they give, and what is aimed at."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import (
    codec,
    console,
    delivery,
    embedded,
    latency,
    memory,
    orders,
    plain,
    producer,
    restart,
    scale,
    spine,
    stock,
    worker,
)
from benchmarks.context import Context, Figures


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Something that is measured; `measure` does it once."""

    name: str
    measure: Callable[[Context], Figures]
    summary: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure over another of the same round; figures are `benchmark.figure`."""

    name: str
    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure or a ratio should reach on a machine of two processors."""

    name: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether a median reaches it."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is None or value <= self.at_most

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


# The rounds of a group are interleaved; its brokers and inputs are dropped at its end.
GROUPS: tuple[tuple[Benchmark, ...], ...] = (
    (
        Benchmark("codec", codec.measure, "decode the festival session, nothing else"),
        Benchmark("embedded", embedded.measure, "run it without a broker, to all results"),
        Benchmark(
            "detectors-off",
            embedded.measure_without_detectors,
            "the same with every detector off",
        ),
        Benchmark("spine", spine.measure, "and without people, market and pitch"),
    ),
    (Benchmark("orders", orders.measure, "nothing but orders, 1,000 rooms, without a broker"),),
    (Benchmark("scale", scale.measure, "run without a broker, 10 to 10,000 rooms"),),
    (
        Benchmark("worker", worker.measure_even, "worker on Kafka, everything on"),
        Benchmark("plain", plain.measure, "aiokafka, decoder and two dicts"),
        Benchmark("worker-skewed", worker.measure_skewed, "the same, half of it in one room"),
        Benchmark("stock-faust", stock.measure, "a Faust agent with a table, by the book"),
        Benchmark("producer", producer.measure, "replay to Kafka as fast as it goes"),
    ),
    (Benchmark("restart", restart.measure, "start, and kill -9 to the first new fold"),),
    (
        Benchmark("memory-fold", memory.measure_fold, "1,000 rooms, 1,000,000 viewers: the fold"),
        Benchmark("memory-worker", memory.measure_worker, "the same in a worker on Kafka"),
    ),
    (Benchmark("latency", latency.measure, "5,000 events/s: from sent to shown"),),
    (Benchmark("delivery", delivery.measure, "an alert from the log to Alertmanager"),),
    (Benchmark("console", console.measure, "the same, to a page in a Chromium; its paint"),),
)
NAMES = tuple(benchmark.name for group in GROUPS for benchmark in group)

RATIOS: tuple[Ratio, ...] = (
    Ratio(
        "embedded / codec, events/s",
        "embedded.events_per_second",
        "codec.events_per_second",
    ),
    Ratio(
        "codec / embedded, processor time",
        "codec.cpu_us_per_event",
        "embedded.cpu_us_per_event",
    ),
    Ratio(
        "detectors on / off, processor time",
        "embedded.cpu_us_per_event",
        "detectors-off.cpu_us_per_event",
    ),
    Ratio(
        "detectors-off / spine, processor time",
        "detectors-off.cpu_us_per_event",
        "spine.cpu_us_per_event",
    ),
    Ratio(
        "codec / spine, processor time",
        "codec.cpu_us_per_event",
        "spine.cpu_us_per_event",
    ),
    Ratio(
        "worker / plain loop, processor time",
        "worker.cpu_us_per_event",
        "plain.cpu_us_per_event",
    ),
    Ratio(
        "skewed / even worker, processor time",
        "worker-skewed.cpu_us_per_event",
        "worker.cpu_us_per_event",
    ),
    Ratio(
        "worker / stock Faust, events/s",
        "worker.events_per_second",
        "stock-faust.events_per_second",
    ),
    Ratio(
        "10,000 / 10 rooms, processor time",
        "scale.rooms_10000_cpu_us_per_event",
        "scale.rooms_10_cpu_us_per_event",
    ),
)

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("embedded / codec, events/s", at_least=0.25),
        Target("codec / embedded, processor time", at_least=0.25),
        Target("detectors on / off, processor time", at_most=1.35),
        Target("detectors-off / spine, processor time", at_most=1.5),
        Target("codec / spine, processor time", at_least=0.25),
        Target("worker / plain loop, processor time", at_most=1.5),
        Target("worker / stock Faust, events/s", at_least=50),
        Target("memory-fold.resident_mb", at_most=1_000),
        Target("memory-worker.resident_mb", at_most=1_000),
        Target("latency.p99_ms", at_most=1_500),
        Target("latency.worker_cpu_share", at_most=0.25),
        Target("delivery.p99_ms", at_most=2_000),
        Target("console.p99_ms", at_most=1_500),
        Target("console.first_paint_ms", at_most=1_000),
    )
}
