"""Which run a map page shows, and that filters and months lead to the right one."""

from gridgis.cli.layers import ALWAYS, make_grid
from gridgis.model.period import Period
from gridgis.services.monitor import measure_density


def choose(seen, field, value):
    """Choose an entry of the filter form and wait for the answer."""
    seen.page.locator(f"#f-{field}").select_option(value)
    seen.wait(f"() => new URLSearchParams(location.search).get('{field}') === '{value}'")
    seen.idle()


def measure(own, month):
    """Measure a month of the toy city and return the number of the run."""
    period = Period.month(month, "Europe/Helsinki")
    return measure_density(own.context, period=period).run_id


def test_another_month_leaves_the_run_for_good(own, visit):
    """A month chosen on a linked run drops it; coming back shows the newest, not the linked one."""
    first = own.get("/api/v1/density", level="city")["run"]["id"]
    measure(own, "2024-04")
    newest = measure(own, "2024-03")
    seen = visit(own.base).open(f"/map?month=2024-03&run={first}")
    choose(seen, "month", "2024-04")
    assert "run=" not in seen.page.url
    choose(seen, "month", "2024-03")
    assert "run=" not in seen.page.url
    assert seen.page.evaluate("() => window.gridgis.state.run") == newest


def test_back_over_months_keeps_the_form_in_step(own, visit):
    """Back to the linked run, its form carries that run again."""
    first = own.get("/api/v1/density", level="city")["run"]["id"]
    measure(own, "2024-04")
    measure(own, "2024-03")
    seen = visit(own.base).open(f"/map?month=2024-03&run={first}")
    choose(seen, "month", "2024-04")
    seen.page.go_back()
    seen.wait(f"() => window.gridgis.state.run === {first}")
    choose(seen, "source", "wechat")
    assert f"run={first}" in seen.page.url
    assert seen.page.evaluate("() => window.gridgis.state.run") == first


def test_legend_says_the_size_of_the_cells_of_the_run(own):
    """Squares of another size than the profile's: the run counted in those."""
    profile = own.context.profile()
    make_grid(own.context, profile, size_m=200, within=profile.cells_within, validity=ALWAYS)
    run = measure(own, "2024-03")
    html = own.client.get("/map", params={"run": run, "lang": "zh-CN"}).text
    assert "件/200米格" in html
    assert "件/100米格" not in html
