"""What the rooms of a session look like beside each other.

`sold_hours` is state of a room: what each product sold, hour by hour. The rest are pure functions
of what rooms say of themselves, for the files of a run: `sameness` whether all sell the same.
`whole` puts the files together.
"""
