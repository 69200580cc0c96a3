"""How likely is so much or more, if nothing is wrong? Tails of counts that vary more than chance.

Orders of one room, one batch or one hour have causes in common, so counts vary more than a binomial
count: the usual test takes an ordinary faulty parcel of orders for a miracle.

- Beta-binomial: k of n, where the share itself varies; `correlation` is that of two of the n.
- Thinned: of what has the property, only a share shows within the time looked at.
- Negative binomial: a count with a mean that varies; `dispersion` is the square of its spread.

A count that is no more than its mean is no surprise: its tail is told as 1, which it bounds.
"""

import math

_NEGLIGIBLE = 1e-12
_STEPS = 64  # of the midpoint rule: within 1 % of the exact sum


def beta_binomial_tail(seen: int, of: int, share: float, correlation: float) -> float:
    """The chance of `seen` or more of `of`, with a mean `share` that varies."""
    if seen <= share * of:
        return 1.0
    if seen > of:
        return 0.0
    spread = 1 / correlation - 1
    alpha, beta = share * spread, (1 - share) * spread
    term = math.exp(
        _log_choose(of, seen) + _log_beta(seen + alpha, of - seen + beta) - _log_beta(alpha, beta)
    )
    total = term
    for k in range(seen, of):
        term *= (of - k) * (k + alpha) / ((k + 1) * (of - k - 1 + beta))
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, total)


def thinned_tail(seen: int, of: int, share: float, correlation: float, shows: float) -> float:
    """The chance of `seen` or more, where a mean `share` varies and `shows` of it is seen."""
    if seen <= share * shows * of:
        return 1.0
    if seen > of:
        return 0.0
    spread = 1 / correlation - 1
    alpha, beta = share * spread, (1 - share) * spread
    scale = -_log_beta(alpha, beta)
    total = 0.0
    for step in range(_STEPS):
        p = (step + 0.5) / _STEPS
        density = math.exp(scale + (alpha - 1) * math.log(p) + (beta - 1) * math.log1p(-p))
        total += density * _binomial_tail(seen, of, p * shows)
    return min(1.0, total / _STEPS)


def negative_binomial_tail(seen: int, mean: float, dispersion: float) -> float:
    """The chance of `seen` or more, where a `mean` varies: variance mean + dispersion mean²."""
    if seen <= mean:
        return 1.0
    shape = 1 / dispersion
    per_one = mean / (mean + shape)
    term = total = math.exp(
        math.lgamma(seen + shape)
        - math.lgamma(shape)
        - math.lgamma(seen + 1)
        + shape * math.log1p(-per_one)
        + seen * math.log(per_one)
    )
    k = seen
    while term > _NEGLIGIBLE * total:
        term *= (k + shape) / (k + 1) * per_one
        total += term
        k += 1
    return min(1.0, total)


def _binomial_tail(seen: int, of: int, share: float) -> float:
    """Summed from `seen` on, or below it, whichever way the terms fall."""
    odds = share / (1 - share)
    if seen <= share * of:
        return 1.0 - _binomial_head(seen - 1, of, share, odds)
    term = total = _binomial_term(seen, of, share)
    for k in range(seen, of):
        term *= (of - k) / (k + 1) * odds
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, total)


def _binomial_head(most: int, of: int, share: float, odds: float) -> float:
    term = total = _binomial_term(most, of, share)
    for k in range(most, 0, -1):
        term *= k / ((of - k + 1) * odds)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, total)


def _binomial_term(k: int, of: int, share: float) -> float:
    return math.exp(_log_choose(of, k) + k * math.log(share) + (of - k) * math.log1p(-share))


def _log_choose(of: int, seen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(seen + 1) - math.lgamma(of - seen + 1)


def _log_beta(alpha: float, beta: float) -> float:
    return math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
