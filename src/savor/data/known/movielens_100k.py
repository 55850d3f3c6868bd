"""MovieLens-100K: a hundred thousand ratings of 1,682 films by 943 people."""

from pathlib import Path

from savor.data.engine import Engine
from savor.data.known.known_dataset import KnownDataset, find_file, need_file
from savor.data.known.latin_text import stage_latin
from savor.data.known.movielens_1m import COUNT_SPLIT
from savor.data.known.publisher import Publication
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.sources.quoting import sql_text
from savor.data.splits import SplitOptions

GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""The genre flags of u.item in their order, by the publisher's README."""


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    typed = find_file(files, "ml-100k.inter")
    if typed is not None:
        ratings = _typed_text(engine, typed, ("user", "movie", "rating", "time"))
        items = _typed_text(engine, need_file(files, "ml-100k.item"), ("movie", "title", "year", "genres"))
        users = _typed_text(engine, need_file(files, "ml-100k.user"), ("user", "age", "gender", "occupation", "zip"))
        movies = f"SELECT movie::INT AS movie, title, try_cast(year AS INT) AS year, genres FROM {items}"  # noqa: S608
    else:
        ratings = stage_latin(engine, need_file(files, "u.data"), "\t", ("user", "movie", "rating", "time"))
        columns = ("movie", "title", "released", "video", "address", *(f"g{n}" for n in range(len(GENRES))))
        items = stage_latin(engine, need_file(files, "u.item"), "|", columns)
        flags = ", ".join(f"CASE g{n} WHEN '1' THEN {sql_text(genre)} END" for n, genre in enumerate(GENRES))
        users = stage_latin(engine, need_file(files, "u.user"), "|", ("user", "age", "gender", "occupation", "zip"))
        movies = (
            "SELECT movie::INT AS movie, regexp_replace(title, ' \\(\\d{4}\\)$', '') AS title, "  # noqa: S608
            "try_cast(regexp_extract(title, '\\((\\d{4})\\)$', 1) AS INT) AS year, "
            f"concat_ws(' ', {flags}) AS genres FROM {items}"
        )
    engine.copy(
        f"SELECT * EXCLUDE (row, number, total), {COUNT_SPLIT} AS split FROM ("  # noqa: S608
        "SELECT user::INT AS user, movie::INT AS movie, rating::INT AS rating, time::BIGINT AS time, row, "
        "row_number() OVER (ORDER BY time::BIGINT, row) AS number, count(*) OVER () AS total "
        f"FROM (SELECT *, file_row_number AS row FROM {ratings})) ORDER BY row",
        raw / "ratings.parquet",
    )
    engine.copy(
        "SELECT * REPLACE (replace(genres, ' ', '|') AS genres), split_part(genres, ' ', 1) AS genre "  # noqa: S608
        f"FROM ({movies})",
        raw / "movies.parquet",
    )
    engine.copy(
        f"SELECT user::INT AS user, age::INT AS age, gender, occupation, zip[1] AS region FROM {users}",  # noqa: S608
        raw / "users.parquet",
    )
    note = "the split is by time for all at once, 80/10/10 by number of ratings; leave_one_out is the other usual one"
    return Proposal(_SCHEMA, split=SplitOptions(method="column"), historical=True, notes=(note,))


def _typed_text(engine: Engine, file: Path, columns: tuple[str, ...]) -> str:
    """A tab-separated file whose first line has names and types, read as Latin-1 under other names.

    UTF-8 files come through as well, because every byte is kept as it is and put together again.
    """
    return stage_latin(engine, file, "\t", columns, header=True)


_SCHEMA = Schema(
    events=EventTable(
        source="raw/ratings.parquet",
        user="user",
        item="movie",
        time="time",
        default_kind="rating",
        value="rating",
        value_meaning="rating",
        split="split",
    ),
    items=ItemTable(
        source="raw/movies.parquet",
        id="movie",
        name="title",
        categories=("genre",),
        tags=("genres",),
        numerics=("year",),
        text=("title", "genres"),
    ),
    users=UserTable(
        source="raw/users.parquet", id="user", categories=("gender", "occupation", "region"), numerics=("age",)
    ),
)

MOVIELENS_100K = KnownDataset(
    "ml-100k",
    "MovieLens-100K: a hundred thousand ratings of films",
    "GroupLens: for research, not to be passed on",
    Publication(
        ("https://files.grouplens.org/datasets/movielens/ml-100k.zip",), md5="0e33842e24a9c977be4e0107933c0723"
    ),
    _convert,
)
