"""How state becomes plain values for a checkpoint, and comes back.

Every stateful object has `snapshot()` and `restore()`. Money sums may pass 64 bits, which message
packs cannot carry as numbers: such a number travels as its decimal digits.
"""

_WIDEST = 2**63


def wide(number: int) -> int | str:
    """A number of any width as a plain value; `int` brings it back."""
    return number if -_WIDEST <= number < _WIDEST else str(number)


class Sums:
    """A class whose slots are all integers; saved at any width."""

    __slots__: tuple[str, ...] = ()

    def snapshot(self) -> list[int | str]:
        return [wide(getattr(self, name)) for name in self.__slots__]

    def restore(self, state: list[int | str]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            setattr(self, name, int(value))
