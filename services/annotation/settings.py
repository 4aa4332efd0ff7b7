"""Settings of annotation: how much a file may hold, and where it lies while it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.model_settings import PREFIX


class AnnotationSettings(BaseSettings):
    """The part of the settings that is about datasets that people annotate.

    Attributes:
        upload_bytes: largest file that is taken in, 1000 to 1000000000000.
        upload_text_bytes: most bytes of text (UTF-8) in one file, unpacked, 1000 to 1000000000000.
        upload_pairs: most distinct pairs in one file, 1 to 10000000; ten times as many rows are read.
        upload_folder: where files lie while they are read; empty: the system's folder for temporary files.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    upload_bytes: Annotated[int, Field(ge=1000, le=10**12)] = 1_000_000_000
    upload_text_bytes: Annotated[int, Field(ge=1000, le=10**12)] = 1_000_000_000
    upload_pairs: Annotated[int, Field(ge=1, le=10**7)] = 200_000
    upload_folder: str = ""

    @property
    def spool(self) -> Path | None:
        """The folder for files being read; None for the system's own."""
        return Path(self.upload_folder).expanduser().absolute() if self.upload_folder else None


def spool_of(settings: BaseSettings) -> Path | None:
    """The folder for files being read, of these settings; of the environment's where they have no such part."""
    return settings.spool if isinstance(settings, AnnotationSettings) else AnnotationSettings().spool
