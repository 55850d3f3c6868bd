"""`savor chat`."""

import json
import threading

import pytest

from savor.assistant.providers.errors import ProviderSlowError
from savor.assistant.providers.guarded import Guarded
from savor.bundle.registry import Registry
from savor.core.folders import ProjectFolder
from tests.assistant.scripted_provider import Scripted, listed
from tests.cli.test_main import code_of
from tests.synthetic_bundle import made_shop

USER = "household-3"


class Cold(Scripted):
    """Too slow for anybody until it was made ready."""

    def __init__(self):
        super().__init__(lambda prompt: f"How about {listed(prompt)[0][1]} [1]?")
        self.warm = threading.Event()

    def complete(self, prompt, *, limit, schema=None, deadline):
        if not self.warm.is_set():
            raise ProviderSlowError("it is being loaded")
        yield from super().complete(prompt, limit=limit, schema=schema, deadline=deadline)

    def warm_up(self, prompt=None):
        self.warm.set()


@pytest.fixture
def folder(tmp_path, tmp_path_factory, monkeypatch):
    shop = made_shop(tmp_path_factory.getbasetemp())
    Registry(ProjectFolder(tmp_path).registry).publish(shop.directory)
    (tmp_path / "savor.toml").write_text('[assistant]\nprovider = "local"\n')
    provider = Guarded(Cold(), 60.0)
    monkeypatch.setattr("savor.assistant.language_model.open_provider", lambda *_: provider)
    return tmp_path


def test_the_language_model_is_ready_before_the_first_turn(folder, capsys):
    assert code_of("chat", USER, "-C", str(folder), "-m", "dairy", "-m", "something else", "--json") == 0
    turns = json.loads(capsys.readouterr().out)["turns"]
    assert [turn["words"] for turn in turns] == ["model", "model"]
    assert turns[0]["conversation_id"] == turns[1]["conversation_id"]
    assert turns[0]["message"].startswith("How about ")


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("message", ["", " \n", "x" * 1001])
def test_what_the_api_refuses_is_refused(folder, capsys, form, message):
    assert code_of("chat", USER, "-C", str(folder), "-m", message, *form) == 1
    assert "message: " in capsys.readouterr().err


def test_what_is_typed_and_cannot_be_used_is_told_so_and_the_talk_goes_on(folder, capsys, monkeypatch):
    typed = iter(["x" * 1001, "dairy", "quit"])
    monkeypatch.setattr("builtins.input", lambda: next(typed))
    assert code_of("chat", USER, "-C", str(folder)) == 0
    said = capsys.readouterr()
    assert "at most 1000 characters" in " ".join((said.out + said.err).split())
    assert "How about" in said.out + said.err
