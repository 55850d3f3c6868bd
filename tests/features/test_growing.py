import numpy as np

from savor.features.growing import Growing


def test_views_given_out_before_keep_their_length_and_see_later_writes():
    growing = Growing(np.arange(3, dtype=np.float32))
    first = growing.grow(5, -1)
    assert first.tolist() == [0, 1, 2, -1, -1]
    second = growing.grow(6)
    assert len(first) == 5
    assert second.tolist() == [0, 1, 2, -1, -1, 0]
    second[1] = 9
    assert first[1] == 9
    assert np.shares_memory(first, second)


def test_rows_that_are_not_its_own_are_never_written_to():
    given = np.arange(3, dtype=np.int32)
    given.flags.writeable = False
    growing = Growing(given)
    assert growing.rows is not None
    assert np.shares_memory(growing.rows, given)
    growing.grow(3)[0] = 7
    assert given.tolist() == [0, 1, 2]
    assert growing.rows.tolist() == [7, 1, 2]


def test_own_rows_are_written_to_in_place():
    given = np.zeros((2, 4), np.float32)
    growing = Growing(given, own=True)
    growing.grow(2)[1] = 5
    assert given[1].tolist() == [5] * 4
    assert growing.grow(3).shape == (3, 4)


def test_room_is_not_made_anew_for_every_row():
    growing = Growing(np.zeros(10, np.int64))
    rooms = set()
    for rows in range(11, 500):
        rooms.add(growing.grow(rows).__array_interface__["data"][0])
    assert len(rooms) == 1
