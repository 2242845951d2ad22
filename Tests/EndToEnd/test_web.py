"""The web app in Chromium, as a newcomer walks through it: service, trace, logs, flame graph, and the pages beside.

With APUS_SCREENSHOTS set, the pages are kept in docs/images/.
"""

import os
import re
import shutil

import pytest

from stack import ROOT, Apus, eventually

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

RANGE = "from=now-5m"
IMAGES = ROOT / "docs/images"


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "chromium is missing: scripts/setup.sh test installs it"
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium)
        yield running
        running.close()


@pytest.fixture
def open_page(browser):
    """Opens pages, and holds against the app every error of its console and every refusal of its security policy."""
    problems, contexts = [], []

    def open_(address, scheme="light", expected=None, **options):
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1440, "height": 900}, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()

        def heard(message):
            if message.type == "error" and not (expected and re.search(expected, message.text)):
                problems.append(f"{page.url}: {message.text}")

        page.on("console", heard)
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


def keep(page, name):
    """A picture of the page for the documentation, once its charts are drawn."""
    if not os.environ.get("APUS_SCREENSHOTS"):
        return
    expect(page.get_by_role("progressbar", name="Loading")).to_have_count(0)
    expect(page.locator(".skeleton")).to_have_count(0)
    page.wait_for_timeout(400)
    IMAGES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=IMAGES / f"{name}.png")


def test_from_service_to_trace_to_logs_to_flame_graph(open_page, apus_url):
    page = open_page(f"{apus_url}/?{RANGE}")
    row = page.get_by_test_id("service-orders")
    expect(row).to_contain_text("/s")
    for signal in ("Metrics", "Logs", "Traces", "Profiles"):
        expect(row.get_by_label(f"{signal} of orders")).to_be_visible()
    expect(page.get_by_test_id("service-recommendations")).to_be_visible()
    keep(page, "services")

    row.get_by_role("link", name="orders", exact=True).click()
    expect(page.get_by_role("heading", name="orders", exact=True)).to_be_visible()
    for panel in ("latency", "heatmap", "status", "routes", "database", "queries", "goroutines", "memory", "cpu"):
        expect(page.get_by_test_id(f"panel-{panel}").locator("canvas")).to_have_count(1)
    expect(page.get_by_test_id("panel-latency")).to_contain_text("p99")
    expect(page.get_by_test_id("panel-status")).to_contain_text("200")
    keep(page, "service")

    page.get_by_test_id("to-failed-traces").click()
    expect(page.get_by_label("status")).to_have_value("error")
    page.get_by_test_id("traces").get_by_role("row").nth(1).click()
    spans = page.get_by_role("treeitem")
    expect(spans.first).to_be_visible()
    trace_id = re.search(r"/trace/([0-9a-f]{32})", page.url)[1]
    span = page.get_by_role("treeitem", name=re.compile(r"^orders .*error")).first
    span.click()
    details = page.get_by_test_id("span-details")
    expect(details).to_contain_text("service.name")
    expect(details).to_contain_text(trace_id)
    keep(page, "trace")

    details.get_by_test_id("span-logs").click()
    line = page.get_by_test_id("log-lines").get_by_role("listitem").first
    expect(line).to_be_visible()
    line.get_by_role("button").first.click()
    expect(line).to_contain_text(trace_id)
    line.get_by_test_id("to-trace").click()
    expect(page).to_have_url(re.compile(trace_id))

    page.get_by_role("treeitem", name=re.compile("^orders ")).first.click()
    page.get_by_test_id("span-profile").click()
    flame = page.get_by_test_id("flame-graph")
    expect(flame).to_be_visible()
    functions = page.get_by_test_id("functions").get_by_role("row")
    expect(functions.nth(1)).to_be_visible()
    keep(page, "profile")
    flame.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Whole profile")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Whole profile")).to_have_count(0)


def test_a_trace_crosses_the_languages(open_page, apus_url, shop):
    query = '{ resource.service.name = "recommendations" && kind = server }'
    found = eventually(lambda: shop.apus.traces(q=query, limit=5), 30, what="a trace through both services")
    page = open_page(f"{apus_url}/trace/{found[0]['traceID']}")
    for service in ("orders", "recommendations"):
        expect(page.get_by_role("treeitem", name=re.compile(f"^{service} ")).first).to_be_visible()
    before = page.get_by_role("treeitem").count()
    page.get_by_role("button", name="Fold all", exact=True).click()
    eventually(lambda: page.get_by_role("treeitem").count() < before, 5, what="folded spans")


def test_logs(open_page, apus_url):
    page = open_page(f"{apus_url}/logs?{RANGE}")
    lines = page.get_by_test_id("log-lines").get_by_role("listitem")
    expect(lines.first).to_be_visible()
    expect(page.get_by_test_id("log-histogram")).to_contain_text("info")
    keep(page, "logs")
    page.get_by_label("Lines that contain").fill("payment failed")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("payment"))
    expect(lines.first).to_contain_text("payment failed")
    page.reload()
    expect(lines.first).to_contain_text("payment failed")


def test_alerts_and_status(open_page, apus_url):
    page = open_page(f"{apus_url}/alerts?{RANGE}")
    alert = page.get_by_test_id("alert").filter(has_text="TargetDown").first
    expect(alert).to_contain_text("nobody", timeout=30_000)
    keep(page, "alerts")
    alert.get_by_role("link", name="Expression of TargetDown in Explore").click()
    expect(page.get_by_test_id("answer")).to_be_visible()
    page.goto(f"{apus_url}/status")
    expect(page.get_by_test_id("targets")).to_contain_text("nobody")
    expect(page.get_by_test_id("store")).to_contain_text("Metrics")


@pytest.mark.parametrize(("language", "query"), [
    ("promql", "sum by (status) (rate(http_request_duration_seconds_count[1m]))"),
    ("logql", 'sum by (level) (count_over_time({job="shop"} | json [30s]))'),
    ("traceql", '{ resource.service.name = "orders" && duration > 1ms }')])
def test_explore_runs_every_language(open_page, apus_url, language, query):
    page = open_page(f"{apus_url}/explore?{RANGE}&lang={language}")
    editor = page.locator(".cm-content")
    editor.click()
    page.keyboard.insert_text(query)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("answer")).to_be_visible()
    expect(page.get_by_test_id("answer").locator("canvas, tbody tr").first).to_be_visible()
    if language == "promql":
        keep(page, "explore")
        page.get_by_role("tab", name="Table").click()
        expect(page.get_by_test_id("result-table").get_by_role("row").nth(1)).to_be_visible()


def test_a_bad_query_shows_where_it_is_bad(open_page, apus_url):
    page = open_page(f"{apus_url}/explore?lang=promql&q=sum(up)%20%2B%2B%20%29", expected="400")
    expect(page.get_by_role("alert")).to_contain_text("parse error")
    expect(page.get_by_role("alert").get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator(".cm-problem")).to_be_visible()


def test_completion_knows_the_metrics(open_page, apus_url):
    page = open_page(f"{apus_url}/explore?lang=promql")
    page.locator(".cm-content").click()
    page.keyboard.type("go_gorou")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("go_goroutines")


def test_the_keyboard_is_enough(open_page, apus_url):
    page = open_page(f"{apus_url}/services?{RANGE}")
    expect(page.get_by_test_id("service-orders")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile(r"/logs\?.*from=now-5m"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_test_id("service-orders")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("recomm")
    expect(page.get_by_test_id("service-orders")).to_have_count(0)
    page.get_by_test_id("time-range").press("Enter")
    page.get_by_role("menuitemradio", name="Last 15 minutes").press("Enter")
    expect(page).to_have_url(re.compile("from=now-15m"))


def test_dark(open_page, apus_url):
    page = open_page(f"{apus_url}/service/orders?{RANGE}", scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_test_id("panel-latency").locator("canvas")).to_have_count(1)
    keep(page, "service-dark")
    page.get_by_role("button", name="Light colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_panels_can_be_moved_and_stay(open_page, apus_url):
    page = open_page(f"{apus_url}/service/orders?{RANGE}")
    cell = page.locator('[gs-id="latency"]')
    expect(cell.locator("canvas")).to_have_count(1)
    before = cell.get_attribute("gs-x")
    header = cell.locator("header").bounding_box()
    page.mouse.move(header["x"] + 60, header["y"] + 12)
    page.mouse.down()
    page.mouse.move(header["x"] + 400, header["y"] + 30, steps=8)
    page.mouse.move(header["x"] + 720, header["y"] + 40, steps=8)
    page.mouse.up()
    eventually(lambda: cell.get_attribute("gs-x") != before, 5, what="the panel moved")
    moved = cell.get_attribute("gs-x")
    page.reload()
    expect(page.locator('[gs-id="latency"]')).to_have_attribute("gs-x", moved)


def test_an_empty_apus_says_what_to_do_and_a_closed_one_asks_for_a_token(open_page, tmp_path):
    token = "query-0123456789abcdef"
    apus = Apus(tmp_path / "apus", config=f"tokens:\n  - {{name: reader, token: {token}, scopes: [query]}}\n")
    apus.start()
    try:
        page = open_page(f"{apus.base}/", expected="401")
        dialog = page.get_by_role("dialog", name="Sign in to Apus")
        dialog.get_by_label("Token").fill("nonsense")
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog.get_by_role("alert")).to_be_visible()
        dialog.get_by_label("Token").fill(token)
        dialog.get_by_role("button", name="Sign in").click()
        expect(dialog).to_have_count(0)
        for path, words in (("/", "OTEL_EXPORTER_OTLP_ENDPOINT"), ("/logs", "apus.yaml"), ("/traces", "OTEL_EXPORTER_OTLP_ENDPOINT"),
                            ("/profiles", "profiles:"), ("/alerts", "rule_files"), ("/status", "scrape_configs")):
            page.goto(apus.base + path)
            expect(page.get_by_test_id("empty").first).to_be_visible()
            expect(page.locator("main")).to_contain_text(words)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("dialog", name="Sign in to Apus")).to_be_visible()
    finally:
        apus.stop()
