"""Programs that a benchmark runs in a process of their own, so that what they use can be counted.

Each prints one JSON object on its last line.
"""
