"""What operators do with the ledger: check it, look into it."""

import typer

from ussd_gateway.cli.ledger import checking, looking

app = typer.Typer(help="The ledger: check it, and look into it.", no_args_is_help=True)
app.command()(checking.verify)
app.command()(looking.balance)
app.command("trial-balance")(looking.trial_balance)
