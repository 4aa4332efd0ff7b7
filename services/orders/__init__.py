"""Runs that somebody ordered from a server: who, under which name, and what became of them."""
