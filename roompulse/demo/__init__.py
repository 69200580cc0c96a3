"""The demonstration: a generated evening, through Kafka and a worker, to boards that are checked.

`roompulse.cli.demo` leads through it. Here, one file a question: what is played (`session`), what
runs meanwhile and is ended with it (`processes`), how it is played on Kafka (`on_kafka`) or in this
process (`embedded`), what a person sees (`screen`), whether the figures are right (`checks`).
"""
