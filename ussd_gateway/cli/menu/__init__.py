"""What operators do with their files: menus, SMS texts, routes and tariffs."""

import typer

from ussd_gateway.cli.menu import (
    checking,
    comparing,
    counting,
    live,
    looking,
    offered,
    recording,
    shown,
    testing,
    words,
)
from ussd_gateway.cli.menu.shown import edited, tell

__all__ = ["app", "edited", "tell"]

app = typer.Typer(help="The operators' files: menus, texts, tariffs.", no_args_is_help=True)
app.command()(checking.lint)
app.command("test")(testing.play_tests)
app.command()(looking.preview)
app.command()(looking.graph)
app.command()(comparing.diff)
app.command()(counting.counts)
app.command()(testing.explore)
app.command()(looking.schema)
app.command()(offered.actions)
app.command()(live.publish)
app.command()(shown.proposals)
app.command()(live.approve)
app.command()(live.rollout)
app.command()(live.rollback)
app.command()(live.retire)
app.command()(live.disable)
app.command()(live.enable)
app.command()(shown.versions)
app.command()(recording.record)
app.add_typer(words.app, name="i18n")
