"""Conversations without a language model."""

import threading

import numpy as np
import pytest

from savor.assistant.conversation import Assistant, ConversationUnknownError
from savor.assistant.conversation_options import ConversationOptions
from savor.assistant.memory import InProcess
from savor.assistant.pack_size import pack_size, relative_sizes
from savor.assistant.parts import Done, Items, Words
from savor.assistant.state import Conversation
from savor.online.stores.errors import StoreAwayError
from tests.assistant.grocery_shop import COFFEE, names

USER = "household-3"
MEAT = {"CHOICE BEEF", "CHICKEN WINGS", "FRZN ENTREES"}
NUTS = {"DRY ROAST NUTS", "PEANUT BUTTER", "PRESERVES JAM MARMALADE"}
PASTA = {"SPAGHETTI DRY", "RAMEN NOODLES/RAMEN CUPS"}


class Talk:
    """One conversation; each turn waits for whatever it takes."""

    def __init__(self, assistant, user=USER):
        self.assistant, self.user, self.id = assistant, user, None

    def say(self, text):
        reply = self.assistant.reply(self.user, text, self.id, patient=True)
        self.id = reply.done.conversation_id
        for item in reply.items:
            assert item["item_id"] in self.assistant_ids
            assert item["item_id"] in reply.done.candidates
            assert item["reason"]["text"]
        return reply

    @property
    def assistant_ids(self):
        return self.assistant._serving().catalogue.index


@pytest.fixture
def talk(assistant):
    return Talk(assistant)


def prices(reply):
    return [item["price"] for item in reply.items]


def test_a_request_in_words_gives_items_that_satisfy_it(talk):
    reply = talk.say("something quick and vegetarian for six, not pasta again")
    assert names(reply.items)
    assert not names(reply.items) & (MEAT | PASTA | {"COFFEE FILTERS"})
    assert reply.message.startswith("For you: quick vegetarian items for 6, without pasta.")
    assert f"[{reply.items[0]['item_id']}]" in reply.message
    assert "read the label for vegetarian" in reply.message
    assert reply.done.fallback is None
    assert reply.done.source == "plain"


def test_it_is_narrowed_turn_by_turn(talk):
    first = talk.say("something quick and vegetarian, not pasta")
    cheaper = talk.say("cheaper")
    assert max(prices(cheaper)) <= np.median(prices(first))
    assert not names(cheaper.items) & (MEAT | PASTA)
    without = talk.say("without nuts and soup")
    assert not names(without.items) & (MEAT | PASTA | NUTS | {"CONDENSED SOUP"})
    assert max(prices(without)) <= np.median(prices(first))
    assert talk.say("who won the election?").items == []
    allowed = talk.say("soup is fine again, any price")
    assert allowed.done.want == "quick vegetarian items, without pasta or nuts"
    assert max(prices(allowed)) > max(prices(without))


def test_the_price_is_a_bound_that_nothing_crosses(talk):
    reply = talk.say("snacks under 3.5, no nuts")
    assert reply.items
    assert max(prices(reply)) < 3.5
    none = talk.say("coffee under 1 dollar")
    assert none.items == []
    assert "the nearest costs 6.00" in none.message
    assert min(prices(talk.say("any price"))) >= 6.0


def test_an_item_of_the_list_is_spoken_of(talk):
    first = talk.say("coffee or soup")
    second = talk.say("the second one")
    assert [item["item_id"] for item in second.items] == [first.items[1]["item_id"]]
    assert second.message.startswith("Number 2: ")
    assert talk.say("why?").items == second.items
    alike = talk.say("like the second one but cheaper")
    assert first.items[1]["item_id"] not in {item["item_id"] for item in alike.items}
    assert max(prices(alike)) < first.items[1]["price"]
    assert "does not go that far" in talk.say("the ninth one").message
    fresh = Talk(talk.assistant)
    assert fresh.say("the second one").items == []


def test_that_one_is_the_one_that_was_spoken_of(talk):
    first = talk.say("coffee or soup")
    talk.say("the third one")
    assert talk.say("that one").items[0]["item_id"] == first.items[2]["item_id"]
    other = talk.say("not the first one")
    assert first.items[0]["item_id"] not in {item["item_id"] for item in other.items}


def test_others_are_others_until_there_are_no_more(talk):
    seen = {item["item_id"] for item in talk.say("cheese").items}
    assert len(seen) == 3
    assert talk.say("something else").items == []
    assert "nothing more" in talk.say("more").message


def test_like_something_but_otherwise(talk):
    reply = talk.say("something like potato chips but without nuts")
    assert reply.items
    assert not names(reply.items) & NUTS
    assert any("like POTATO CHIPS" in item["reason"]["text"] for item in reply.items)
    assert "Nothing here is called" in talk.say("something like bicycles").message


def test_two_things_are_both_found(talk):
    found = names(talk.say("coffee and cheese").items)
    assert found & COFFEE
    assert found - COFFEE == {"SHREDDED CHEESE"}


def test_a_new_wish_keeps_diets_and_what_is_ruled_out(talk):
    talk.say("I am vegetarian and allergic to nuts")
    talk.say("snacks under 2.5")
    reply = talk.say("dinner")
    assert reply.items
    assert not names(reply.items) & (MEAT | NUTS)
    assert reply.done.want == "vegetarian dinner, without nuts"
    assert "at most" not in reply.done.want
    gone = talk.say("start over")
    assert gone.done.want == "items"


def test_a_diet_that_nothing_satisfies_shows_nothing(talk):
    reply = talk.say("vegan cheese")
    assert reply.items == []
    assert "vegan cheese" in reply.message


def test_the_cheapest_come_first_and_packs_by_size(talk):
    assert prices(talk.say("the cheapest soup"))[0] == 1.5
    assert "smaller packs come first" in Talk(talk.assistant).say("apples for one").message


def test_what_cannot_be_told_is_said(talk):
    assert "I cannot tell what here is purple" in talk.say("soup, nothing purple").message
    assert "so I looked for soup" in talk.say("dragon soup").message


def test_greetings_are_answered(talk):
    for said, answer in (("hello", "Hello"), ("thanks", "welcome"), ("help", "I find things"), ("bye", "Goodbye")):
        reply = talk.say(said)
        assert answer in reply.message
        assert reply.items == []


def test_somebody_unknown_is_answered_and_told_so(assistant):
    reply = Talk(assistant, "nobody").say("coffee")
    assert names(reply.items) <= COFFEE
    assert reply.done.fallback.startswith("unknown_user")


def test_people_want_different_things_of_the_same(assistant):
    lists = {
        tuple(item["item_id"] for item in Talk(assistant, f"household-{row}").say("soup").items) for row in range(8)
    }
    assert len(lists) > 1


def test_the_parts_come_in_order(assistant):
    parts = list(assistant.answer(USER, "coffee", patient=True))
    assert [type(part) for part in parts] == [Items, Words, Done]


def test_a_conversation_is_of_one_person(assistant):
    talk = Talk(assistant)
    talk.say("coffee")
    for user, conversation in (("household-4", talk.id), (USER, "0" * 32)):
        with pytest.raises(ConversationUnknownError):
            assistant.reply(user, "cheaper", conversation)


def test_a_conversation_can_be_gone_on_with_as_soon_as_its_list_is_out(assistant):
    parts = assistant.answer(USER, "soup or coffee", patient=True)
    items = next(parts)
    second = assistant.reply(USER, "the second one", items.conversation_id, patient=True)
    assert second.items[0]["item_id"] == items.items[1]["item_id"]
    done = list(parts)[-1]
    assert (done.conversation_id, done.recommendation_id) == (items.conversation_id, items.recommendation_id)


def test_a_conversation_that_is_too_long_to_be_kept_is_answered_and_told_so(groceries):
    class Full(InProcess):
        def put(self, conversation_id, user_id, document):
            raise ValueError("too large")

    reply = Assistant(lambda: groceries, Full()).reply(USER, "coffee", patient=True)
    assert names(reply.items) <= COFFEE
    assert (reply.done.fallback or "").startswith("memory_full")


def test_memory_that_is_away_is_said_and_the_answer_comes_all_the_same(groceries):
    class Away:
        def get(self, conversation_id, user_id):
            raise StoreAwayError("gone")

        def put(self, conversation_id, user_id, document):
            raise StoreAwayError("gone")

    reply = Assistant(lambda: groceries, Away()).reply(USER, "coffee", "1" * 32, patient=True)
    assert names(reply.items) <= COFFEE
    assert (reply.done.fallback or "").count("memory_away") == 2


def test_memory_keeps_phrases_and_no_message(groceries):
    memory = InProcess()
    talk = Talk(Assistant(lambda: groceries, memory))
    talk.say("my secret address is 5 Elm Street, coffee please")
    document = memory.get(str(talk.id), USER)
    assert document is not None
    assert "please" not in str(document)
    assert Conversation.from_document(document) == Conversation.from_document({**document, "later": 1})


def test_memory_in_the_process_forgets_the_oldest():
    memory = InProcess(2)
    for name in "abc":
        memory.put(name, "u", {"at": name})
    assert memory.get("a", "u") is None
    assert memory.get("c", "u") == {"at": "c"}
    memory.put("c", "other", {"at": "stolen"})
    assert memory.get("c", "u") == {"at": "c"}


def test_it_is_safe_from_several_threads(assistant):
    replies = []

    def ask(said):
        replies.append((said, names(assistant.reply(USER, said, patient=True).items)))

    threads = [threading.Thread(target=ask, args=(said,)) for said in ("spaghetti", "cheese", "apples") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 12
    assert dict(replies) == {
        "spaghetti": {"SPAGHETTI DRY"}, "cheese": {"SHREDDED CHEESE"}, "apples": {"APPLES GALA (BULK&BAG)"}
    }  # fmt: skip


def test_the_number_of_items_is_that_which_is_asked_for(groceries, talk):
    assert len(talk.say("show me 2 soups").items) == 2
    one = Talk(Assistant(lambda: groceries, options=ConversationOptions(items=1)))
    assert len(one.say("soup").items) == 1


def test_sizes_of_packs():
    assert pack_size("MILK, 1 GAL") == ("volume", 3785.0)
    assert pack_size("SOUP, 2 LB") == ("weight", 907.2)
    assert pack_size("EGGS, 12 CT") == ("count", 12.0)
    kind, amount = pack_size("SODA, 12 FL OZ") or ("", 0.0)
    assert kind == "volume"
    assert amount == pytest.approx(354.84)
    assert pack_size("SOUP") is None
    assert relative_sizes(["A, 8 OZ", "B, 16 OZ", "C"]).tolist() == [0.25, 0.75, 0.5]
