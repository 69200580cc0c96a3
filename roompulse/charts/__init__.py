"""Charts as SVG that needs no script: curves, bars, and what lasted from when to when.

A chart is as wide as its place: positions are shares of the width, text keeps its size. It names
classes instead of colours; `svg.STYLE` gives them colours for light, dark and paper.
"""
