"""`touchstone doctor`: can this machine run Touchstone?"""

from __future__ import annotations

import typer

from services.cli.mine import Json
from services.cli.outcome import FAILED, guarded


@guarded
def doctor(json: Json = False) -> None:
    """Look at everything a run needs; each line is ok, or a problem with what to do about it."""
    from json import dumps

    from services.doctor import Check, examine

    checks: list[Check] = []
    for check in examine():
        checks.append(check)
        if not json:
            typer.echo(_line(check))
    if json:
        typer.echo(dumps({"ok": all(c.ok for c in checks), "checks": [c.as_json() for c in checks]}))
    if not all(check.ok for check in checks):
        raise typer.Exit(FAILED)


def _line(check: object) -> str:
    from services.doctor import Check
    from services.inert import shown

    assert isinstance(check, Check)
    state = "ok     " if check.ok else "PROBLEM"
    remedy = f"\n                   {check.remedy}" if check.remedy else ""
    return shown(f"{state} {check.name:<10} {check.found}{remedy}")
