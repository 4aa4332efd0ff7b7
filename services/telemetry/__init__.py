"""What a deployment tells of itself: log lines, counts and metrics. Never a text of a pair, never a key."""
