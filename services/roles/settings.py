"""Settings of the roles: how work is shared out, how a process ends, how it logs, and how long things are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.model_settings import PREFIX

Days = Annotated[int, Field(ge=0, le=36500)]


class RoleSettings(BaseSettings):
    """The part of the settings that is about processes and what they leave behind.

    Attributes:
        batches_ahead: batches on the queue for each worker, 1 to 100; the runs that have work share them, the rest of
            their batches wait in the database. Small is fair, large keeps workers on far hosts busy.
        grace_seconds: time that the job at hand is given when a worker is asked to end, 0 to 3600; then it is stopped,
            and what it has not done is given back.
        niceness: by how much workers yield the processor to the API and the scheduler beside them, 0 to 19; 0: not at
            all.
        leader_seconds: how long a scheduler leads after it was last heard of, 1 to 3600.
        schedule_seconds: pause between two looks at schedules, webhooks and finished runs, 0.1 to 3600.
        retention_hours: pause between two removals of what is kept no longer, 1 to 8760.
        log_format: `json` (a line an event), `text`, or `auto`: text on a terminal, else json.
        log_level: least important events that are logged.
        keep_calls_days: days to keep single calls to models once they are summed up; 0: for ever.
        keep_replies_days: days to keep replies for the same question; 0: for ever.
        keep_checkpoints_days: days to keep the manager's states of an ended run; 0: for ever.
        keep_old_measurements: whether to keep what an older version of the signals measured.
        keep_requests_days: days to keep answers to requests that were sent under an idempotency key; 0: for ever.
        keep_deliveries_days: days to keep webhooks that were delivered or given up; 0: for ever.
        keep_jobs_days: days to keep records of hand-outs that nothing waits for; 0: for ever.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", validate_default=True)

    batches_ahead: Annotated[int, Field(ge=1, le=100)] = 2
    grace_seconds: Annotated[float, Field(ge=0, le=3600)] = 20.0
    niceness: Annotated[int, Field(ge=0, le=19)] = 10
    leader_seconds: Annotated[float, Field(ge=1, le=3600)] = 15.0
    schedule_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 2.0
    retention_hours: Annotated[float, Field(ge=1, le=8760)] = 24.0
    log_format: Literal["auto", "json", "text"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    keep_calls_days: Days = 0
    keep_replies_days: Days = 90
    keep_checkpoints_days: Days = 30
    keep_old_measurements: bool = True
    keep_requests_days: Days = 7
    keep_deliveries_days: Days = 30
    keep_jobs_days: Days = 7


def roles_of(settings: BaseSettings) -> RoleSettings:
    """The part of these settings that is about roles; read from the environment where they have no such part."""
    return settings if isinstance(settings, RoleSettings) else RoleSettings()
