"""What experiments are measured by: ratios of two sums over users."""

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """The mean of one column of `UserTotals` over another, or over users.

    Attributes:
        numerator: a column of `UserTotals`.
        denominator: another; None: one for each user.
        better: which way is good.
        meaning: in a few words.
    """

    numerator: str
    denominator: str | None
    better: Literal["higher", "lower"]
    meaning: str


METRICS: dict[str, Metric] = {
    "ctr": Metric("clicks", "impressions", "higher", "clicks that came of a list, by items shown"),
    "conversion": Metric("converted", None, "higher", "users who bought something they were shown"),
    "purchases_per_list": Metric("purchases", "lists", "higher", "purchases that came of a list, by lists shown"),
    "order_value": Metric("money", None, "higher", "all the money a user spent since the first list"),
    "order_value_per_list": Metric("attributed_money", "lists", "higher", "money that came of a list, by lists shown"),
    "fallback_rate": Metric("fallbacks", "lists", "lower", "lists that were less than usual"),
    "latency": Metric("seconds", "lists", "lower", "seconds to answer, by lists shown"),
}
"""By name."""
