from pathlib import Path

from savor.cli.reference import command_page, configuration_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_command_page_is_as_the_code_says() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == command_page(), "run `make docs`"


def test_the_configuration_page_is_as_the_code_says() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == configuration_page(), "run `make docs`"
