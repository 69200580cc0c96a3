"""Tails of counts that vary more than chance: held against exact sums."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.integrity.tails import (
    beta_binomial_tail,
    negative_binomial_tail,
    thinned_tail,
)


def _rising(base: Fraction, count: int) -> Fraction:
    product = Fraction(1)
    for step in range(count):
        product *= base + step
    return product


def _exact_beta_binomial(seen: int, of: int, share: Fraction, correlation: Fraction) -> Fraction:
    """The textbook sum, in fractions."""
    spread = 1 / correlation - 1
    alpha, beta = share * spread, (1 - share) * spread
    whole = _rising(alpha + beta, of)
    return sum(
        comb(of, k) * _rising(alpha, k) * _rising(beta, of - k) / whole for k in range(seen, of + 1)
    ) or Fraction(0)


def _exact_thinned(
    seen: int, of: int, share: Fraction, correlation: Fraction, shows: Fraction
) -> float:
    """First how many have the property, then how many of those show."""
    total = Fraction(0)
    for having in range(seen, of + 1):
        exactly = _exact_beta_binomial(having, of, share, correlation) - _exact_beta_binomial(
            having + 1, of, share, correlation
        )
        shown = sum(
            comb(having, k) * shows**k * (1 - shows) ** (having - k)
            for k in range(seen, having + 1)
        )
        total += exactly * shown
    return float(total)


counts = st.integers(1, 30).flatmap(lambda of: st.tuples(st.integers(1, of), st.just(of)))
shares = st.sampled_from([Fraction(1, 100), Fraction(1, 20), Fraction(1, 4), Fraction(3, 5)])
correlations = st.sampled_from([Fraction(1, 200), Fraction(1, 10), Fraction(1, 3)])


@given(counts, shares, correlations)
def test_the_beta_binomial_tail_is_the_exact_sum(
    count: tuple[int, int], share: Fraction, correlation: Fraction
) -> None:
    seen, of = count
    exact = float(_exact_beta_binomial(seen, of, share, correlation))
    found = beta_binomial_tail(seen, of, float(share), float(correlation))
    expected = 1.0 if seen <= float(share) * of else exact
    assert found == pytest.approx(expected, rel=1e-9)


@given(
    counts,
    shares,
    st.sampled_from([Fraction(1, 10)]),
    st.sampled_from([Fraction(1, 10), Fraction(1, 2)]),
)
def test_the_thinned_tail_is_near_the_exact_sum(
    count: tuple[int, int], share: Fraction, correlation: Fraction, shows: Fraction
) -> None:
    seen, of = count
    exact = _exact_thinned(seen, of, share, correlation, shows)
    found = thinned_tail(seen, of, float(share), float(correlation), float(shows))
    if seen > float(share * shows) * of:
        assert found == pytest.approx(exact, rel=0.01)
    else:
        assert found == 1.0


def test_the_more_is_seen_the_less_likely_it_is() -> None:
    tails = [thinned_tail(seen, 60, 0.3, 0.1, 0.1) for seen in range(61)]
    assert tails == sorted(tails, reverse=True)
    assert 0 <= tails[-1] < 1e-12


def test_more_than_all_cannot_be() -> None:
    assert beta_binomial_tail(5, 4, 0.1, 0.1) == 0.0
    assert thinned_tail(5, 4, 0.1, 0.1, 0.5) == 0.0


@given(
    st.integers(1, 120),
    st.sampled_from([Fraction(1, 2), Fraction(3), Fraction(20)]),
    st.sampled_from([Fraction(1, 4), Fraction(1), Fraction(2)]),
)
def test_the_negative_binomial_tail_is_what_the_exact_head_leaves(
    seen: int, mean: Fraction, dispersion: Fraction
) -> None:
    shape = 1 / dispersion
    per_one = mean / (mean + shape)
    # the chance of none may be a root; taken as a fraction, to be exact in what is left of 1
    none = Fraction(float(1 - per_one) ** float(shape))
    head = sum(none * _rising(shape, k) / _rising(Fraction(1), k) * per_one**k for k in range(seen))
    expected = 1.0 if seen <= mean else float(1 - head)
    found = negative_binomial_tail(seen, float(mean), float(dispersion))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-13)
