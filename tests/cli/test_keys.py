import json

import pytest

from savor.cli.main import main


@pytest.fixture
def project(tmp_path):
    (tmp_path / "savor.toml").write_text("[stores]\n")
    return tmp_path


def run(capsys, *arguments):
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    return caught.value.code, capsys.readouterr()


def as_json(capsys, *arguments):
    code, said = run(capsys, *arguments, "--json")
    assert code == 0, said.err
    return json.loads(said.out)


def test_made_listed_and_revoked(project, capsys):
    made = as_json(capsys, "keys", "create", "shop", "--scope", "read", "--scope", "write", "-C", project)
    assert made["key"].startswith(f"savor_{made['id']}_")
    assert made["scopes"] == ["read", "write"]
    (listed,) = as_json(capsys, "keys", "list", "-C", project)
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert as_json(capsys, "keys", "revoke", made["id"], "-C", project) == {"id": made["id"], "revoked": True}
    (listed,) = as_json(capsys, "keys", "list", "-C", project)
    assert listed["revoked"]
    secret = made["key"].rsplit("_", 1)[1].encode()
    assert not any(secret in path.read_bytes() for path in (project / ".savor").iterdir() if path.is_file())


def test_for_people(project, capsys):
    code, said = run(capsys, "keys", "create", "page", "-C", project)
    assert code == 0
    assert said.out.startswith("savor_")
    assert said.out.count("\n") == 1, "only the key stands on standard output"
    assert "read" in said.err
    code, said = run(capsys, "keys", "list", "-C", project)
    assert "page" in said.err + said.out


def test_what_goes_wrong(project, tmp_path, capsys):
    assert run(capsys, "keys", "revoke", "nothing", "-C", project)[0] == 1
    assert run(capsys, "keys", "create", "x", "--scope", "all", "-C", project)[0] == 2
    (tmp_path / "empty").mkdir()
    assert run(capsys, "keys", "list", "-C", tmp_path / "empty")[0] == 1
    assert run(capsys, "erase", "ann", "--yes", "-C", tmp_path / "empty")[0] == 1
    assert not (tmp_path / "empty" / ".savor").exists()


def test_erase_prints_a_receipt(project, capsys):
    receipt = as_json(capsys, "erase", "ann", "--yes", "-C", project)
    tables = {"events", "kept_lists", "entities", "exposures", "outcomes", "visitors"}
    assert set(receipt["removed"]) == tables | {"conversations", "assistant_usage"}
    assert receipt["remains_in"] == []
    code, said = run(capsys, "erase", "ann", "--yes", "-C", project)
    assert code == 0
    assert "Receipt" in said.err
    assert "ann" not in said.err.replace("cannot", "")
