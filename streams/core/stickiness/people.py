"""Which people: a set of ids that stays small, and can be united, intersected and counted later.

A set keeps a 64-bit hash of each person. Up to `EXACT` people it is exact; beyond, it keeps the
`EXACT` people with the smallest hashes (a theta sketch of Apache DataSketches), which is a random
sample of people, the same in every set: who is in two sets is in both samples or in neither. Counts
then have a standard error of 0.39 %; a share found among `n` people of a sample has one of at most
0.5 / sqrt(n).

What a set is read as depends on the people in it alone, never on their order, on how often they
came, or on which of them came before and which after a restart: a sketch that holds more is cut to
its `EXACT` smallest before it is read.

Bounds: 8 bytes a person, 512 KiB in all; while a set grows, a hash table of up to 128 bytes a
person, 1 MiB in all, until `seal`.
"""

from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import datasketches

_LOG2_EXACT = 16
EXACT = 1 << _LOG2_EXACT
# Unions keep more than their parts, so that they lose little of what those still know. Worst case
# of one: 16 MiB while it is computed.
_LOG2_UNITED = 20
WHOLE = 2**63 - 1  # the threshold of a set that holds everyone

# A finished set: a sketch of the library, which has no types.
Sketch = Any


class People:
    """A set of people that still grows.

    A sealed set takes no hash table; who is added later gets a table of its own, and both are one
    set when read.
    """

    __slots__ = ("_growing", "_sealed")

    def __init__(self) -> None:
        self._growing: Any = None
        self._sealed: Sketch | None = None

    def add(self, id_: str) -> None:
        growing = self._growing
        if growing is None:
            growing = self._growing = datasketches.update_theta_sketch(_LOG2_EXACT)
        growing.update(id_)

    def read(self) -> Sketch | None:
        """The set as it is now; None if nobody is in it."""
        sealed = self._sealed
        if self._growing is None:
            return sealed
        self._growing.trim()
        grown = self._growing.compact()
        return grown if sealed is None else _united([sealed, grown], _LOG2_EXACT)

    def seal(self) -> Sketch | None:
        """The set as it is now; frees the hash table."""
        self._sealed = self.read()
        self._growing = None
        return self._sealed

    def snapshot(self) -> bytes | None:
        sketch = self.read()
        return None if sketch is None else bytes(sketch.serialize())

    def restore(self, state: bytes | None) -> None:
        self._growing = None
        self._sealed = (
            None if state is None else datasketches.compact_theta_sketch.deserialize(state)
        )


def _united(sketches: Iterable[Sketch], log2_kept: int) -> Sketch:
    union = datasketches.theta_union(log2_kept)
    for sketch in sketches:
        union.update(sketch)
    return union.get_result()


def united(sketches: Iterable[Sketch | None], log2_kept: int = _LOG2_UNITED) -> Sketch:
    """Who is in any of the sets; None is an empty one."""
    return _united((sketch for sketch in sketches if sketch is not None), log2_kept)


def set_of(ids: Iterable[str]) -> Sketch:
    """The set of these ids, for `without`."""
    growing = datasketches.update_theta_sketch(_LOG2_UNITED)
    for id_ in sorted(ids):
        growing.update(id_)
    growing.trim()
    return growing.compact()


def without(sketch: Sketch, others: Sketch) -> Sketch:
    """Who is in the set and not in the other."""
    return datasketches.theta_a_not_b().compute(sketch, others)


def count_kept(sketch: Sketch | None) -> int:
    """How many hashes the set takes."""
    return 0 if sketch is None else int(sketch.num_retained)


def count(sketch: Sketch) -> int:
    """How many are in the set."""
    return estimated(sketch.num_retained, sketch.theta64)


def estimated(sampled: int, threshold: int) -> int:
    """How many people there are if so many have a hash below the threshold."""
    return sampled if threshold == WHOLE else round(sampled * WHOLE / threshold)


def sample(sketch: Sketch, threshold: int = WHOLE) -> list[int]:
    """The hashes of the set that are below a threshold, ascending."""
    return list(takewhile(threshold.__gt__, sketch))  # in order: the rest is not looked at


def threshold_for(kept: int, most: int) -> int:
    """The threshold below which sets of `kept` hashes in all have about `most` of them."""
    return WHOLE if kept <= most else WHOLE * most // kept


def scaled(whole: int, part: int, sampled: int) -> int:
    """`part` of `sampled` people, carried over to `whole` people; exact where all are sampled."""
    if whole == sampled or not sampled:
        return part
    return round(whole * part / sampled)
