"""`touchstone webhooks`: who is told of what happens, and how the telling goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.keys import day, print_columns, print_line
from services.cli.local import opened
from services.cli.mine import Json
from services.cli.outcome import FAILED, guarded

if TYPE_CHECKING:
    from services.webhooks.settings import WebhookSettings

app = typer.Typer(help="Webhooks: addresses that are told when something has happened.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="A webhook's id, as `touchstone webhooks list` shows it.")]


@app.command("add")
@guarded
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages go; starts with https://.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="An event to be told of, such as run.finished; may be given several times; else all."),
    ] = None,
    json: Json = False,
) -> None:
    """Have an address told of events, and print the secret that messages to it are signed with."""
    from services.webhooks.endpoints import add_webhook

    with opened() as (_, database):
        made = add_webhook(database, _settings(), url, event or ())
    if json:
        typer.echo(made.model_dump_json())
        return
    typer.echo(made.secret)
    print_line(f"webhook {made.webhook.id} is told of {', '.join(made.webhook.events)}")


@app.command("list")
@guarded
def list_(json: Json = False) -> None:
    """List webhooks: where messages go, of what, and whether they arrive."""
    from json import dumps

    from services.webhooks.endpoints import list_webhooks

    with opened() as (_, database):
        found = list_webhooks(database)
    if json:
        typer.echo(dumps([webhook.model_dump(mode="json") for webhook in found]))
        return
    if not found:
        typer.echo("no webhooks yet; `touchstone webhooks add URL` adds one")
        return
    rows = [
        (w.id, w.url, "yes" if w.enabled else f"no: {w.disabled_because}", day(w.failing_since), ",".join(w.events))
        for w in found
    ]
    print_columns(("id", "url", "enabled", "failing since", "events"), rows)


@app.command("remove")
@guarded
def remove(webhook: WebhookId) -> None:
    """Tell an address no more; what still waits for it is given up."""
    from services.webhooks.endpoints import remove_webhook

    with opened() as (_, database):
        remove_webhook(database, webhook)
    print_line(f"webhook {webhook} is removed")


@app.command("enable")
@guarded
def enable(webhook: WebhookId) -> None:
    """Tell an address again that was given up because nothing arrived there."""
    from services.webhooks.endpoints import enable_webhook

    with opened() as (_, database):
        enable_webhook(database, webhook)
    print_line(f"webhook {webhook} is enabled")


@app.command("test")
@guarded
def try_out(webhook: WebhookId, json: Json = False) -> None:
    """Send a webhook a test message now, and tell how that went; exit code 1 if it did not arrive."""
    from services.webhooks.delivering import send_test

    with opened() as (_, database):
        sent = send_test(database, _settings(), webhook)
    if json:
        typer.echo(sent.model_dump_json())
    elif sent.status == "delivered":
        print_line(f"{sent.event} arrived; the receiver answered {sent.answer}")
    else:
        print_line(f"{sent.event} did not arrive: {sent.fault}")
    if sent.status != "delivered":
        raise typer.Exit(FAILED)


@app.command("deliveries")
@guarded
def deliveries(
    webhook: Annotated[str, typer.Argument(metavar="ID", help="Only those to this webhook.")] = "",
    status: Annotated[
        Literal["any", "waiting", "delivered", "dead"], typer.Option(help="Only those that stand so.")
    ] = "any",
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """List deliveries, newest first: what arrived, what is tried again and when, and what was given up and why."""
    from services.webhooks.deliveries import list_deliveries

    with opened() as (_, database):
        chosen = None if status == "any" else status
        page = list_deliveries(database, webhook=webhook, status=chosen, limit=limit)
    if json:
        typer.echo(page.model_dump_json())
        return
    rows = [
        (d.event, d.kind, d.webhook, day(d.at), d.status, str(d.attempts), day(d.next_at), d.fault[:80] or "-")
        for d in page.items
    ]
    print_columns(("event", "kind", "webhook", "at", "status", "tries", "next", "fault"), rows)


@app.command("redeliver")
@guarded
def redeliver(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event's id, msg_...")], webhook: WebhookId
) -> None:
    """Send an event to a webhook once more, under the same id; the scheduler sends it."""
    from services.webhooks.deliveries import redeliver as send_again

    with opened() as (_, database):
        send_again(database, event, webhook)
    print_line(f"{event} will be sent to {webhook} again")


def _settings() -> WebhookSettings:
    from services.webhooks.settings import WebhookSettings

    return WebhookSettings()
