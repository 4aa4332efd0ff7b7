"""Schedules: a criteria set examined again when its window comes and enough new votes are there."""
