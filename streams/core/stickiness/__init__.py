"""Do viewers stay, come back and buy again, and what did a festival borrow from the weeks after it?

`state` is what a partition remembers: for each room and event day the people who watched, those who
bought, and the net money of the sales. `report` turns the states of all partitions, and what became
known of the rooms by the end, into the sections of `stickiness.json`; `people`, `event_days`,
`returning`, `cohorts` and `festivals` answer one part each.
"""
