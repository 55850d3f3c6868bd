"""The page in a real browser, against a real server."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

CHROMIUM = Path("/usr/bin/chromium")
SERVER = """
import sys
from pathlib import Path
from savor.api.live import Live
from savor.api.serve import load_engine, serve
from savor.online.experiments.options import ExperimentOptions
from savor.online.stores.options import StoreOptions
live = Live.open(StoreOptions(), Path(sys.argv[3]))
variants = {"control": {}, "new_only": {"scenario": "discover"}}
ranker = ExperimentOptions.model_validate({"variants": variants, "metric": "ctr", "least_users": 2})
engine = load_engine(Path(sys.argv[1]), over_states=live.over)
serve(engine, port=int(sys.argv[2]), live=live, experiments={"ranker": ranker})
"""


@pytest.fixture(scope="module")
def address(registry_directory, tmp_path_factory):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    project = str(tmp_path_factory.mktemp("page"))
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(registry_directory), str(port), project])
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                urlopen(f"{base}/ready", timeout=5).close()
                break
            except URLError:
                assert process.poll() is None
                time.sleep(0.1)
        else:
            pytest.fail("the server was never ready")
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"needs a browser at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, address):
    complaints = []
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda request: complaints.append(request.url) if not request.url.startswith((address, "data:")) else None,
    )
    opened.goto(f"{address}/#household-3")
    opened.wait_for_selector("#recommendations .item")
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.browser
def test_a_person_can_follow_it(page):
    assert page.inner_text("#title") == "For customer household-3"
    assert page.locator("#recommendations .item").count() == 10
    assert all(text for text in page.locator("#recommendations .reason").all_inner_texts())
    assert page.locator("#visits .visit").count() > 5
    assert page.locator("#stages div").count() > 8
    assert " ms" in page.inner_text("#total")
    assert page.inner_text("#bundle").strip()


@pytest.mark.browser
def test_new_only_changes_the_list(page):
    first = page.locator("#recommendations .item").first.get_attribute("data-item")
    page.get_by_label("New only").check()
    page.wait_for_selector(f'#recommendations li:first-child .item:not([data-item="{first}"])')
    assert not any("you buy" in text.lower() for text in page.locator("#recommendations .reason").all_inner_texts())


@pytest.mark.browser
def test_details_show_sources_and_similar_items(page):
    name = page.locator("#recommendations .item").first.get_attribute("data-item")
    page.locator("#recommendations .item").first.click()
    page.wait_for_selector("#similar .item")
    assert f"id {name}" in page.inner_text("#details-body")
    assert page.locator("#details tbody tr").count() >= 2
    assert page.locator("#similar .item").count() == 6
    page.keyboard.press("Escape")
    assert not page.locator("#details").is_visible()


@pytest.mark.browser
def test_a_newcomer_is_answered_with_the_reason(page):
    page.fill("#search", "somebody <b>new</b>")
    page.keyboard.press("Enter")
    page.wait_for_selector("#note.shown")
    assert "unknown_user" in page.inner_text("#note")
    assert page.inner_text("#title") == "For customer somebody <b>new</b>"
    page.wait_for_selector("#visits .empty")
    assert page.locator("#recommendations .item").count() == 10


@pytest.mark.browser
def test_everything_has_a_name_for_those_who_cannot_see(page):
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select')]"
        ".filter(one => !(one.innerText?.trim() || one.ariaLabel || one.labels?.length)).map(one => one.outerHTML)"
    )
    assert unnamed == []


def until(page, holds):
    """Wait; the page's policy does not let the browser evaluate conditions."""
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(50)
    pytest.fail("that never came about")


@pytest.mark.browser
def test_buying_changes_the_very_next_list(page):
    until(page, lambda: "events" in page.inner_text("#events"))
    before = page.inner_text("#events")
    page.locator("#recommendations .buy").nth(4).click()
    page.wait_for_selector("#live:not([hidden])")
    assert "kept in the database" in page.inner_text("#live")
    until(page, lambda: page.inner_text("#events") != before)
    events = page.inner_text("#events")
    page.reload()
    page.wait_for_selector("#recommendations .item")
    until(page, lambda: "events" in page.inner_text("#events"))
    assert page.inner_text("#events") == events
    page.locator("#recommendations .item").first.click()
    page.wait_for_selector("#similar .item")
    assert "candidates" in page.inner_text("#details-body")


def ask(page, message):
    """Say something to the assistant, and wait until it has answered."""
    before = page.locator("#talk .theirs").count()
    page.fill("#message", message)
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#talk .theirs").count() > before)
    until(page, lambda: page.locator("#talk .theirs").last.inner_text() not in ("", "…"))
    return page.locator("#talk .theirs").last.inner_text()


@pytest.mark.browser
def test_a_conversation_goes_on_over_several_turns(page):
    assert "dairy, under 5.00 each" in ask(page, "dairy under 5")
    until(page, lambda: page.locator("#talk .found .item").count() > 1)
    found = page.locator("#talk .found").last
    second = found.locator(".item").nth(1).get_attribute("data-item")
    assert all(float(price) < 5 for price in found.locator(".score").all_inner_texts())
    assert f"[{second}]" in ask(page, "the second one")
    cited = page.locator("#talk .theirs").last.locator(".cite")
    cited.click()
    page.wait_for_selector("#similar .item")
    assert f"id {second}" in page.inner_text("#details-body")
    page.keyboard.press("Escape")
    assert "only help" in ask(page, "who won the election?")
    page.get_by_role("button", name="start over").click()
    until(page, lambda: page.locator("#talk .mine").last.inner_text() == "start over")
    page.fill("#search", "household-4")
    page.keyboard.press("Enter")
    until(page, lambda: page.locator("#talk .said").count() == 0)


@pytest.mark.browser
def test_what_is_said_before_an_answer_has_ended_goes_on_with_it(page):
    asked = []
    page.on("request", lambda request: asked.append(request.post_data_json) if "/chat" in request.url else None)
    page.evaluate(
        """() => {
            for (const text of ["dairy under 5", "the second one", "why?"]) {
                document.getElementById("message").value = text;
                document.getElementById("say").requestSubmit();
            }
        }"""
    )
    until(page, lambda: "is there for this reason" in page.locator("#talk .theirs").last.inner_text())
    first, second, third = asked
    assert "conversation_id" not in first
    assert second["conversation_id"] == third["conversation_id"]
    shown = page.locator("#talk .found")
    wanted = shown.nth(0).locator(".item").nth(1).get_attribute("data-item")
    assert f"[{wanted}]" in page.locator("#talk .theirs").last.inner_text()
    assert "…" not in page.locator("#talk .theirs").all_inner_texts()


@pytest.mark.browser
def test_what_is_said_is_shown_as_text(page):
    ask(page, "<img src=x onerror=alert(1)> dairy")
    assert page.locator("#talk .mine").last.inner_text() == "<img src=x onerror=alert(1)> dairy"
    assert page.locator("#talk img").count() == 0


@pytest.mark.browser
def test_an_experiment_is_started_followed_and_stopped(page):
    experiment = page.locator("[data-experiment=ranker]")
    experiment.wait_for()
    assert "draft" in experiment.inner_text()
    page.get_by_label("Start ranker").click()
    page.get_by_label("Stop ranker").wait_for()
    for user in ("household-1", "household-2", "household-4", "household-5", "household-6", "household-7"):
        page.fill("#search", user)
        page.keyboard.press("Enter")
        until(page, lambda user=user: page.inner_text("#title").endswith(user))
        until(page, lambda: page.inner_text("#variant").startswith("variant ranker="))
    page.reload()
    experiment.locator("tbody tr").first.wait_for()
    text = experiment.inner_text()
    assert "this customer has" in text
    assert "sample ratio" in text
    assert experiment.locator("tbody tr").count() == 6
    page.get_by_label("Stop ranker").click()
    page.get_by_label("Start ranker").wait_for()
    assert "stopped" in page.locator("[data-experiment=ranker]").inner_text()
