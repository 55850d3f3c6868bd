import subprocess
import sys

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from savor import __version__
from savor.cli.main import command_line, main


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_version(capsys) -> None:
    assert code_of("--version") == 0
    assert __version__ in capsys.readouterr().out


def test_a_wrong_call_is_two_and_a_failure_is_one(tmp_path, capsys) -> None:
    assert code_of("no-such-command") == 2
    assert code_of("train", "--stage", "nonsense", "-C", str(tmp_path)) == 2
    assert code_of("train", "-C", str(tmp_path)) == 1
    assert "savor init" in " ".join(capsys.readouterr().err.split())


def test_debug_shows_the_trace(tmp_path, capsys) -> None:
    assert code_of("train", "-C", str(tmp_path), "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from savor.cli.main import command_line\n"
        "command_line()\n"
        "heavy = {'tensorflow', 'keras', 'ibis', 'duckdb', 'pyarrow', 'xgboost', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_command_takes_a_folder_and_prints_json() -> None:
    group = get_command(command_line())
    assert isinstance(group, TyperGroup)
    commands = dict(group.commands)
    for inner in [command for command in commands.values() if isinstance(command, TyperGroup)]:
        commands |= {f"{inner.name} {name}": command for name, command in inner.commands.items()}
    lacking = {
        name: missing
        for name, command in commands.items()
        if not isinstance(command, TyperGroup)
        and (missing := {"-C", "--json"} - {option for parameter in command.params for option in parameter.opts})
    }
    assert not lacking
