"""The imperative shell: Kafka and Faust in, records and metrics out. Decides nothing itself."""
