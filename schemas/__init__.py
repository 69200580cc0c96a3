"""The contract: events, records, topics, event clock, partitioner. Imports no other part."""
