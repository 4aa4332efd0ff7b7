"""How hypothesis searches here: without a clock, since a busy machine would fail tests that are right."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("agents", deadline=None, max_examples=50)
settings.load_profile("agents")
