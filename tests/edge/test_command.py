import json

import pytest

from savor_edge.__main__ import main
from tests.edge.device_server import running


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return (code, json.loads(said.out)) if code == 0 else (code, said.err)

    return run


def test_from_the_first_update_to_the_upload(run, edge_shop, tmp_path):
    with running() as server:
        server.release = edge_shop.folder
        assert run("update", tmp_path, server.url)[1]["status"] == "installed"
        assert run("check", tmp_path)[1]["items"] == 60
        listed = run("recommend", tmp_path, "-n", 3, "--filter", '{"department": {"eq": "dairy"}}')[1]
        assert len(listed["recommendations"]) == 3
        assert run("consent", tmp_path, "yes")[1] == {"consent": True, "pending": 0}
        assert run("record", tmp_path, "purchase", "1001")[1]["accepted"] == 1
        seen = run("recommend", tmp_path, "-n", 60, "--exclude-seen", "--explain")[1]
        assert "1001" not in [item["item_id"] for item in seen["recommendations"]]
        assert "trace" in seen
        assert run("upload", tmp_path, server.url)[1]["sent"] == 1
        assert server.events[0]["item_id"] == "1001"


def test_what_fails_says_why_in_one_line(run, tmp_path):
    code, said = run("recommend", tmp_path)
    assert code == 1
    assert said.startswith("savor-edge: there is no edge bundle in ")
    assert said.count("\n") == 1


def test_a_bundle_that_answers_differently(run, edge_copy, edge_shop):
    from tests.edge.made_bundle import seal

    document = json.loads((edge_copy / "golden.json").read_bytes())
    document["queries"][0]["allowed"] = 1
    (edge_copy / "golden.json").write_text(json.dumps(document))
    seal(edge_copy, edge_shop.server.id, 60)
    code, said = run("check", edge_copy)
    assert code == 1
    assert "newcomer: 59 items may be shown, not the 1 expected" in said
