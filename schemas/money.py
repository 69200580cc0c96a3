"""How many digits after the point does a currency have? ISO 4217, minor units."""

from typing import Final

# The currencies whose digits after the point are not two.
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"
_DIGITS: Final = {
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}
_USUAL_DIGITS = 2


def digits_of(currency: str | None) -> int:
    """Digits after the point of a major unit; two where the currency is unknown, as in most."""
    return _DIGITS.get(currency or "", _USUAL_DIGITS)
