"""Opens a report in Chromium and uses it as a person would: click_report.py REPORT TITLE.

Debian: chromium, chromium-driver, python3-selenium.
"""

import re
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def start_browser():
    options = Options()
    # As root in a container there is neither a sandbox nor much shared memory.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--window-size=1200,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def complaints_of(browser):
    """What the browser logged, but for its advice about reading pixels, which only this program does."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["source"] != "rendering"]


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        browser.get("file://" + path)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def range(self, name):
        """First and last byte that a map shows."""
        first, last = re.match(r"0x([0-9a-f]+) . 0x([0-9a-f]+) ", self.one(f"#{name}-map .range").text).groups()
        return int(first, 16), int(last, 16)

    def details(self, name):
        return self.one(f"#{name}-map .details").text

    def colours(self, name):
        return set(self.run(
            """const canvas = document.querySelector(arguments[0]);
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = {};
            for (let i = 0; i < data.length; i += 4) {
              if (data[i + 3] === 0) continue;
              const key = data.slice(i, i + 4).join(); seen[key] = (seen[key] || 0) + 1;
            }
            return Object.keys(seen).filter((key) => seen[key] > 30);""", f"#{name}-map canvas.cells"))


def is_what_the_image_says_and_nothing_else(page, title):
    assert page.one("h1").text == title, page.one("h1").text
    assert page.run("return document.title") == title + " - cowvet report"
    assert page.run("return performance.getEntriesByType('resource').length") == 0
    assert page.all("img, iframe, object, embed, link, form, base") == []
    assert len(page.all("script")) == 2
    # Text that would have run is there to be read.
    assert "<script>" in page.run("return document.querySelector('#structure').textContent")
    assert page.run("return window.hacked") is None


def lets_nothing_foreign_run(page):
    page.run("document.body.appendChild(document.createElement('script')).textContent = 'window.hacked = 1'")
    page.run("document.body.insertAdjacentHTML('beforeend', '<i onclick=\"window.hacked = 2\" id=evil>x</i>');"
             "document.getElementById('evil').click(); document.getElementById('evil').remove()")
    assert page.run("return window.hacked") is None
    refused = complaints_of(page.browser)
    assert len(refused) == 2 and all("Content Security Policy" in message for message in refused), refused


def shows_the_place_of_a_finding(page):
    link = page.one('.findings a.place[data-map="file"]')
    offset = int(link.get_attribute("data-offset"))
    before = page.range("file")
    link.click()
    first, last = page.range("file")
    assert first <= offset <= last and last - first < before[1] - before[0]
    assert page.run("return document.activeElement.className") == "cells"
    rule = page.run("return arguments[0].closest('.rule').querySelector('h3').firstChild.textContent.trim()", link)
    assert rule in page.details("file"), page.details("file")
    # And back from the map to the finding.
    page.one("#file-map .details a").click()
    assert page.run("return document.querySelector('.findings li:target') !== null")


def shows_a_range_of_the_disk(page):
    link = page.one('.findings a.place[data-map="disk"]')
    page.run("arguments[0].scrollIntoView()", link)
    link.click()
    first, last = page.range("disk")
    assert first <= int(link.get_attribute("data-offset")) <= last


def can_be_used_by_keyboard(page):
    canvas = page.one("#file-map canvas.cells")
    canvas.send_keys(Keys.HOME)
    whole = page.range("file")
    assert whole[0] == 0 and not page.one("#file-map .bar button:nth-child(2)").is_enabled()
    canvas.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN, Keys.ARROW_LEFT, Keys.ARROW_UP)
    assert "header" in page.details("file"), page.details("file")
    canvas.send_keys(Keys.ENTER)
    nearer = page.range("file")
    assert nearer[0] == 0 and nearer[1] < whole[1]
    canvas.send_keys("+")
    assert page.range("file")[1] < nearer[1]
    canvas.send_keys("-", "-")
    assert page.range("file") == whole


def can_be_used_by_mouse(page):
    canvas = page.one("#disk-map canvas.cells")
    page.one("#disk-map .bar button:nth-child(3)").click()
    whole = page.range("disk")
    width = canvas.size["width"]
    ActionChains(page.browser).move_to_element_with_offset(canvas, -width // 4, 0).click_and_hold() \
        .move_by_offset(width // 4, 0).release().perform()
    dragged = page.range("disk")
    assert dragged[1] - dragged[0] < whole[1] - whole[0]
    page.one("#disk-map .bar button:nth-child(5)").click()
    assert page.range("disk")[0] > dragged[0]
    page.one("#disk-map .bar button:nth-child(2)").click()
    page.one("#disk-map .bar button:nth-child(3)").click()
    assert page.range("disk") == whole
    summary = page.one("#structure summary")
    summary.click()
    assert page.one("#structure details").get_attribute("open") is not None


def has_colours_for_light_and_dark(page):
    light = page.colours("file")
    assert len(light) >= 3, light
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                 {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    page.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.colours("file") and not light & page.colours("file")


def fits_on_a_telephone(page):
    page.browser.set_window_size(500, 900)
    page.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def main():
    browser = start_browser()
    try:
        page = Page(browser, sys.argv[1])
        assert complaints_of(browser) == []
        is_what_the_image_says_and_nothing_else(page, sys.argv[2])
        shows_the_place_of_a_finding(page)
        shows_a_range_of_the_disk(page)
        can_be_used_by_keyboard(page)
        can_be_used_by_mouse(page)
        has_colours_for_light_and_dark(page)
        fits_on_a_telephone(page)
        assert complaints_of(browser) == []
        lets_nothing_foreign_run(page)
    finally:
        browser.quit()


main()
