"""How fast, how lean and how prompt is it? `make bench` measures, prints a table, stores JSON.

Each benchmark is one small file with a function that measures once and returns figures by name,
the unit last. Rounds are interleaved: the first round of every benchmark of a group, then the
second. So the ratio of two of them compares neighbours in time, which is fair on a noisy machine.
Figures are medians; every sample is kept. Nothing here is run by the tests.
"""
