"""`touchstone scheduler`: looks after runs, labellings, schedules, webhooks and what is kept."""

from __future__ import annotations

from services.cli.outcome import guarded


@guarded
def scheduler() -> None:
    """See to what nobody else does: lost work, ended runs, schedules, webhooks, removal of what is kept no longer.

    Start two to be safe: one leads, the other takes over when it dies.
    """
    from services.roles.running import run_scheduler

    run_scheduler()
