"""Words in the names of columns that tell what the columns are for."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


USER = _words(
    "user customer household member client visitor account shopper buyer guest reviewer subscriber cust uid userid "
    "customerid person profile"
)
ITEM = _words(
    "item product movie film sku article stock wine place restaurant dish meal recipe asin isbn book song track game "
    "video venue upc food poi offer listing itemid productid movieid pid content asset"
)
IDENTITY = _words("id code no number key sku asin isbn upc nr num")
NO_IDENTITY = _words("name title description category type price count quantity date time rating brand")
TIME = _words("timestamp datetime time date ts at when day created")
BASKET = _words("basket invoice order session receipt cart transaction trip visit ticket")
KIND = _words("event kind type action behavior behaviour activity interaction")
RATING = _words("rating ratings stars score")
QUANTITY = _words("quantity qty units count pieces")
MONEY = _words("price sales revenue paid amount total spend cost")
SEARCH = _words("search query searched")
REVIEW = _words("review comment feedback opinion")
ORDER = _words("pos seq sequence")
SPLIT = _words("split fold partition")
NAME = _words("name title label")
LONG_TEXT = _words("description summary text details plot overview")
PRICE = _words("price cost msrp")
STOCK = _words("stock availability available inventory")
OWNER = _words("owner seller merchant vendor business winery")
CREATED = _words("created added launched launch published release released")
IMAGE = _words("image img picture photo thumbnail")
CODE = _words("id code zip zipcode postcode occupation")
PERSONAL = _words("email mail phone address surname lastname firstname birthday birthdate ip")
