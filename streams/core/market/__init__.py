"""What the rooms of a session look like beside each other.

`sold_hours` and `trials` are state of a room: what each product sold hour by hour, and did in its
first. The rest are pure functions of what rooms say of themselves, for the files of a run:
`sameness` whether all sell the same, `supply` how goods sell and what they cost (`price_wars` who
undercuts whom), `benchmark` how each room does beside its like (`among`), `agencies` how agencies
stand, `credit` who can be trusted (both from `measures`). `dictionary` says what each figure means;
`whole` puts the files together.
"""
