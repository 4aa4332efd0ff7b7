"""Webhooks: whoever asked to be told is told, signed, at least once, and never at a private address unless allowed."""
