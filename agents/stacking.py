"""Vote weights by logistic regression shrunken towards what was known before any pair was judged.

With few labels, weights of the right sign and similar size beat fitted ones (Dawes 1979, "The robust beauty of
improper linear models"); with many, fitted ones win. A Gaussian prior around the prior weights moves from one to
the other as labels come.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]


def stack(votes: Floats, truth: Floats, pair_weights: Floats, centre: Floats, spread: float) -> Floats:
    """Posterior mode of the vote weights.

    Minimises sum_i w_i log(1 + exp(-t_i v_i.b)) + |b - centre|^2 / (2 spread^2).

    Args:
        votes: (p, c) votes in [-1, 1], positive for A.
        truth: (p,) +1 or -1.
        pair_weights: (p,) >= 0.
        centre: (c,) prior mean of the weights (log-odds).
        spread: prior standard deviation of a weight around its centre, > 0.

    Returns:
        (c,) weights. Deterministic: convex, started at the centre.
    """
    signed = votes * truth[:, None]

    def loss(b: Floats) -> tuple[float, Floats]:
        z = signed @ b
        away = (b - centre) / spread**2
        value = float(pair_weights @ np.logaddexp(0.0, -z) + 0.5 * away @ (b - centre))
        return value, -(signed.T @ (pair_weights * expit(-z))) + away

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-9})
    return np.asarray(found.x)
