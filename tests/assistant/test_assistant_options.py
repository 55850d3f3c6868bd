from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from pydantic import ValidationError

from savor.assistant.language_model import LanguageModel
from savor.assistant.metered import MeteredProvider
from savor.assistant.options import AssistantOptions
from savor.assistant.providers.errors import ProviderAwayError
from savor.assistant.providers.guarded import Guarded
from savor.assistant.providers.open_provider import open_provider
from savor.assistant.providers.prompt import Message, Prompt
from savor.online.stores.assistant_accounts import AssistantAccounts
from savor.online.stores.database import Database

PROMPT = Prompt("Be brief.", (Message("user", "What goes well with tea?"),))


@pytest.fixture
def recording(tmp_path: Path) -> AssistantOptions:
    (tmp_path / "said.jsonl").write_bytes(b"")
    return AssistantOptions(provider="replay", recording=Path("said.jsonl"))


def test_no_provider_is_the_default() -> None:
    assert open_provider(AssistantOptions()) is None
    model = LanguageModel(AssistantOptions())
    assert model.of("ann") is None
    model.warm_up_in_background()
    model.close()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"provider": "openai"}, "model must be given"),
        ({"provider": "replay"}, "recording must be given"),
        ({"first_words_seconds": 9, "timeout_seconds": 8}, "longer than"),
        ({"key": "secret"}, "extra"),
    ],
)
def test_what_cannot_be_is_said(values: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AssistantOptions.model_validate(values)


def test_files_count_from_the_project(recording: AssistantOptions, tmp_path: Path) -> None:
    provider = open_provider(recording, tmp_path)
    assert isinstance(provider, Guarded)
    with pytest.raises(ProviderAwayError, match="holds no answer"):
        list(provider.complete(PROMPT, limit=3, deadline=monotonic() + 10))
    provider.close()


def test_use_is_counted_where_there_are_accounts(recording: AssistantOptions, tmp_path: Path) -> None:
    with closing(Database.open("sqlite:///live.db", tmp_path)) as database:
        model = LanguageModel(recording, AssistantAccounts(database), tmp_path)
        assert isinstance(model.of("ann"), MeteredProvider)
        model.close()
    plain = LanguageModel(recording, None, tmp_path)
    assert isinstance(plain.of("ann"), Guarded)
    plain.close()
