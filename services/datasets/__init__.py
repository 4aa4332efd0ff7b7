"""Users' files made into datasets: JSONL, CSV and Parquet in five recognised formats (docs/data-formats.md)."""

from services.datasets.faults import Fault, FaultyRows
from services.datasets.reading import LIMIT, TOTAL_BYTES, Reading, read_dataset
from services.datasets.settling import Sides

__all__ = ["LIMIT", "TOTAL_BYTES", "Fault", "FaultyRows", "Reading", "Sides", "read_dataset"]
