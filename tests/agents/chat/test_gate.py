"""The gate of one process keeps the promises of every gate."""

from __future__ import annotations

import pytest
from gate_conformance import GateConformance, GateWorld

from agents.chat.gate import Gate, LocalGate


class LocalWorld:
    """Gates that share nothing."""

    def gate(self, in_flight: int) -> Gate:
        return LocalGate(in_flight)


class TestLocalGate(GateConformance):
    """See `GateConformance`."""

    @pytest.fixture
    def world(self) -> GateWorld:
        return LocalWorld()
