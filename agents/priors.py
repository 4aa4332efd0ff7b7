"""What is believed of a criterion before any pair is judged: the catalogue's word on how much it matters here."""

from __future__ import annotations

from agents.statistics import Beta
from knowledge_base.criterion import Criterion, Domain

ACCURACY = {0: 0.5, 1: 0.5, 2: 0.56, 3: 0.63}
"""Prior mean accuracy by the catalogue's importance (0: not listed for this domain)."""

PAIRS_WORTH = 20.0
"""How many judged pairs the prior counts as."""


def prior(criterion: Criterion, domain: Domain) -> Beta:
    """Beta prior of a criterion's accuracy in a domain."""
    return Beta(ACCURACY[criterion.domains.get(domain, 0)], PAIRS_WORTH)
