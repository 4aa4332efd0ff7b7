"""Labelling: a criteria set applied to many pairs, over the queue, with early stopping and nothing asked twice."""
