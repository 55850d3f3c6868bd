import re
from pathlib import Path

SERVING = Path(__file__).parents[2] / "docs" / "serving.md"


def test_endpoints_table_is_the_openapi_document(client):
    document = client.get("/openapi.json").json()
    offered = {f"{method.upper()} {path}" for path, calls in document["paths"].items() for method in calls}
    written = set(
        re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \|", SERVING.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert written == offered


def test_stages_table_is_the_pipeline(client):
    text = SERVING.read_text(encoding="utf-8")
    for stage in client.app.state.engine.serving.pipeline.describe():
        assert f"| `{stage['name']}` |" in text


def test_reasons_table_is_complete():
    text = SERVING.read_text(encoding="utf-8")
    source = (SERVING.parents[1] / "src/savor/pipeline/stages/reasons.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Reason\(\s*"([a-z_]+)"', source))
    assert len(codes) >= 7
    assert codes == set(re.findall(r"^\| `([a-z_]+)` \| “", text, re.MULTILINE))


def test_every_call_documents_its_problems(client):
    document = client.get("/openapi.json").json()
    for path in ("/recommendations", "/similar_items", "/rank"):
        responses = document["paths"][path]["post"]["responses"]
        assert set(responses) == {"200", "400", "401", "403", "413", "422", "429", "503"}
        for status in set(responses) - {"200"}:
            assert responses[status]["content"].keys() == {"application/problem+json"}
    assert "Problem" in document["components"]["schemas"]


def test_fields_of_bodies_are_those_of_the_openapi_document(client):
    document = client.get("/openapi.json").json()
    text = SERVING.read_text(encoding="utf-8")
    for path in ("/recommendations", "/similar_items", "/rank"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        offered = set(document["components"]["schemas"][body["$ref"].rsplit("/", 1)[1]]["properties"])
        rows = re.findall(rf"^\| `POST {path}` \| (`[a-z_]+`.*) \|$", text, re.MULTILINE)
        assert (
            set(re.findall(r"`([a-z]+_[a-z_]+|filter|by|scenario|diversity|context|explain|cursor)`", rows[0]))
            == offered
        )
