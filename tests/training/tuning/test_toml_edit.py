import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from savor.core.errors import ConfigError
from savor.training.tuning.configuration_key import with_values
from savor.training.tuning.toml_edit import edit_toml
from savor.training.tuning.winner import TUNED, Winner
from tests.training.tuning.known_best import Shop

FILE = '''# The shop.
name = "shop"  # its name

[retrieval]
# Sized for two cores.
temperature = 0.5   # of the softmax = what "cosines" # are divided by
hidden = [
    64,  # first
    32,
] # widths

# What follows belongs to the next table.
[events]
note = """
[retrieval]
temperature = 9
"""
inline = {width = 1, depth = {a = 1}}
dotted.key = 3
'''


def changed_lines(after: str) -> set[str]:
    return set(after.splitlines()) ^ set(FILE.splitlines())


def test_a_value_is_replaced_and_keeps_its_comment() -> None:
    after = edit_toml(FILE, {"retrieval.temperature": 0.07})
    assert 'temperature = 0.07   # of the softmax = what "cosines" # are divided by\n' in after
    assert len(changed_lines(after)) == 2
    assert edit_toml(FILE, {"retrieval.hidden": [128]}).count("hidden = [128] # widths\n") == 1


def test_a_new_key_goes_below_the_last_of_its_table() -> None:
    after = edit_toml(FILE, {"retrieval.width": 32})
    assert "] # widths\nwidth = 32\n\n# What follows" in after
    assert edit_toml(FILE, {"seed": 1}).startswith('# The shop.\nname = "shop"  # its name\nseed = 1\n')
    assert edit_toml(FILE, {"features.text": True}).endswith("dotted.key = 3\n\n[features]\ntext = true\n")
    assert "dotted.key = 4\n" in edit_toml(FILE, {"events.dotted.key": 4})
    assert tomllib.loads(edit_toml(FILE, {"events.inline.depth.a": 2}))["events"]["inline"] == {
        "width": 1,
        "depth": {"a": 2},
    }


def test_nothing_to_change_changes_nothing() -> None:
    assert edit_toml(FILE, {}) == FILE


def test_what_cannot_be_edited_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"set by hand: items\.name = 1"):
        edit_toml("[[items]]\nname = 2\n", {"items.name": 1})


@given(
    st.dictionaries(
        st.sampled_from(
            ["retrieval.temperature", "retrieval.hidden", "retrieval.new", "events.note", "other.key", "name"]
        ),
        st.one_of(
            st.integers(-(2**40), 2**40),
            st.floats(allow_nan=False, allow_infinity=False),
            st.booleans(),
            st.text(),
            st.lists(st.integers(0, 99), max_size=3),
        ),
    )
)
def test_the_edited_file_says_what_was_wanted_and_keeps_every_comment(changes: dict[str, Any]) -> None:
    after = edit_toml(FILE, changes)
    assert tomllib.loads(after) == with_values(tomllib.loads(FILE), changes)
    for line in ("# The shop.", "# Sized for two cores.", "# What follows belongs to the next table.", "# its name"):
        assert line in after


def test_the_winner_changes_only_what_is_different(tmp_path: Path) -> None:
    path = tmp_path / "savor.toml"
    path.write_text("# mine\n[retrieval]\nwidth = 16 # narrow\n")
    winner = Winner.of(path, {"retrieval.width": 32, "retrieval.temperature": 0.5, "retrieval.hidden": (64,)}, Shop)
    changed = [
        line for line in winner.difference().splitlines() if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]
    assert changed == ["-width = 16 # narrow", "+width = 32 # narrow"]
    assert winner.write_beside() == tmp_path / TUNED
    assert path.read_text() == winner.before
    for number in (1, 2):
        kept = winner.take_over()
        assert kept.name == f"savor.toml.before-tuning-{number}"
        assert kept.read_text() == winner.before
    assert path.read_text() == winner.after == "# mine\n[retrieval]\nwidth = 32 # narrow\n"


def test_present_settings_leave_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "savor.toml"
    path.write_text("[retrieval]\nwidth = 16\n")
    winner = Winner.of(path, {"retrieval.width": 16}, Shop)
    assert not winner.changed
    assert winner.difference() == ""
