import numpy as np
import pytest
from pydantic import ValidationError

from savor.core.errors import BundleError
from savor.features.catalogue import Catalogue, CategoryColumn
from savor.pipeline.fairness.groups import group_members
from savor.pipeline.fairness.options import FairnessOptions, GroupOptions

DAY = 86_400


def catalogue(owner=("big", "big", "small", None)):
    return Catalogue(
        list("abcd"),
        list("abcd"),
        {"kind": CategoryColumn.from_strings(["tea", "jam", "tea", None])},
        {},
        {},
        np.array([1, 2, 3, np.nan], np.float32),
        np.ones(4, np.bool_),
        CategoryColumn.from_strings(list(owner)) if owner else None,
    )


def test_members():
    groups = FairnessOptions.model_validate(
        {
            "groups": {
                "tea": {"filter": {"kind": {"eq": "tea"}}, "share": 0.2},
                "new": {"new_days": 10},
                "small": {"owner_items": 1},
                "new_tea": {"filter": {"kind": {"eq": "tea"}}, "new_days": 10},
            }
        }
    ).groups
    created = np.array([0, 95, 85, -1], np.int64) * DAY
    members = group_members(groups, catalogue(), created, 100 * DAY)
    assert members.tolist() == [
        [True, False, True, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, False, False],
    ]


def test_what_the_catalogue_lacks_is_said_at_once():
    groups = {
        "a": GroupOptions(new_days=1),
        "b": GroupOptions(owner_items=1),
        "c": GroupOptions(filter={"colour": {"eq": "red"}}),
    }
    with pytest.raises(BundleError, match=r"(?s)'a': new_days.*'b': owner_items.*'c': .*colour"):
        group_members(groups, catalogue(owner=None), None, 0)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"groups": {"all": {"share": 0.5}}}, "hold every item"),
        ({"groups": {"a": {"new_days": 1, "share": 0.6}, "b": {"owner_items": 1, "share": 0.6}}}, "no more than 1"),
        ({"groups": {"A b": {"new_days": 1}}}, "pattern"),
    ],
)
def test_options_that_make_no_sense(options, match):
    with pytest.raises(ValidationError, match=match):
        FairnessOptions.model_validate(options)
