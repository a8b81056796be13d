"""A phone in the terminal, for the simulator that runs."""

from typing import Annotated

import typer

AMINA = "+254711000001"
AFRICAS_TALKING = "africastalking"


def phone(
    msisdn: Annotated[str, typer.Option("--from", metavar="MSISDN")] = AMINA,
    dial: Annotated[
        str | None, typer.Option(metavar="CODE", help="Dial at once, for example '*384*1#'.")
    ] = None,
    route: Annotated[
        str,
        typer.Option(metavar="ROUTE", help="The aggregator behind it: see menus/routes.yaml."),
    ] = AFRICAS_TALKING,
) -> None:
    """Dial from a phone in this terminal."""
    from ussd_gateway.settings import load
    from ussd_gateway.simulators.terminal import run_phone

    try:
        run_phone(load(), msisdn, dial, route)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
