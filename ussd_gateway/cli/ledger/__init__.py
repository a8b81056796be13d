"""What operators do with the ledger: check it, look into it, and put right what is wrong."""

import typer

from ussd_gateway.cli.ledger import (
    checking,
    closing,
    head,
    looking,
    moving,
    statement,
    vouchers,
    what_if,
)

app = typer.Typer(
    help="The ledger: check it, look into it, put it right.", no_args_is_help=True
)
app.command()(checking.verify)
app.command()(head.head)
app.command()(looking.balance)
app.command("trial-balance")(looking.trial_balance)
app.command()(statement.statement)
app.command()(closing.eod)
app.command()(moving.reverse)
app.command("approve-reversal")(moving.approve_reversal)
app.command("refuse-reversal")(moving.refuse_reversal)
app.command()(moving.reversals)
app.command()(moving.sweep)
app.command()(moving.freeze)
app.command()(moving.unfreeze)
app.command()(moving.dormant)
app.command()(moving.close)
app.command()(moving.cap)
app.command()(moving.statuses)
app.command()(vouchers.vouchers)
app.command("what-if")(what_if.what_if)
