import json

import pytest

from savor.cli.main import main


def code_of(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_list(suite, capsys):
    assert code_of("bench", "list", "-C", str(suite.root), "--json") == 0
    assert json.loads(capsys.readouterr().out)["made-up"]["models"] == {"popularity": "popularity", "knn": "item_knn"}


def test_a_run_is_printed_recorded_and_fails_with_its_self_check(suite, data, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = suite.find("made-up")
    path.write_text(path.read_text().replace('kind = "popularity"', 'kind = "popularity"\nexpected = { "hr@5" = 0.9 }'))
    where = ("-C", str(suite.root), "--data", str(data), "--only", "popularity")
    assert code_of("bench", "quality", "made-up", *where, "--json", "--no-log") == 1
    entry = json.loads(capsys.readouterr().out)
    assert entry["models"][0]["check"]["hr@5"]["agrees"] is False
    assert not suite.log.exists()
    monkeypatch.setattr(
        "sys.argv", ["savor", "bench", "quality", "made-up", "--data", str(data), "--only", "popularity"]
    )
    assert code_of("bench", "quality", "made-up", *where) == 1
    assert "**does not agree with**" in suite.log.read_text()
    assert "`savor bench quality made-up --only popularity`" in suite.log.read_text()
    assert str(data) not in suite.log.read_text()
    before = suite.results.read_text()
    suite.results.unlink()
    assert code_of("bench", "results", "-C", str(suite.root)) == 0
    assert suite.results.read_text() == before


def test_a_wrong_name_is_an_error_that_lists_the_right_ones(suite, capsys):
    assert code_of("bench", "quality", "other", "-C", str(suite.root)) == 1
    assert "made-up" in capsys.readouterr().err
