"""MovieLens-1M: a million ratings of 3,706 films by 6,040 people."""

from pathlib import Path

from savor.data.engine import Engine
from savor.data.known.known_dataset import KnownDataset, find_file, need_file
from savor.data.known.latin_text import stage_latin
from savor.data.known.publisher import Publication
from savor.data.proposal import Proposal
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.sources.quoting import sql_text
from savor.data.splits import SplitOptions

AGES = {1: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56+"}
OCCUPATIONS = (
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
    "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer",
    "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman",
    "unemployed", "writer",
)  # fmt: skip
"""What the codes in users.dat mean, by the publisher's README."""

COUNT_SPLIT = (
    "CASE WHEN number <= floor(0.8 * total) THEN 'train' WHEN number <= floor(0.9 * total) THEN 'validation' "
    "ELSE 'test' END"
)
"""Global time 80/10/10 by number of ratings; `number` counts from 1 in the order of time."""


def _convert(engine: Engine, files: Path, raw: Path) -> Proposal:
    prepared = find_file(files, "ratings.parquet")
    if prepared is not None:
        engine.copy(
            "SELECT user, movie, rating, pos AS position, ts_est AS time, "  # noqa: S608
            "CASE split WHEN 'val' THEN 'validation' ELSE split END AS split "
            f"FROM read_parquet({sql_text(prepared)}) ORDER BY row",
            raw / "ratings.parquet",
        )
    else:
        rows = stage_latin(engine, need_file(files, "ratings.dat"), "::", ("user", "movie", "rating", "time"))
        engine.copy(
            f"SELECT * EXCLUDE (row, number, total), {COUNT_SPLIT} AS split FROM ("  # noqa: S608
            "SELECT user::INT AS user, movie::INT AS movie, rating::INT AS rating, time::BIGINT AS time, row, "
            "row_number() OVER (PARTITION BY user ORDER BY time::BIGINT, row) - 1 AS position, "
            "row_number() OVER (ORDER BY time::BIGINT, row) AS number, count(*) OVER () AS total "
            f"FROM (SELECT *, file_row_number AS row FROM {rows})) ORDER BY row",
            raw / "ratings.parquet",
        )
    movies = stage_latin(engine, need_file(files, "movies.dat"), "::", ("movie", "title", "genres"))
    engine.copy(
        "SELECT movie::INT AS movie, regexp_replace(title, ' \\(\\d{4}\\)$', '') AS title, "  # noqa: S608
        "regexp_extract(title, '\\((\\d{4})\\)$', 1)::INT AS year, genres, "
        f"split_part(genres, '|', 1) AS genre FROM {movies}",
        raw / "movies.parquet",
    )
    users = stage_latin(engine, need_file(files, "users.dat"), "::", ("user", "gender", "age", "occupation", "zip"))
    ages = " ".join(f"WHEN {code} THEN {sql_text(label)}" for code, label in AGES.items())
    jobs = " ".join(f"WHEN {code} THEN {sql_text(label)}" for code, label in enumerate(OCCUPATIONS))
    engine.copy(
        f"SELECT user::INT AS user, gender, CASE age::INT {ages} END AS age, "  # noqa: S608
        f"CASE occupation::INT {jobs} END AS occupation, zip[1] AS region FROM {users}",
        raw / "users.parquet",
    )
    return Proposal(_SCHEMA, split=SplitOptions(method="column"), historical=True, notes=(_NOTE,))


_NOTE = "the split is by time for all at once, 80/10/10 by number of ratings; leave_one_out is the other usual one"

_SCHEMA = Schema(
    events=EventTable(
        source="raw/ratings.parquet",
        user="user",
        item="movie",
        time="time",
        default_kind="rating",
        value="rating",
        value_meaning="rating",
        order="position",
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
    users=UserTable(source="raw/users.parquet", id="user", categories=("gender", "age", "occupation", "region")),
)

MOVIELENS_1M = KnownDataset(
    "ml-1m",
    "MovieLens-1M: a million ratings of films",
    "GroupLens: for research, not to be passed on",
    Publication(("https://files.grouplens.org/datasets/movielens/ml-1m.zip",), md5="c4d9eecfca2ab87c1945afe126590906"),
    _convert,
)
