import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.profiles import UserProfile
from savor.features.table_encoder import TableEncoder

AGES, TASTES = ["", "20", "30", "40", "never seen"], ["", "hot", "mild", "sour", "sweet", "unheard of"]


def encoder() -> TableEncoder:
    columns = Columns(
        {"age": CategoryColumn.from_strings(["20", "30", None, "40"])},
        {"likes": TagColumn.from_lists([["sweet", "hot"], ["sour"], None, ["mild"]])},
        {"income": np.asarray([1, 2, np.nan, 400], np.float32)},
    )
    return TableEncoder.fit("user", ["a", "b"], columns, np.arange(4), id_buckets=3, value_buckets=2, maximum_tags=3)


@given(
    st.sampled_from(["a", "b", "stranger", "ü"]),
    st.dictionaries(st.sampled_from(["age", "other"]), st.none() | st.sampled_from(AGES)),
    st.dictionaries(st.sampled_from(["likes", "other"]), st.lists(st.sampled_from(TASTES), max_size=8)),
    st.dictionaries(st.sampled_from(["income", "other"]), st.floats(allow_nan=True, width=32)),
)
def test_one_profile_is_encoded_as_a_table_of_one(identifier, categories, tags, numerics) -> None:
    profile = UserProfile(identifier, categories, tags, numerics)
    table = Columns(
        {name: CategoryColumn.from_strings([value]) for name, value in categories.items()},
        {name: TagColumn.from_lists([values]) for name, values in tags.items()},
        {name: np.asarray([value], np.float32) for name, value in numerics.items()},
    )
    expected = encoder().encode([identifier], table)
    found = encoder().encode_profile(profile)
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column)
