"""The alert rules, checked by the real thing."""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from savor.api.metrics import Metrics
from tests.online.test_metric_names import dashboard, expressions

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is absent (Debian package prometheus)")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is absent (Debian package prometheus)")


def promtool(*arguments):
    done = subprocess.run(
        [str(PROMTOOL), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=DEPLOY
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_rules_and_configuration_are_valid():
    promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_rules_do_what_their_tests_say():
    promtool("test", "rules", "alerts_test.yml", "alerts_week_test.yml")


def test_every_alert_is_tested_both_ways():
    alerts = re.findall(r"alert: (\w+)", (DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    tests = "".join(file.read_text(encoding="utf-8") for file in DEPLOY.glob("alerts_*test.yml"))
    quiet = set(re.findall(r"alertname: (\w+), exp_alerts: \[\]", tests))
    loud = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts:\n\s+- exp_labels", tests))
    assert set(alerts) == quiet == loud
    assert len(set(alerts)) == len(alerts)


def test_every_alert_says_what_to_do():
    text = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    rules = text.split("- alert: ")[1:]
    for rule in rules:
        assert re.search(r"severity: (page|ticket)\}", rule), rule
        assert "summary:" in rule
        assert "action:" in rule


@needs_promtool
def test_the_expressions_of_the_dashboard_are_valid(tmp_path):
    asked = [one for one in expressions(dashboard()) if "label_values" not in one and one != "prometheus"]
    assert len(asked) > 30
    plain = [one.replace("$__rate_interval", "5m").replace("$scenario", ".*") for one in asked]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(plain)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def test_panels_do_not_overlap():
    places: set[tuple[int, int]] = set()
    identifiers = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(identifiers)) == len(identifiers)
    for panel in dashboard()["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        cells = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
        assert not cells & places
        places |= cells


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@needs_prometheus
def test_a_real_prometheus_reads_the_figures_and_loads_the_rules(tmp_path):
    metrics = Metrics()
    metrics.serving("abc")
    metrics.answered("/recommendations", 200, 0.002)

    class Figures(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
            self.end_headers()
            self.wfile.write(metrics.text())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Figures)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    configuration = (DEPLOY / "prometheus.yml").read_text(encoding="utf-8")
    configuration = configuration.replace("127.0.0.1:8000", f"127.0.0.1:{server.server_address[1]}")
    configuration = configuration.replace("interval: 15s", "interval: 1s")
    (tmp_path / "prometheus.yml").write_text(configuration)
    shutil.copy(DEPLOY / "alerts.yml", tmp_path)
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            str(PROMETHEUS),
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GOMAXPROCS": "1"},
    )

    def ask(path):
        with urllib.request.urlopen(f"http://{address}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    try:
        found: list = []
        for _ in range(300):
            try:
                found = ask("query?query=savor_bundle_info")["result"]
            except OSError:
                found = []
            if found:
                break
            assert process.poll() is None
            time.sleep(0.1)
        assert found[0]["metric"]["bundle"] == "abc"
        assert float(ask("query?query=savor_requests_total")["result"][0]["value"][1]) == 1
        rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
        assert {rule["name"] for rule in rules} >= {"SavorDown", "SavorDrift", "SavorGuardrail"}
        assert all(rule["health"] in ("ok", "unknown") for rule in rules)
    finally:
        process.terminate()
        process.wait(30)
        server.shutdown()
        thread.join()
        server.server_close()
