import pytest

from savor.assistant.conversation import Assistant
from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.lexicon import Lexicon
from tests.assistant.grocery_shop import grocery_serving


@pytest.fixture(scope="session")
def groceries(tmp_path_factory):
    return grocery_serving(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def knowledge(groceries):
    return Knowledge(groceries.catalogue, Lexicon.standard())


@pytest.fixture
def assistant(groceries):
    return Assistant(lambda: groceries)
