"""Numbers as a reader of the report sees them."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share in [0, 1] as in `72%`; one decimal below 1% and above 99% unless exact."""
    value = 100 * share
    near_an_end = 0 < value < 1 or 99 < value < 100
    return f"{value:.1f}%" if near_an_end else f"{value:.0f}%"


def span(low: float, high: float) -> str:
    """An interval of shares, as in `49-88%` with a dash of its own length."""
    return f"{100 * low:.0f}\u2013{100 * high:.0f}%"


def chance(p_value: float) -> str:
    """A p value as people report it."""
    return "below 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def points(difference: float) -> str:
    """A difference of shares in percentage points with its sign, as in `+9 points`."""
    value = round(100 * difference)
    sign = "+" if value > 0 else "\u2212" if value < 0 else "±"
    return f"{sign}{abs(value)} point{'' if abs(value) == 1 else 's'}"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", "\u2212")


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, as in `1 pair`, `1,200 pairs`."""
    return f"{number:,}{chr(0xA0)}{noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 60:
        return f"{seconds:.1f}{chr(0xA0)}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (rest, "s"))
    return " ".join(f"{number}{chr(0xA0)}{unit}" for number, unit in parts)
