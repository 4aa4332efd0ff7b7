"""Measurements, a command each; results go to docs/benchmarks.md. Not tests: nothing here passes or fails."""
