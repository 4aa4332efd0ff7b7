"""Streams of refreshes with and without drift, drawn as numbers: the world of `benchmarks.world` without its words."""
