"""The computation: a functional core (`streams.core`) and the shell that feeds it."""
