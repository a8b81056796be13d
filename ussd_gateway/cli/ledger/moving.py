"""What staff do to money and accounts: take payments back, sweep dues, freeze and close.

Each command is somebody's who is signed in, says why, and is one commit of the ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ussd_gateway.cli.books import opened
from ussd_gateway.cli.desk import ONE_LINE, note_max
from ussd_gateway.cli.ledger.looking import references
from ussd_gateway.cli.told import as_written, told

if TYPE_CHECKING:
    from ussd_gateway.app.orders import Orders
    from ussd_gateway.domain.book import Outcome, Status
    from ussd_gateway.domain.money import Money
    from ussd_gateway.ports import OnHold, Records
    from ussd_gateway.settings import Settings


def _reason(text: str) -> str:
    if not 0 < len(text.strip()) <= note_max:
        raise typer.BadParameter(f"write 1 to {note_max} characters")
    # What others read of it later must not look like something else.
    if not text.strip().isprintable():
        raise typer.BadParameter(ONE_LINE)
    return text.strip()


Why = Annotated[str, typer.Option(help="Why: it is kept for good.", callback=_reason)]
Amount = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="No more than this, such as 500.00.")
]
Reversal = Annotated[
    int,
    typer.Argument(
        metavar="ID", min=1, max=2**63 - 1, help="Of the reversal; see `ledger reversals`."
    ),
]
Reference = Annotated[
    str, typer.Argument(metavar="REF", help="A phone number, a till, or a bill's number.")
]


def reverse(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT", help="Of the payment.")],
    why: Why,
    amount: Amount = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Our own fault: fee, tax and commission too.")
    ] = False,
) -> None:
    """Ask for a payment back: what is still there of it is held, and a checker decides. Where
    its payer has asked on the phone, take that on."""
    from ussd_gateway.app import orders

    if whole and amount is not None:
        raise typer.BadParameter("--whole takes back all of it: give no --amount")
    with _signed_in() as (settings, here):
        done = orders.ask_reversal(
            here, receipt.strip().upper(), _money(amount, settings), whole=whole, why=why
        )
    hold, held, wanted = (done.values[each] for each in ("hold", "amount", "wanted"))
    typer.echo(f"{held} of {done.values['name']} is held: reversal {hold}")
    if held != wanted:
        typer.echo(f"  of {wanted}: no more of it is left, or still there")
    typer.echo(f"  a checker decides: `ussd-gateway ledger approve-reversal {hold}`, or refuse")


def approve_reversal(hold: Reversal, amount: Amount = None) -> None:
    """Take a payment back, as somebody else has asked; both sides are told by SMS. Shows first
    what was asked for."""
    from ussd_gateway.app import orders

    with _signed_in() as (settings, here):
        wanted = _money(amount, settings)
        for line in _shown(orders.held(here, hold)):
            typer.echo(line)
        done = orders.approve_reversal(here, hold, wanted)
    values = done.values
    typer.echo(
        f"{values['receipt']}  {values['back']} went back: reversal of {values['original']}"
    )
    if values["from_bank"].minor:
        typer.echo(
            f"  {values['from_bank']} of the fee was swept before: order its transfer from the "
            "operating bank back to the trust bank"
        )


def refuse_reversal(hold: Reversal, why: Why) -> None:
    """Let the money of a reversal go: nothing moves, and both sides are told by SMS."""
    from ussd_gateway.app import orders

    with _signed_in() as (_, here):
        done = orders.refuse_reversal(here, hold, why=why)
    typer.echo(f"Reversal {hold} of {done.values['original']} is refused: nothing moved")


def reversals() -> None:
    """Show the reversals that wait for the payee, a maker or a checker."""
    from ussd_gateway.app import orders

    with _records() as records:
        found, more = orders.reversals(records)
    for one in found:
        for line in _shown(one):
            typer.echo(line)
    _tell_of(more)
    if not found:
        typer.echo("None waits.")


def _shown(one: "OnHold") -> Iterator[str]:
    from ussd_gateway.domain.journal import REVERSAL
    from ussd_gateway.services.orders.taking_back import ASKED, DISPUTED

    # Whose turn it is, where none of the staff has taken it on.
    theirs = {
        ASKED: "asked by its payer on the phone",
        DISPUTED: "its payee keeps it: take it on with `ledger reverse`",
    }
    amount = _written(one.hold.minor, one.source.currency)
    whole = " --whole" if one.hold.kind == REVERSAL else ""
    yield (
        f"{one.hold.id}  {one.hold.kind}{whole} of {one.original}  {amount} is held of "
        f"{one.paid}  {as_written(one.source.name)} -> {as_written(one.target.name)}"
    )
    whose = theirs.get(one.hold.kind) or f"by {one.by}"
    why = f": {as_written(one.why)}" if one.why else ""
    until = f"until {_at(one.hold.expires_at_ms)}"
    yield f"    {whose}, {_at(one.placed_at_ms)}, {until}{why}"


def sweep(why: Why, amount: Amount = None) -> None:
    """Move what the trust owes us to the operating bank: all of it, or an amount."""
    from ussd_gateway.app import orders

    with _signed_in() as (settings, here):
        done = orders.sweep(here, _money(amount, settings), why=why)
    values = done.values
    typer.echo(f"{values['receipt']}  {values['amount']} swept; {values['due']} is still due")


def freeze(
    account: Reference,
    why: Why,
    incoming: Annotated[bool, typer.Option("--in", help="Nothing comes in.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Nothing moves.")] = False,
) -> None:
    """Bar an account: what comes in, or both ways."""
    from ussd_gateway.domain.book import Status

    if incoming == both:
        raise typer.BadParameter("give one of --in and --both")
    _set_status(account, Status.FROZEN_IN if incoming else Status.FROZEN_BOTH, why)


def unfreeze(account: Reference, why: Why) -> None:
    """Make an account active again that is frozen or dormant."""
    from ussd_gateway.domain.book import Status

    _set_status(account, Status.ACTIVE, why)


def dormant(account: Reference, why: Why) -> None:
    """Put an account to rest that nobody has used for long: nothing moves."""
    from ussd_gateway.domain.book import Status

    _set_status(account, Status.DORMANT, why)


def close(account: Reference, why: Why) -> None:
    """Close an account for good: only an empty one."""
    from ussd_gateway.domain.book import Status

    _set_status(account, Status.CLOSED, why)


def cap(
    account: Reference,
    why: Why,
    amount: Annotated[
        str | None, typer.Option("--at", metavar="AMOUNT", help="The most it may hold.")
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Any amount.")] = False,
) -> None:
    """Set the most that an account may hold."""
    from ussd_gateway.app import orders

    if none == (amount is not None):
        raise typer.BadParameter("give one of --at AMOUNT and --none")
    with _signed_in() as (settings, here):
        most = _money(amount, settings, option="--at")
        done = orders.set_cap(here, references(account, settings), most, why=why)
    typer.echo(f"{account} {done.values['name']}: cap {done.values['cap']}")


def statuses() -> None:
    """Show the accounts that are not active: since when, by whom, and why."""
    from ussd_gateway.app import orders

    with _records() as records:
        found, more = orders.statuses(records)
    for one in found:
        name, why = as_written(one.holder.name), as_written(one.why)
        typer.echo(f"{one.holder.ref}  {one.status.value}  {one.balance}  {name}")
        typer.echo(f"    by {one.by}, {_at(one.at_ms)}: {why}")
    _tell_of(more)
    if not found:
        typer.echo("Every account is active.")


def _tell_of(more: int) -> None:
    if more:
        typer.echo(f"and {more:,} more")


def _set_status(account: str, status: "Status", why: str) -> None:
    from ussd_gateway.app import orders

    with _signed_in() as (settings, here):
        done: Outcome = orders.set_status(here, references(account, settings), status, why=why)
    values = done.values
    typer.echo(f"{account} {values['name']}: {values['status']}, was {values['before']}")


@contextmanager
def _signed_in() -> "Iterator[tuple[Settings, Orders]]":
    from ussd_gateway import app
    from ussd_gateway.app import staffing
    from ussd_gateway.app.orders import orders
    from ussd_gateway.settings import load

    settings = load()
    with opened(settings) as engine, told():
        member = staffing.required(settings, app.staff(settings, engine))
        with orders(settings, engine, member) as here:
            yield settings, here


@contextmanager
def _records() -> "Iterator[Records]":
    from ussd_gateway.settings import load
    from ussd_gateway.store.inquiry import SqlRecords

    with opened(load()) as engine:
        yield SqlRecords(engine)


def _money(
    typed: str | None, settings: "Settings", *, option: str = "--amount"
) -> "Money | None":
    from ussd_gateway.app import market
    from ussd_gateway.domain.money import parse_typed

    if typed is None:
        return None
    found = parse_typed(typed, market(settings).currency)
    if found is None:
        said = f"{typed}: write an amount such as 500.00"
        raise typer.BadParameter(said, param_hint=f"'{option}'")
    return found


def _written(minor: int, currency: str) -> str:
    from ussd_gateway.domain.money import Money

    return str(Money(minor, currency))


def _at(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"
