import json

import pytest

from savor.bundle.registry import Registry
from savor.cli.main import main
from savor.core.folders import ProjectFolder


@pytest.fixture
def project(served_shop, tmp_path):
    Registry(ProjectFolder(tmp_path).registry).publish(served_shop.bundle.directory)
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


def test_export_and_release(project, capsys):
    code, said = run(
        capsys, "-C", project, "--json", "--variant", "float16", "--k", 20, "--publish", "live", "--share", 0.5
    )
    assert code == 0
    document = json.loads(said.out)
    folder = ProjectFolder(project).device / "bundles" / document["edge_bundle"]
    assert (folder / "edge.json").is_file()
    assert (document["variant"], document["k"], document["number_of_items"]) == ("float16", 20, 300)
    assert document["released"]["release"] == document["edge_bundle"]
    assert document["released"]["share"] == 0.5
    assert document["variants"][0]["bundle_bytes"] == document["bytes"]


def test_what_cannot_be_is_said_before_the_work(project, capsys):
    assert run(capsys, "-C", project, "--publish", "live", "--share", 0)[0] == 2
    assert run(capsys, "-C", project, "--publish", "a b")[0] == 2
    assert run(capsys, "-C", project, "--max-size", "small")[0] == 2
    code, said = run(capsys, "-C", project, "--variant", "int4")
    assert code == 1
    assert "there is no variant 'int4'" in said.err
