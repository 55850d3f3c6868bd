import pytest
from pydantic import Field

from savor.core.config import Section, parse_config, read_config
from savor.core.errors import ConfigError


class Inner(Section):
    size: int = Field(1, ge=1)
    colours: tuple[str, ...] = ()


class Outer(Section):
    inner: Inner = Inner()
    name: str


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, Outer)
    return caught.value.problems


def test_reads_what_is_written() -> None:
    parsed = parse_config('name = "shop"\n[inner]\nsize = 3\ncolours = ["red"]', Outer)
    assert (parsed.name, parsed.inner.size, parsed.inner.colours) == ("shop", 3, ("red",))


def test_all_problems_come_at_once_with_their_lines() -> None:
    found = problems_of("[inner]\nsize = 0\ncolour = 'red'\n")
    assert len(found) == 3
    assert any(line.startswith("line 2: inner.size:") and "got 0" in line for line in found)
    assert any(line == "line 3: inner.colour: unknown key" for line in found)
    assert any(line == "name: required, and absent" for line in found)


def test_the_line_of_a_table_that_lacks_a_key_is_named() -> None:
    class Needs(Section):
        inner: Outer

    with pytest.raises(ConfigError, match=r"line 2: inner\.name: required"):
        parse_config("\n[inner]\n", Needs)


def test_text_that_is_not_toml_says_where() -> None:
    assert "line 1" in problems_of("name = = 1")[0]


def test_an_absent_file_says_how_to_make_one(tmp_path) -> None:
    with pytest.raises(ConfigError, match="savor init"):
        read_config(tmp_path / "savor.toml", Outer)


def test_sections_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Inner().size = 2  # type: ignore[misc]
