from contextlib import closing

from savor.online.change_signal import ChangeSignal


def test_each_sees_what_the_others_change(tmp_path):
    file = tmp_path / "made" / "signal"
    with closing(ChangeSignal(file)) as one, closing(ChangeSignal(file)) as two, closing(ChangeSignal(file)) as three:
        assert not one.changed()
        one.give()
        assert not one.changed(), "one's own changes are no news"
        assert two.changed()
        assert not two.changed()
        two.give()
        one.give()
        assert three.changed()
        assert not three.changed()
        assert two.changed()
        assert one.changed()


def test_a_place_is_given_back(tmp_path):
    with closing(ChangeSignal(tmp_path / "signal")) as listener:
        for _ in range(100):
            with closing(ChangeSignal(tmp_path / "signal")) as other:
                other.give()
            assert listener.changed()


def test_more_processes_than_places(tmp_path):
    file = tmp_path / "signal"
    many = [ChangeSignal(file) for _ in range(70)]
    many[0].give()
    assert all(one.changed() for one in many[1:])
    many[-1].give()
    assert not many[0].changed(), "who has no place tells nobody"
    for one in many:
        one.close()


def test_where_no_file_can_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with closing(ChangeSignal(tmp_path / "file" / "signal")) as signal:
        signal.give()
        assert not signal.changed()
