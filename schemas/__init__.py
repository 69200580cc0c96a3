"""The contract: events, records, topics, the event clock and the partitioner. Imports no other part."""
