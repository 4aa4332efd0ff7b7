"""The HTTP API under `/v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_app() -> FastAPI:
    """The application over the deployment that the environment names; for an ASGI server's `--factory`."""
    from services.api.app import application
    from services.settings import load_settings

    return application(load_settings(), preload=True)


__all__ = ["create_app"]
