"""What is made of the OpenAPI document is answered as the document says, and never by an error of the server."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from savor.api.app import create_app
from savor.api.device_options import DeviceOptions
from savor.api.device_releases import DeviceReleases
from savor.api.live import Live
from savor.api.serve import load_engine
from savor.bundle.releases import Releases
from savor.online.stores.options import StoreOptions
from tests.api.live_shop import made_database, prepared
from tests.bundle.edge_bundles import edge_bundle

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
CALLS = [(method.upper(), path) for path, calls in create_app().openapi()["paths"].items() for method in calls]


@pytest.fixture
def schema(registry_directory, tmp_path_factory):
    # One for each call: an application closes its stores when its life ends.
    project = prepared(made_database(tmp_path_factory.mktemp("made")), tmp_path_factory.mktemp("project"))
    live = Live.open(StoreOptions(), project)
    Releases(project / ".savor" / "device").release(edge_bundle(tmp_path_factory.mktemp("edge")))
    device = DeviceReleases.open(project / ".savor" / "device", DeviceOptions(), live.stores)
    app = create_app(load_engine(registry_directory, over_states=live.over), live=live, device=device)
    yield schemathesis.openapi.from_asgi("/openapi.json", app)
    live.close()


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_answers_as_documented(schema, method, path):
    from schemathesis.checks import CHECKS as KNOWN
    from schemathesis.checks import load_all_checks

    load_all_checks()
    checks = KNOWN.get_by_names(list(CHECKS))

    @given(schema[path][method].as_strategy())
    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def check(case):
        case.validate_response(case.call(), checks=checks)

    check()
