"""The functional core: pure folds over events; no I/O, no wall clock, no Kafka, no asyncio."""
