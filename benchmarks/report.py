"""How every benchmark prints: a table, and with --json one flat JSON object as the last line."""

import json
import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 4)


def show(title: str, figures: dict[str, float], notes: dict[str, str], *, as_json: bool) -> None:
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("median", justify="right")
    table.add_column("what it is")
    for name, value in figures.items():
        table.add_row(name, f"{value:g}", notes.get(name, ""))
    Console().print(table)
    if as_json:
        print(json.dumps(figures))
