"""Vouchers that nobody has cashed yet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.ledger.looking import references
from ussd_gateway.cli.told import as_written

if TYPE_CHECKING:
    from ussd_gateway.store.inquiry import Waiting


def vouchers(
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="Who sent them, or is sent them.")
    ] = None,
) -> None:
    """Show the vouchers that wait to be cashed: all, or those of a number.

    To stop one, freeze its sender: while their wallet pays nothing out, it is not cashed.
    """
    from ussd_gateway.app import market
    from ussd_gateway.settings import load
    from ussd_gateway.store import inquiry

    settings = load()
    here = market(settings)
    of = () if number is None else references(number, settings)
    none = True
    with opened(settings) as engine:
        for one in inquiry.vouchers(engine, of=of):
            none = False
            typer.echo(
                f"{one.receipt}  {one.amount}  {one.ref} {as_written(one.name)} -> {one.to}"
            )
            until = here.written(one.expires_at_ms)
            said = ", ".join((f"{here.written(one.sent_at_ms)} until {until}", *_stopped(one)))
            typer.echo(f"    {said}")
    if none:
        typer.echo("None waits.")


def _stopped(one: "Waiting") -> Iterator[str]:
    """What keeps it from being cashed."""
    from ussd_gateway.domain.voucher import TRIES_MAX

    if one.wrong_tries:
        barred = ": barred" if one.wrong_tries >= TRIES_MAX else ""
        yield f"wrong codes: {one.wrong_tries}{barred}"
    if not one.status.pays_out:
        yield f"its sender is {one.status.value}: stopped"
