"""`roompulse convert`: real data, or a session in another format, as a session file."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from producers.converters import (
    ConversionError,
    ConversionReport,
    convert_online_retail,
    convert_taobao,
)
from producers.converters.taobao import DEFAULT_HOSTS, DEFAULT_PRICE_MINOR
from producers.sessions import SessionFileError, SessionWriter, read_records, sort_by_stamp
from roompulse.cli.failures import fail, told_in_one_line


class Source(StrEnum):
    """What can be converted."""

    TAOBAO = "taobao"
    ONLINE_RETAIL = "online-retail"
    SESSION = "session"


def convert(
    kind: Annotated[
        Source,
        typer.Argument(
            help="taobao: Tianchi UserBehavior CSV. online-retail: UCI Online Retail Parquet."
            " session: a session file, to change its format or to sort it."
        ),
    ],
    source: Annotated[Path, typer.Argument(help="The file to convert.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The session file: .ndjson, .ndjson.zst or .parquet."),
    ],
    sort: Annotated[
        bool, typer.Option("--sort", help="session only: order the records by their stamps.")
    ] = False,
    hosts: Annotated[
        int, typer.Option(min=0, help="taobao only: how many categories have rooms of their own.")
    ] = DEFAULT_HOSTS,
    price_minor: Annotated[
        int, typer.Option(min=0, help="taobao only: the price of each purchase, in fen.")
    ] = DEFAULT_PRICE_MINOR,
) -> None:
    """Turn real data into a session file, and say what became of each row.

    How rows become events is written at the head of each converter; the sums that are printed can
    be checked against a plain count of the source.

    Example: roompulse convert online-retail online_retail_2009_2010.parquet -o retail.ndjson.zst
    """
    if output.resolve() == source.resolve():
        fail(f"{output}: is the source itself; name another output")
    if sort and kind is not Source.SESSION:
        fail("--sort is for sessions; the other sources are sorted anyway")
    with (
        told_in_one_line(ConversionError, SessionFileError),
        SessionWriter(output) as writer,
    ):
        if kind is Source.SESSION:
            _convert_session(source, writer.write, sort=sort)
            report = None
        elif kind is Source.TAOBAO:
            report = convert_taobao(source, writer.write, hosts=hosts, price_minor=price_minor)
        else:
            report = convert_online_retail(source, writer.write)
    if report is not None:
        _show(report)
    typer.echo(f"{writer.records:,} events in {output}")


def _convert_session(source: Path, write: Callable[[bytes], object], *, sort: bool) -> None:
    chunks = read_records(source)
    if sort:
        for record in sort_by_stamp(chunks):
            write(record)
        return
    for chunk in chunks:
        for record in chunk:
            write(record)


def _show(report: ConversionReport) -> None:
    typer.echo(f"rows read  {report.rows:,}")
    for reason, count in sorted(report.skipped.items()):
        typer.echo(f"skipped    {count:,} ({reason})")
    for kind, count in sorted(report.events.items()):
        typer.echo(f"written    {count:,} {kind}")
    net_minor = report.gross_minor - report.refunded_minor
    for name, minor in (
        ("gross", report.gross_minor),
        ("refunded", report.refunded_minor),
        ("net", net_minor),
    ):
        typer.echo(f"{name:<10} {minor / 100:,.2f} {report.currency}")
    for remark in report.remarks:
        typer.echo(f"note       {remark}")
