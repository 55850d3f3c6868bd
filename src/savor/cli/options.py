"""The options that every command has, declared once."""

from pathlib import Path
from typing import Annotated

import typer

Directory = Annotated[
    Path, typer.Option("-C", "--directory", metavar="DIR", help="The project's folder, where savor.toml is.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output instead of tables.")]
