"""`beimingwu specify`: from a table to its specification, and a look at all that it says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from beimingwu.cli.options import FILE, NEW_FILE, Columns, column_options, command, output_options
from beimingwu.cli.output import Facts, Output, Section, Table, bytes_in_words

if TYPE_CHECKING:
    from beimingwu.specification import RKME, DisclosureAudit

SHOWN_FEATURES = 20


@command(
    "specify train.csv --target price",
    "specify air.parquet --target PM2.5 --drop station --drop time -o air.json",
)
@click.argument("data", type=FILE, metavar="DATA")
@column_options
@click.option(
    "--size", type=click.IntRange(1), default=100, show_default=True, help="Points wanted, at most."
)
@click.option(
    "--random-state",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same gives the same points.",
)
@click.option(
    "--output",
    "-o",
    "file",
    type=NEW_FILE,
    metavar="FILE",
    default="stat.json",
    show_default=True,
    help="The specification to write.",
)
@output_options
def specify(
    data: Path, columns: Columns, size: int, random_state: int, file: Path, output: Output
) -> None:
    """Specify a table: some points that stand for all its records.

    DATA is a CSV or Parquet file. No record leaves the table: what FILE holds is shown, and it is
    all that a dock is ever given. Where the points would give a record away, nothing is written.
    """
    from beimingwu.cli.data import read_numbers
    from beimingwu.specification import disclosure_audit, write_specification
    from beimingwu.specification import specify as specify_data

    frame = read_numbers(data, columns)
    with output.working(f"specifying {len(frame):,} records …"):
        spec = specify_data(frame, size=size, random_state=random_state)
        audit = disclosure_audit(frame, spec)
    write_specification(spec, file)
    output.show(
        _as_json(spec, audit, file, columns),
        ids=[file],
        sections=_sections(spec, audit, file, data, columns),
    )
    output.next("search", "--spec", file)
    output.say(f"  or: beimingwu pack MODEL --spec {file} --name … to share a model trained on it")


def _as_json(spec: RKME, audit: DisclosureAudit, file: Path, columns: Columns) -> dict[str, Any]:
    return {
        "file": file,
        "size": file.stat().st_size,
        "points": len(spec),
        "dimension": spec.dimension,
        "features": list(spec.features),
        "records": spec.n,
        "left_out": list(columns.left_out),
        "filled": _filled(spec),
        "audit": {
            "clean": audit.clean,
            "close": audit.close,
            "disclosed": audit.disclosed,
            "nearest": audit.nearest,
            "smallest_cluster": audit.smallest_cluster,
        },
    }


def _sections(
    spec: RKME, audit: DisclosureAudit, file: Path, data: Path, columns: Columns
) -> list[Section]:
    from beimingwu.cli.data import filled_in_words

    facts = {
        "file": f"{file}, {bytes_in_words(file.stat().st_size)}: all that leaves this machine",
        "holds": f"{len(spec)} weighted points of {spec.dimension} features",
        "stands for": f"{spec.n:,} records",
        "made from": data,
        "left out": columns.left_out or "nothing",
        "filled": filled_in_words(_filled(spec)) or "nothing",
        "audit": f"{'clean' if audit.clean else 'NOT clean'}: {audit}",
    }
    return [Facts(facts), _features(spec), _more(spec)]


def _filled(spec: RKME) -> Mapping[str, int]:
    return dict(cast(Mapping[str, int], spec.details.get("filled", {})))


def _features(spec: RKME) -> Table:
    rows, mean, spread = spec.rows, spec.mean, spec.scale
    names = spec.features or tuple(f"feature {j}" for j in range(spec.dimension))
    return Table(
        ("feature", "mean", "deviation", "lowest point", "highest point"),
        [
            (
                names[j],
                float(mean[j]),
                float(spread[j]),
                float(rows[:, j].min()),
                float(rows[:, j].max()),
            )
            for j in range(min(spec.dimension, SHOWN_FEATURES))
        ],
        title="What the points say of each feature",
        numbers=("mean", "deviation", "lowest point", "highest point"),
        prose=("feature",),
    )


def _more(spec: RKME) -> str:
    rest = spec.dimension - SHOWN_FEATURES
    return f"… and {rest:,} more features; the file holds them all." if rest > 0 else ""
