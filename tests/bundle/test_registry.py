import pytest

from savor.bundle.registry import Registry
from savor.core.clock import frozen_clock
from savor.core.errors import BundleError


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry", clock=frozen_clock(5000))


def test_publish_points_and_keeps_history(registry, bundles):
    assert registry.current() is None
    assert registry.list() == []
    first, second = bundles.make("a", moment=1), bundles.make("b", moment=2)
    registry.publish(first.directory)
    activation = registry.publish(second.directory)
    assert (activation.bundle, activation.previous, activation.at) == (second.id, first.id, 5000)
    assert registry.current() == second.id
    assert registry.open().id == second.id
    assert [step.bundle for step in registry.history()] == [first.id, second.id]
    assert [(one.id, one.channels) for one in registry.list()] == [(second.id, ("live",)), (first.id, ())]
    assert registry.list()[0].size == 1002


def test_publishing_again_changes_nothing_to_go_back_to(registry, bundles):
    first, second = bundles.make("a"), bundles.make("b")
    for bundle in (first, second, second):
        registry.publish(bundle.directory)
    assert registry.rollback().bundle == first.id


def test_rollback_goes_one_further_each_time(registry, bundles):
    made = [bundles.make(content) for content in "abc"]
    for bundle in made:
        registry.publish(bundle.directory)
    assert registry.rollback().bundle == made[1].id
    assert registry.rollback().bundle == made[0].id
    with pytest.raises(BundleError, match="no earlier bundle"):
        registry.rollback()
    assert registry.current() == made[0].id
    assert registry.activate(made[2].id).previous == made[0].id
    assert [step.action for step in registry.history()][-2:] == ["rollback", "activate"]


def test_rollback_refuses_a_damaged_bundle(registry, bundles):
    first, second = bundles.make("a"), bundles.make("b")
    registry.publish(first.directory)
    registry.publish(second.directory)
    (registry.directory / "bundles" / first.id / "config.json").write_text("[]")
    with pytest.raises(BundleError, match=r"config\.json"):
        registry.rollback()
    assert registry.current() == second.id


def test_channels_are_apart(registry, bundles):
    first, second = bundles.make("a"), bundles.make("b")
    registry.publish(first.directory)
    registry.publish(second.directory, channel="shadow")
    assert (registry.current(), registry.current("shadow")) == (first.id, second.id)
    with pytest.raises(BundleError, match="is not a name"):
        registry.publish(first.directory, channel="../x")


@pytest.mark.parametrize(
    ("ndcg", "split", "passes", "note"),
    [
        (0.395, "s", True, "0.3950 against 0.4000"),
        (0.385, "s", False, "0.3850 against 0.4000 [0.3900, 0.4100]"),
        (0.100, "t", True, "measured on another split"),
        (None, "t", False, "evaluate it first"),
    ],
)
def test_gate(registry, bundles, ndcg, split, passes, note):
    live, candidate = bundles.make("a"), bundles.make("b", ndcg=ndcg, split=split)
    registry.publish(live.directory)
    if passes:
        assert note in registry.publish(candidate.directory).note
    else:
        with pytest.raises(BundleError) as caught:
            registry.publish(candidate.directory)
        assert caught.value.code == "gate_refused"
        assert note in str(caught.value)
        assert registry.current() == live.id
        assert [one.id for one in registry.list()] == [live.id]
        assert registry.publish(candidate.directory, force=True).note.startswith("forced; ")
    assert (registry.current() == candidate.id) is True


def test_unknown_and_misplaced_bundles(registry, bundles):
    with pytest.raises(BundleError, match="no bundle is published"):
        registry.open()
    bundle = bundles.make()
    registry.publish(bundle.directory)
    with pytest.raises(BundleError, match="no bundle feed"):
        registry.activate("feed")
    (registry.directory / "bundles" / bundle.id).rename(registry.directory / "bundles" / "feed")
    with pytest.raises(BundleError, match="holds bundle"):
        registry.open("feed")


def test_damaged_pointer_is_a_clear_error(registry, bundles):
    registry.publish(bundles.make().directory)
    (registry.directory / "channels" / "live.json").write_text('{"history": [')
    with pytest.raises(BundleError, match=r"live\.json is damaged"):
        registry.current()


def test_damaged_bundles_are_listed_with_the_reason(registry, bundles):
    bundle = bundles.make()
    registry.publish(bundle.directory)
    (registry.directory / "bundles" / bundle.id / "manifest.json").write_text("{}")
    assert "damaged" in (registry.list()[0].problem or "")


def test_a_cleared_channel_points_nowhere_and_can_be_used_again(registry, bundles):
    bundle = bundles.make()
    registry.publish(bundle.directory, channel="candidate")
    assert registry.clear("candidate")
    assert not registry.clear("candidate")
    assert registry.current("candidate") is None
    assert registry.history("candidate") == ()
    registry.activate(bundle.id, channel="candidate")
    assert registry.current("candidate") == bundle.id
