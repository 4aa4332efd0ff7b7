"""Touchstone as people run it: database, queue, runs, reports and the command line."""
