"""The ways to write rows that are recognised, one module each."""

from services.datasets.formats.arena import ARENA
from services.datasets.formats.native import NATIVE
from services.datasets.formats.pointwise import POINTWISE
from services.datasets.formats.reference import REFERENCE
from services.datasets.formats.trl import TRL

__all__ = ["ARENA", "NATIVE", "POINTWISE", "REFERENCE", "TRL"]
