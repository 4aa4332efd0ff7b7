"""Metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.api.access import Place, Reader
from services.telemetry.metrics import render_metrics

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def metrics(place: Place, caller: Reader) -> Response:
    """Read from Redis and the database as they are asked for, so that any API process answers alike."""
    return Response(render_metrics(place), media_type=CONTENT_TYPE_LATEST)
