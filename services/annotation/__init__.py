"""Datasets that people annotate: files taken in, pairs handed out, votes kept for ever, versions frozen for runs."""
