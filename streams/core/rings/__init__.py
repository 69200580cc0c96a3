"""Who places orders together, in one room or in several: rings, found in two levels.

`linking` is a partition's part: what each order says. `identities` (level 1, by identity) hands on
what several share; `ring_fold` (level 2, in one place) joins those and raises `identity_ring`.

Products are shared as well: `prices` (level 1) finds where rooms undercut each other, `wars`
(level 2) raises `price_war`.
"""
