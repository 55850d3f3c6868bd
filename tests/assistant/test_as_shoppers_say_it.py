"""Allergies, questions, misspellings, budgets and taking back, as shoppers say them."""

import numpy as np
import pytest

from savor.assistant.conversation import Assistant
from savor.assistant.described import described
from savor.assistant.known_prices import known_prices
from savor.assistant.understanding.knowledge import Knowledge
from savor.assistant.understanding.lexicon import Concept, Lexicon
from savor.assistant.understanding.read_turn import read_turn
from savor.features.item_documents import laid_over
from savor.pipeline.result import Reason
from tests.assistant.grocery_shop import COFFEE, names
from tests.assistant.test_conversation import NUTS, Talk, prices


@pytest.fixture
def talk(assistant):
    return Talk(assistant)


@pytest.fixture(scope="module")
def wider(groceries):
    """Knowledge of the shop with some more aisles of one item each."""
    aisles = (
        "EGGS - LARGE", "ORIENTAL SOY SAUCE", "HONEY", "FLUID MILK", "SUGAR", "CANDY BAGS-NON CHOCOLATE",
        "CANDY BAGS-CHOCOLATE", "HAMS-HALF BONELESS", "COFFEE CREAMERS", "LIGHT BULBS", "CHOCOLATE MILK",
        "VEGETARIAN BURRITOS", "FROZEN BURRITOS", "BUTTERNUT SQUASH", "APPLE JUICE",
    )  # fmt: skip
    catalogue = groceries.catalogue
    documents = {
        len(catalogue) + place: {"name": f"{aisle}, 7 OZ", "department": "OTHER", "aisle": aisle}
        for place, aisle in enumerate(aisles)
    }
    later, _ = laid_over(catalogue, catalogue, [f"new-{place}" for place in range(len(aisles))], documents)
    return Knowledge(later, Lexicon.standard())


def kinds(knowledge, mask):
    return {knowledge.catalogue.names[row].rsplit(",", 1)[0] for row in np.flatnonzero(mask)}


@pytest.mark.parametrize(
    ("said", "without"),
    [
        ("snacks w/o nuts", ("nuts",)),
        ("snacks that don't contain nuts", ("nuts",)),
        ("snacks, but don't give me nuts", ("nuts",)),
        ("nuts make me sick, any snacks?", ("nuts",)),
        ("keep the nuts out, snacks please", ("nuts",)),
        ("withot nuts snacks please", ("nuts",)),
        ("I am allergic to spaghetti soup", ("spaghetti", "soup")),
        ("my son has a peanut allergy, what snacks can he eat?", ("peanut",)),
        ("snacks, I have a nut and cheese allergy", ("nut", "cheese")),
        ("snacks, tree nut allergy", ("tree nut",)),
        ("I'm lactose intolerant", ("lactose",)),
        ("I have a severe allergy to nuts", ("nuts",)),
        ("she reacts badly to cheese", ("cheese",)),
        ("I can't stand soup", ("soup",)),
        ("I'm intolerant of lactose", ("lactose",)),
        ("my boy gets hives from eggs", ("eggs",)),
        ("soup is out, what else is there", ("soup",)),
        ("we have a milk allergy", ("dairy",)),
        ("I am allergic to nuts and milk", ("nuts", "dairy")),
    ],
)
def test_what_somebody_cannot_have_is_ruled_out(wider, said, without):
    assert read_turn(said, wider).without == without


@pytest.mark.parametrize(
    "said",
    [
        "I don't have any cheese left",
        "we don't have cheese at home",
        "cheese, it does not have to be organic",
        "isn't there any cheese",
        "no rush, but I need cheese",
    ],
)
def test_what_is_missing_at_home_is_not_ruled_out(knowledge, said):
    assert read_turn(said, knowledge).summary() == {"things": ["cheese"]}


def test_an_allergy_is_no_wish(talk):
    reply = talk.say("snacks, I have a nut allergy")
    assert reply.items
    assert not names(reply.items) & NUTS
    assert "read the label for nut" in reply.message
    assert read_turn("something for my allergies", talk.assistant._now()[1]).without == ()


def test_celiac_is_a_diet(knowledge):
    assert read_turn("my daughter is a coeliac, snacks please", knowledge).diets == ("gluten free",)
    assert not kinds(knowledge, knowledge.concept("gluten free")) & {"CHEESE CRACKERS", "SPAGHETTI DRY"}


def test_what_may_be_of_a_diet_is_read_widely(wider):
    vegan = kinds(wider, wider.concept("vegan"))
    assert not vegan & {"CHEESE CRACKERS", "CHOCOLATE MILK", "CANDY BAGS-CHOCOLATE", "FROZEN BURRITOS", "FRZN ENTREES"}
    assert "CHEESE CRACKERS" in kinds(wider, wider.ruled_out("dairy").items)
    assert "CHEESE CRACKERS" not in kinds(wider, wider.wanted("dairy"))
    assert "VEGETARIAN BURRITOS" in kinds(wider, wider.concept("vegetarian"))
    assert "BUTTERNUT SQUASH" not in kinds(wider, wider.ruled_out("nuts").items)


def test_what_is_safe_narrows_what_is_ruled_out_and_never_what_is_shown(groceries):
    concept = Concept(words=("cheese", "coffee"), never=("cracker",), safe=("decaffinated",))
    knowledge = Knowledge(groceries.catalogue, Lexicon.standard({"odd": concept}))
    assert "CHEESE CRACKERS" in kinds(knowledge, knowledge.concept("odd"))
    assert "GROUND DECAFFINATED" not in kinds(knowledge, knowledge.concept("odd"))
    assert "CHEESE CRACKERS" not in kinds(knowledge, knowledge.wanted("odd"))
    assert "GROUND DECAFFINATED" in kinds(knowledge, knowledge.wanted("odd"))


@pytest.mark.parametrize(
    ("said", "things"),
    [
        ("milk and eggs and bread", ("milk", "eggs")),
        ("eggs", ("eggs",)),
        ("soy sauce", ("soy sauce",)),
        ("sugar and honey", ("sugar", "honey")),
        ("milk eggs sugar honey soup cheese apples", ("milk", "eggs", "sugar", "honey", "soup", "cheese", "apples")),
        ("a bottle of milk and a dozen eggs", ("milk", "eggs")),
        ("half and half for my coffee", ("half half",)),
        ("I'm thirsty", ("drinks",)),
    ],
)
def test_lists_of_things(wider, said, things):
    assert read_turn(said, wider).things == things


def test_eggs_come_beside_other_things(wider):
    assert kinds(wider, wider.meaning("eggs").items) == {"EGGS - LARGE"}
    assert kinds(wider, wider.meaning("half half").items) == {"COFFEE CREAMERS"}


def test_what_is_called_not_so_is_not_shown(wider):
    assert "CANDY BAGS-NON CHOCOLATE" not in kinds(wider, wider.meaning("chocolate").items)
    assert kinds(wider, wider.meaning("non chocolate").items) == {"CANDY BAGS-NON CHOCOLATE"}


def test_a_saying_within_another_thing_is_not_that_quality(wider):
    assert read_turn("light bulbs", wider).summary() == {"things": ["light bulbs"]}
    assert read_turn("light cheese", wider).qualities == ("healthy",)


@pytest.mark.parametrize(
    "message",
    [
        "chocolate ice cream " * 50,
        "cheese coffee soup apples pasta beef chips crackers spaghetti pizza " * 15,
        "no " + "cheese coffee soup apples pasta beef chips crackers " * 20,
        "no " + "cheese, coffee, soup or " * 40,
        "cheese, " * 120,
        "xq zv " * 160,
    ],
    ids=range(6),
)
def test_the_work_of_a_message_does_not_grow_with_its_length(groceries, monkeypatch, message):
    knowledge = Knowledge(groceries.catalogue, Lexicon.standard())
    looked = []
    for name in ("_precise", "_affirmed", "_part"):
        whole = getattr(Knowledge, name)

        def counted(self, *given, whole=whole):
            looked.append(given)
            return whole(self, *given)

        monkeypatch.setattr(Knowledge, name, counted)
    read_turn(message[:1000], knowledge)
    assert len(looked) < 300


def test_a_question_about_an_item_is_answered_and_changes_nothing(talk):
    first = talk.say("peanut butter or soup")
    reply = talk.say("does the first one contain nuts?")
    assert [item["item_id"] for item in reply.items] == [first.items[0]["item_id"]]
    assert "speaks of nuts" in reply.message
    assert "read the label" in reply.message
    again = talk.say("are there nuts in the first one?")
    assert (again.items, "speaks of nuts" in again.message) == (reply.items, True)
    assert talk.say("would the first one be ok for a vegan?").items == reply.items
    talk.say("the second one")
    second = talk.say("is it vegan?")
    assert [item["item_id"] for item in second.items] == [first.items[1]["item_id"]]
    assert len(talk.say("are they gluten free?").items) == len(first.items)
    assert talk.say("beef").done.want == "beef"
    assert "no list yet" in Talk(talk.assistant).say("does it contain eggs?").message


@pytest.mark.parametrize("said", ["do you have soup?", "is there any soup?", "can I have soup"])
def test_a_question_of_the_shop_is_none_of_an_item(knowledge, said):
    assert read_turn(said, knowledge, listed=True).things == ("soup",)


def test_a_price_of_nothing_is_not_known(groceries):
    catalogue = groceries.catalogue
    free = np.flatnonzero(["GROUND COFFEE" in name for name in catalogue.names])[:1]
    price = catalogue.price.copy()
    price[free] = 0.0
    changed = type(catalogue)(
        catalogue.ids, catalogue.names, catalogue.categories, catalogue.tags, catalogue.numerics, price,
        catalogue.in_stock, catalogue.owner,
    )  # fmt: skip
    (item,) = described(changed, free.astype(np.int32), np.zeros(1, np.float32), [Reason("popular", "popular")])
    assert item["price"] is None
    assert np.isnan(known_prices(price)[free]).all()


def test_cheaper_than_the_cheapest_is_not_a_dead_end(talk):
    talk.say("the cheapest soup")
    for _ in range(6):
        last = talk.say("cheaper")
    assert last.items == []
    assert talk.say("something else").done.want


def test_misspelled_words_are_put_right_and_that_is_said(talk, knowledge):
    reply = talk.say("cofee under 8")
    assert names(reply.items) <= COFFEE
    assert max(prices(reply)) < 8
    assert "I took cofee for coffee." in reply.message
    assert reply.done.understood["corrected"] == {"cofee": "coffee"}
    for said, thing in (
        ("chese", "cheese"),
        ("spagetti", "spaghetti"),
        ("aples", "apples"),
        ("coffe", "coffee"),
        ("chesee", "cheese"),
    ):
        assert read_turn(said, knowledge).things == (thing,)
    assert read_turn("ich brauche chese", knowledge).things == ()
    assert knowledge.corrected("coffee") is None
    assert knowledge.corrected("qwertzuiop") is None


def test_what_is_not_there_is_said_beside_what_is(talk):
    reply = talk.say("coffee and zwieblax")
    assert names(reply.items) <= COFFEE
    assert "Nothing here is called zwieblax." in reply.message
    unknown = talk.say("zwieblax under 5, no nuts")
    assert unknown.items == []
    assert "Nothing here is called zwieblax" in unknown.message
    assert talk.say("something else").done.want == "coffee, without nuts"


def test_a_diet_is_taken_back(talk):
    talk.say("I'm vegetarian")
    none = talk.say("beef")
    assert none.items == []
    assert 'say "I am not vegetarian any more"' in none.message
    assert names(talk.say("I am not vegetarian any more").items) == {"CHOICE BEEF"}
    talk.say("I'm vegan, and no soup")
    assert talk.say("I eat everything now").done.want == "beef"
    talk.say("I'm vegan")
    assert talk.say("forget about vegan").done.want == "beef"


def test_a_wish_for_what_was_ruled_out_says_how_to_have_it(talk):
    talk.say("nothing with nuts")
    none = talk.say("I want nuts now")
    assert none.items == []
    assert 'say "nuts is fine again"' in none.message
    assert names(talk.say("nuts are fine again").items) & NUTS


def test_what_is_said_of_a_thing_ends_with_it(talk):
    assert talk.say("nut-free snacks").done.want == "snacks, without nut"
    assert talk.say("soup").done.want == "soup"
    assert talk.say("no nuts").done.want == "soup, without nuts"
    assert talk.say("cheese").done.want == "cheese, without nuts"


@pytest.mark.parametrize(
    "said",
    ["we are a gluten-free household, soup please", "I'm gluten free and need soup", "soup for a gluten free diet"],
)
def test_what_is_said_of_a_person_stays(knowledge, said):
    reading = read_turn(said, knowledge)
    assert (reading.things, reading.without, reading.passing) == (("soup",), ("gluten",), ())


def test_the_head_of_what_is_not_wanted(wider):
    crackers = read_turn("no spaghetti crackers", wider)
    assert (crackers.things, crackers.without) == (("crackers",), ("spaghetti",))
    nuts = read_turn("no spaghetti nuts", wider)
    assert (nuts.things, nuts.without) == ((), ("spaghetti", "nuts"))


def test_nothing_added_rules_out_that_alone(wider):
    reading = read_turn("no sugar added apple juice", wider)
    assert (reading.without, reading.passing, reading.things) == (("sugar",), ("sugar",), ("apple juice",))


def test_for_how_many_is_of_one_wish(talk):
    assert talk.say("snacks for 20 people").done.want == "snacks for 20"
    assert talk.say("cheese").done.want == "cheese"


def test_how_much_is_it(talk):
    first = talk.say("coffee or soup")
    talk.say("the second one")
    reply = talk.say("how much is it?")
    assert [item["item_id"] for item in reply.items] == [first.items[1]["item_id"]]
    assert f"at {first.items[1]['price']:.2f}" in reply.message
    assert talk.say("what does the first one cost?").items == first.items[:1]
    fresh = Talk(talk.assistant)
    every = fresh.say("coffee or soup")
    assert [item["item_id"] for item in fresh.say("how much?").items] == [item["item_id"] for item in every.items]


@pytest.mark.parametrize(
    "said",
    ["I don't like the first one", "anything but the first one", "not the first one", "I don't want the first one"],
)
def test_an_item_that_is_not_liked_is_left_out(talk, said):
    first = [item["item_id"] for item in talk.say("coffee or soup").items]
    other = {item["item_id"] for item in talk.say(said).items}
    assert first[0] not in other
    assert {first[1], first[2]} <= other


@pytest.mark.parametrize(("said", "level"), [("not too expensive", -1), ("nothing fancy", -1), ("expensive", 1)])
def test_levels(knowledge, said, level):
    assert read_turn(f"soup, {said}", knowledge).level == level


def test_not_that_one_leaves_out_one(talk):
    first = [item["item_id"] for item in talk.say("coffee or soup").items]
    talk.say("the second one")
    other = {item["item_id"] for item in talk.say("not that one").items}
    assert first[1] not in other
    assert {first[0], first[2]} <= other


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ("the first and the third", [0, 2]),
        ("the last two", [-2, -1]),
        ("tell me about the second and fourth one", [1, 3]),
        ("compare the first and second", [0, 1]),
    ],
)
def test_several_places_are_all_answered(talk, said, which):
    first = [item["item_id"] for item in talk.say("coffee or soup").items]
    assert [item["item_id"] for item in talk.say(said).items] == [first[place] for place in which]


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("3 dollar coffee", {"things": ["coffee"], "price_max": 3.0}),
        ("5 euro soup", {"things": ["soup"], "price_max": 5.0}),
        ("coffee 5-8", {"things": ["coffee"], "price_min": 5.0, "price_max": 8.0}),
        ("coffee, 4-5 dollars", {"things": ["coffee"], "price_min": 4.0, "price_max": 5.0}),
        ("coffee for under a fiver", {"things": ["coffee"], "price_max": 5.0, "under": True}),
        ("soup over 3", {"things": ["soup"], "price_min": 3.0, "over": True}),
        ("soup around 4", {"things": ["soup"], "price_min": 3.0, "price_max": 5.0}),
        ("1.50 soup", {"things": ["soup"], "price_max": 1.5}),
        ("I have 30 dollars to spend on soup", {"things": ["soup"], "price_max": 30.0}),
        ("soup for 2-4 people", {"things": ["soup"], "people": 4}),
        ("cheese under 20 in total", {"things": ["cheese"], "price_max": 20.0, "total": True, "under": True}),
        ("cheese under 0", {"things": ["cheese"]}),
    ],
)
def test_budgets(knowledge, said, asked):
    assert read_turn(said, knowledge).summary() == asked


def test_a_total_is_said_not_to_be_one(talk):
    assert "not of all together" in talk.say("cheese, 20 dollars in total").message
    assert "together" not in talk.say("coffee under 20").message


@pytest.mark.parametrize(
    "said",
    ["what time do you open?", "can I return this?", "add it to my basket", "what's on sale?", "do you deliver?"],
)
def test_what_a_shop_does_and_the_assistant_does_not(talk, said):
    talk.say("coffee")
    reply = talk.say(said)
    assert reply.items == []
    assert "I only find items" in reply.message
    assert talk.say("something else").done.want == "coffee"


def test_what_is_not_understood_is_not_called_outside(talk):
    assert "did not understand" in talk.say("ich haette gern etwas zu essen").message
    assert "nothing of the kind" in talk.say("who won the election?").message
    assert "Say which one" in talk.say("yes").message
    assert "All right" in talk.say("no thanks").message


@pytest.mark.parametrize("said", ["what goes well with coffee?", "what would go nicely with coffee"])
def test_what_goes_with_something_comes_from_baskets(talk, said):
    reply = talk.say(said)
    assert reply.items
    assert not names(reply.items) & {"GROUND COFFEE"}
    assert reply.message.startswith("For you: items to go with coffee.")
    assert "go with" not in talk.say("soup").done.want
    assert "Nothing here is called zwieblax" in talk.say("what goes with zwieblax?").message


def test_the_headline_says_what_holds(talk):
    assert talk.say("dragon soup").message.startswith("For you: soup.")
    dropped = talk.say("spicy cheese")
    assert dropped.message.startswith("For you: cheese.")
    assert "none that is spicy" in dropped.message
    assert dropped.done.want == "cheese"
    assert talk.say("soup for kids").message.startswith("For you: soup.")
    for said in ("z" * 900, "no " + "z" * 900, "something like " + "z" * 900):
        assert len(talk.say(said).message) < 400


def test_packs_are_spoken_of_only_where_they_changed_the_order(groceries):
    said = {
        Talk(Assistant(lambda: groceries), f"household-{row}").say("apples for eight").message.count("larger packs")
        for row in range(8)
    }
    assert said == {0, 1}


def test_what_holds_for_good_is_not_ended_by_saying_it_of_a_thing(talk):
    talk.say("I am allergic to nuts")
    talk.say("nuts-free snacks")
    assert talk.say("soup").done.want == "soup, without nuts"
    other = Talk(talk.assistant)
    other.say("cheese-free snacks")
    other.say("I am allergic to cheese")
    assert other.say("apples").done.want == "apples, without cheese"
    assert other.say("gluten-free apples").done.want == "apples, without cheese or gluten"
    assert "gluten" not in other.say("something like potato chips").done.want


def test_no_language_model_answers_what_is_inside(groceries):
    asked = []

    def provider_of(user_id):
        asked.append(user_id)

    talk = Talk(Assistant(lambda: groceries, provider_of=provider_of))
    talk.say("soup")
    talk.say("is the first one vegan?")
    assert len(asked) == 1
