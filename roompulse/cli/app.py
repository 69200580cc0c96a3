"""The command line: one name for each thing a person can do."""

import typer

from roompulse.cli import alerts, dead_letters, kafka, rules, schema, topics
from roompulse.cli.backfill import backfill
from roompulse.cli.backtest import backtest_command
from roompulse.cli.boards import boards
from roompulse.cli.console import console
from roompulse.cli.convert import convert
from roompulse.cli.deliver import deliver
from roompulse.cli.demo import demo
from roompulse.cli.doctor import doctor
from roompulse.cli.evaluate import evaluate_command
from roompulse.cli.export import export
from roompulse.cli.generate import generate
from roompulse.cli.record import record
from roompulse.cli.replay import replay
from roompulse.cli.report import report
from roompulse.cli.run import run
from roompulse.cli.top import top
from roompulse.cli.worker import worker
from roompulse.interrupts import interruptible

app = typer.Typer(
    name="roompulse",
    no_args_is_help=True,
    help="Real-time analytics of live-commerce rooms: exact boards from a log of events.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    demo,
    boards,
    top,
    console,
    run,
    worker,
    deliver,
    replay,
    record,
    generate,
    convert,
    export,
    report,
    backfill,
    doctor,
):
    app.command()(command)
app.command("backtest")(backtest_command)
app.command("evaluate")(evaluate_command)
app.add_typer(topics.app, name="topics")
app.add_typer(kafka.app, name="kafka")
app.add_typer(alerts.app, name="alerts")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(rules.app, name="rules")
app.add_typer(schema.app, name="schema")


def main() -> None:
    """Run the command line."""
    with interruptible():
        app(prog_name="roompulse")


if __name__ == "__main__":
    main()
