"""The app at `/device` in a real browser, against a real server that goes away and comes back."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from savor.api.routes.device_page import BUILT
from savor.bundle.edge_manifest import EdgeManifest
from savor.bundle.releases import Releases
from savor_edge import EdgeRecommender
from tests.api.device_bundles import make_device_bundles
from tests.synthetic_bundle import made_shop

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROGRAM = """
import sys
from pathlib import Path
from savor.api.app import create_app
from savor.api.device_options import DeviceOptions
from savor.api.device_releases import DeviceReleases
from savor.api.live import Live
from savor.api.serve import load_engine, run
from savor.online.stores.options import StoreOptions
registry, port, project = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
live = Live.open(StoreOptions(), project)
device = DeviceReleases.open(project / "device", DeviceOptions(follow_seconds=0.05), live.stores)
run(create_app(load_engine(registry, over_states=live.over), live=live, device=device), "127.0.0.1", port)
"""
POOR = """
Object.defineProperty(self, "indexedDB", { get() { throw new DOMException("denied", "SecurityError"); } });
const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = (module, ...rest) =>
  module.byteLength < 60 ? Promise.reject(new Error("no relaxed SIMD")) : instantiate(module, ...rest);
"""
"""What a worker of a browser without storage and without relaxed SIMD begins with."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BUILT / "index.html").is_file(), reason="the app is not built: make device"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs a browser at {CHROMIUM}"),
]


class Shop:
    """A server that can be stopped and started again at the same address, and what it gives to devices."""

    def __init__(self, registry: Path, project: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.project, self.registry = project, registry
        self.releases = Releases(project / "device")

    def start(self):
        command = [sys.executable, "-c", PROGRAM, str(self.registry), str(self.port), str(self.project)]
        self.process = subprocess.Popen(command)
        for _ in range(1200):
            try:
                urlopen(f"{self.address}/ready", timeout=5).close()
            except URLError:
                assert self.process.poll() is None
                time.sleep(0.1)
            else:
                return
        pytest.fail("the server was never ready")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def only(self, bundle):
        """Give this bundle to every device, and no other."""
        for channel in self.releases.channels().values():
            for rollout in channel.rollouts:
                self.releases.withdraw(rollout.release)
        self.releases.release(bundle)

    def events(self):
        with closing(sqlite3.connect(self.project / ".savor" / "live.db")) as database:
            return database.execute("SELECT user_id, kind, item_id FROM events ORDER BY time").fetchall()


@pytest.fixture(scope="module")
def bundles(registry_directory, tmp_path_factory):
    pytest.importorskip("tensorflow", reason="needs TensorFlow to make the models of the devices")
    folder = tmp_path_factory.mktemp("device-bundles") / "made"
    return make_device_bundles(made_shop(tmp_path_factory.getbasetemp()), folder)


@pytest.fixture(scope="module")
def shop(registry_directory, bundles, tmp_path_factory):
    shop = Shop(registry_directory, tmp_path_factory.mktemp("device-app"))
    shop.releases.release(bundles.first)
    shop.start()
    yield shop
    shop.stop()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the playwright package")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def device(browser, shop, bundles):
    """A device that has loaded the app once, with the first bundle; nothing may go wrong on it."""
    shop.only(bundles.first)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    complaints = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened(page, shop)
    yield page
    context.close()
    # A browser says so itself when the server is away.
    assert [one for one in complaints if "net::ERR_" not in one and "404" not in one] == []


def opened(page, shop):
    page.goto(f"{shop.address}/device/")
    page.locator(".card").first.wait_for()


def until(page, condition):
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(50)
    pytest.fail("it never came about")


def shown(page):
    return page.locator(".card").evaluate_all("cards => cards.map(card => card.dataset.item)")


def tap(page, act, place=0):
    """Tap a card, wait for the list that follows, and say which item it was."""
    before = shown(page)
    page.locator(f".card [data-act={act}]").nth(place).click()
    until(page, lambda: before[place] not in shown(page))
    return before[place]


def named(page, word):
    """Whether all cards have a word in their name."""
    return all(word in text for text in page.locator(".card .name").all_inner_texts())


def works_offline(page):
    """Wait until the service worker has kept the whole page."""
    until(page, lambda: page.evaluate("navigator.serviceWorker.controller !== null"))


def at_work(page):
    page.click(".tabs [data-view=device]")
    return page.inner_text("#bundle")


def identifier(folder):
    return EdgeManifest.read(folder).id


def test_it_recommends_without_a_network(device, shop):
    works_offline(device)
    shop.stop()
    try:
        device.context.set_offline(True)
        until(device, lambda: device.inner_text("#network") == "Offline")
        first = shown(device)
        assert len(first) == 24
        had, liked = tap(device, "had"), tap(device, "like", 2)
        second = shown(device)
        assert [item for item in first if item in second] != [item for item in second if item in first]
        assert float(device.get_attribute("#latency", "data-ms")) > 0
        until(device, lambda: "Because you" in device.locator(".card .reason").first.inner_text())
        device.reload()
        device.locator(".card").first.wait_for()
        until(device, lambda: shown(device) == second)
        assert device.locator(".deed").count() == 2
        assert {had, liked}.isdisjoint(shown(device))
        assert device.inner_text("#network") == "Offline"
    finally:
        shop.start()


def test_a_broken_update_is_refused_and_a_good_one_takes_over_without_a_reload(device, shop, bundles):
    device.evaluate("window.sameDocument = true")
    first, listed = identifier(bundles.first), shown(device)
    assert at_work(device) == first

    damaged = identifier(bundles.second)
    entry = EdgeManifest.read(bundles.second).files["model.tflite"]
    shop.releases.release(bundles.second)
    kept = shop.releases.directory / "files" / entry.sha256
    whole = kept.read_bytes()
    kept.write_bytes(bytes(len(whole)))
    for packed in kept.parent.glob(f"{entry.sha256}?*"):
        packed.unlink()
    device.click("#check")
    device.locator("#refused-about").get_by_text(damaged).wait_for()
    assert "Model.tflite is damaged" in device.inner_text("#refused-about")
    assert device.inner_text("#bundle") == first
    assert shown(device) == listed
    shop.releases.withdraw(damaged)
    kept.unlink()

    shop.releases.release(bundles.zeroed)
    device.click("#check")
    device.locator("#refused-about").get_by_text(identifier(bundles.zeroed)).wait_for()
    assert "comes out otherwise here" in device.inner_text("#refused-about")
    assert device.inner_text("#bundle") == first
    item = tap(device, "had")
    device.reload()
    device.locator(".card").first.wait_for()
    assert at_work(device) == first
    assert item not in shown(device)
    shop.releases.withdraw(identifier(bundles.zeroed))

    device.evaluate("window.sameDocument = true")
    before = shown(device)
    better = bundles.second.with_name("better")
    shutil.copytree(bundles.second, better, dirs_exist_ok=True)
    shop.releases.release(renamed(better))
    device.click("#check")
    until(device, lambda: device.inner_text("#bundle") == identifier(better))
    until(device, lambda: shown(device) != before)
    assert item not in shown(device)
    assert device.locator("#refused-about").is_hidden()
    assert device.evaluate("window.sameDocument") is True
    assert device.get_by_label("Also what I bought").is_checked()
    liked = shown(device)[4]
    heart = device.locator(f".card[data-item='{liked}'] [data-act=like]")
    heart.click()
    until(device, lambda: heart.get_attribute("aria-pressed") == "true")
    heart.click()
    until(device, lambda: heart.get_attribute("aria-pressed") == "false")
    device.click("#go-back")
    until(device, lambda: device.inner_text("#bundle") == first)
    until(device, lambda: shown(device) == before)


def renamed(folder):
    """The same bundle under another name, and so with another id."""
    manifest = EdgeManifest.read(folder).model_copy(update={"name": "corner-shop-2"})
    (folder / "edge.json").write_text(json.dumps(manifest.document()))
    return folder


def test_nothing_is_sent_without_consent_and_everything_once_with_it(device, shop):
    lost: list[object] = []

    def lose_the_answer(route):
        """The server gets the first batch, and the device never hears of it."""
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch())
            route.abort()

    before = len(shop.events())
    private = tap(device, "had")
    device.click(".tabs [data-view=device]")
    device.get_by_label("Share what I do").check()
    until(device, lambda: "sent without your name" in device.inner_text("#consent-about"))
    device.context.set_offline(True)
    public = [tap(device, "had"), tap(device, "like"), tap(device, "hide")]
    until(device, lambda: "3 things wait" in device.inner_text("#consent-about"))
    assert len(shop.events()) == before
    device.context.route("**/events", lose_the_answer)
    device.context.set_offline(False)
    until(device, lambda: lost)
    until(device, lambda: len(shop.events()) == before + 3)
    device.click("#check")
    until(device, lambda: "wait" not in device.inner_text("#consent-about"))
    sent = shop.events()[before:]
    assert [(kind, item) for _, kind, item in sent] == list(zip(("purchase", "save", "hide"), public, strict=True))
    assert private not in public
    [user] = {user for user, _, _ in sent}
    assert user.startswith("visitor-")
    assert len(user) == 40


def test_the_order_is_that_of_the_ranker(browser, shop, bundles):
    shop.only(bundles.second)
    context = browser.new_context()
    page = context.new_page()
    opened(page, shop)
    assert at_work(page) == identifier(bundles.second)
    recommender = EdgeRecommender.open(bundles.second)
    answer = recommender.recommend(num_recommendations=24, explain=True)
    assert answer["trace"]["scorer"] == "ranker"
    until(page, lambda: shown(page) == [item["item_id"] for item in answer["recommendations"]])
    places = [item["explanation"]["sources"]["edge_model"]["rank"] for item in answer["recommendations"]]
    assert places != sorted(places)
    context.close()


def test_it_can_be_installed(device):
    works_offline(device)
    session = device.context.new_cdp_session(device)
    assert session.send("Page.getAppManifest")["errors"] == []
    errors = [error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert set(errors) <= {"in-incognito"}  # as every context of the driver is


def test_filters_undo_and_forgetting(device):
    everything = shown(device)
    device.get_by_role("button", name="dairy", exact=True).click()
    until(device, lambda: shown(device) != everything)
    assert named(device, "Dairy")
    device.get_by_role("button", name="dairy", exact=True).click()
    until(device, lambda: shown(device) == everything)
    device.locator("#price-limit").fill("40")
    until(device, lambda: shown(device) != everything)
    most = float(device.inner_text("#price-shown"))
    assert all(float(text.split()[0]) <= most for text in device.locator(".card .price").all_inner_texts())
    device.locator("#price-limit").fill("100")
    device.fill("#words", "kery ITEM 8")
    until(device, lambda: device.locator(".card .name").all_inner_texts() != [] and named(device, "Bakery"))
    assert named(device, "item")
    device.fill("#words", "no such thing")
    device.get_by_text("Nothing passes these filters.").wait_for()
    device.fill("#words", "")
    until(device, lambda: shown(device) == everything)
    had = tap(device, "had", 3)
    assert device.locator(".deed").count() == 1
    device.click("#undo")
    until(device, lambda: shown(device) == everything)
    tap(device, "had", 3)
    device.get_by_label("Also what I bought").check()
    until(device, lambda: had in shown(device))
    until(device, lambda: "you bought this once" in device.locator(f"[data-item='{had}'] .reason").inner_text().lower())
    device.click("#forget-all")
    device.get_by_role("button", name="Forget everything").click()
    until(device, lambda: device.locator(".deed").count() == 0)
    until(device, lambda: shown(device) == everything)


def test_two_tabs_know_of_each_other(device, shop):
    other = device.context.new_page()
    opened(other, shop)
    item = tap(device, "had", 5)
    until(other, lambda: item not in shown(other))
    assert shown(other) == shown(device)
    other.get_by_label("Delete:").click()
    until(device, lambda: item in shown(device))


def test_what_a_person_says_of_themselves_counts_at_once(device):
    before = shown(device)
    device.click(".tabs [data-view=profile]")
    device.get_by_label("age").select_option("50-60")
    until(device, lambda: shown(device) != before)
    device.reload()
    device.click(".tabs [data-view=profile]")
    until(device, lambda: device.get_by_label("age").input_value() == "50-60")


def test_a_phone_in_the_dark(browser, shop):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    page = context.new_page()
    opened(page, shop)
    for view in ("list", "history", "profile", "device"):
        page.click(f".tabs [data-view={view}]")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shown_views = page.locator(".view:visible").evaluate_all("views => views.map(view => view.dataset.name)")
        assert shown_views == [view]
    page.click(".tabs [data-view=list]")
    small = page.evaluate(
        "[...document.querySelectorAll('.card button')].filter(one => one.getBoundingClientRect().height < 40).length"
    )
    assert small == 0
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select')]"
        ".filter(one => !(one.innerText?.trim() || one.textContent.trim() || one.ariaLabel || one.labels?.length))"
        ".map(one => one.outerHTML)"
    )
    assert unnamed == []
    context.close()


def test_it_says_what_the_browser_lacks(browser, shop):
    context = browser.new_context()
    context.add_init_script("delete globalThis.WebAssembly")
    page = context.new_page()
    page.goto(f"{shop.address}/device/")
    page.get_by_text("it has no WebAssembly").wait_for()
    context.close()

    def poorer(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=POOR + answer.text())

    context = browser.new_context(service_workers="block")
    context.route("**/assets/worker-*.js", poorer)
    page = context.new_page()
    opened(page, shop)
    tap(page, "had")
    assert "forgotten when the page is closed" in page.inner_text("#history-about")
    assert page.locator(".deed").count() == 1
    assert "relaxed SIMD" not in page.inner_text("#facts")
    page.locator("#facts").get_by_text("this browser keeps no pages").wait_for(state="attached")
    context.close()


def test_a_server_that_asks_for_a_key_gets_the_one_that_is_typed(browser, shop):
    shown_keys = []

    def guarded(route):
        shown_keys.append(route.request.headers.get("authorization"))
        if shown_keys[-1] == "Bearer savor_right":
            route.continue_()
        else:
            problem = {"status": 401, "code": "key_missing", "detail": "show an API key"}
            route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(problem))

    context = browser.new_context()
    context.route("**/device/channels/**", guarded)
    context.route("**/device/files/**", guarded)
    page = context.new_page()
    page.goto(f"{shop.address}/device/")
    for key in ("savor_wrong", " savor_right "):
        page.locator("#key").wait_for()
        page.fill("#key-text", key)
        page.get_by_role("button", name="Use it").click()
    page.locator(".card").first.wait_for()
    assert {None, "Bearer savor_wrong", "Bearer savor_right"} == set(shown_keys)
    page.reload()
    page.locator(".card").first.wait_for()
    assert not page.locator("#key").is_visible()
    context.close()


def test_without_a_release_it_says_so(browser, shop):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{shop.address}/device/?channel=empty")
    page.get_by_text("There is nothing to recommend from yet").wait_for()
    context.close()
