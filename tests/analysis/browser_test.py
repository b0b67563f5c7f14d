"""The page of a sweep in a real browser, headless Chromium: the filter hides rows, charts are drawn, nothing breaks out.

Skipped (exit 77) where there is no Chromium; tests/run.sh installs it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from html.parser import HTMLParser

from matplotlib import image

from support import ScratchTest, call_script
from sweep_store import SUMMARY, write_store
from synthetic_run import adaptive_layer, write_run

from analysis import report

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
SIZE = (1300, 2200)


class Document(HTMLParser):
    """The document as the browser has it: rows that are shown, texts and numbers of elements by id."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.counts, self.path = [], {}, []
        self.texts = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "tr" and "data-run" in attributes and "hidden" not in attributes:
            self.rows.append(int(attributes["data-run"]))
        if "id" in attributes:
            self.path = [*self.path, attributes["id"]]
            self.texts[attributes["id"]] = ""
        for place in self.path[-1:]:
            self.counts[place, tag] = self.counts.get((place, tag), 0) + 1

    def handle_data(self, data):
        for place in self.path[-1:]:
            self.texts[place] += data


class BrowserTest(ScratchTest):
    """A test of the report in the folder "out"."""

    def browse(self, *options, address="", script="", size=SIZE):
        """What the browser prints about the page, opened at #address, with `script` run after its own."""
        with open(self.path("out", "report.html"), encoding="utf-8") as stream:
            page = stream.read()
        with open(self.path("page.html"), "w", encoding="utf-8") as stream:
            stream.write(page.replace("</main>", f"<script>{{{script}}}</script></main>"))
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                   f"--user-data-dir={self.path('profile')}", "--virtual-time-budget=5000", "--enable-logging=stderr",
                   f"--window-size={size[0]},{size[1]}", *options, f"file://{self.path('page.html')}{address}"]  # fmt: skip
        outcome = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False,
                                 env={**os.environ, "HOME": self.folder})
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        for complaint in ("Uncaught", "Refused to", "ERR_"):
            self.assertNotIn(complaint, outcome.stderr)
        return outcome.stdout

    def numbers(self, script, **where):
        """The list of numbers that `script`, the body of a function, returns in the browser."""
        text = self.browse("--dump-dom", script=f"document.title = JSON.stringify((() => {{{script}}})());", **where)
        return json.loads(re.search("<title>(.*?)</title>", text)[1])


SCROLLED = """
  const box = document.querySelector(".scroll"), table = box.querySelector("table");
  box.scrollLeft = box.scrollWidth;
  const place = (cell) => cell.getBoundingClientRect(), rows = [...table.rows].map((row) => row.cells);
  const onTop = (cell) => document.elementFromPoint(place(cell).left + 3, place(cell).top + 3) === cell;
  return [document.documentElement.scrollWidth, place(table).width > place(box).width, place(box).left,
          rows.every((cells) => place(cells[0]).left === place(box).left && onTop(cells[0])),
          rows.every((cells) => place(cells[cells.length - 1]).right <= place(box).right + 1)];"""


class WideTable(BrowserTest):
    def check(self, size):
        """Scrolled to its end, the first table shows its last column beside the first one, and the page is no wider than the
        window."""
        page_width, overflows, _, first_stays, last_is_shown = self.numbers(SCROLLED, size=size)
        self.assertEqual((page_width, overflows, first_stays, last_is_shown), (size[0], True, True, True))

    def test_summary(self):
        layers = {"conv": (1000, 100, adaptive_layer(30, 1))}
        runs = [write_run(self.path(name), layers, steps=30, policy=policy, summary=SUMMARY)
                for name, policy in (("resnet20_adapt", "adapt"), ("float32 " + "long_name_" * 20, "float32"))]  # fmt: skip
        call_script(report, *runs, "--out", self.path("out"))
        self.check((1300, 1000))
        self.check((700, 1000))

    def test_sweep(self):
        write_store(self.path("store"))
        call_script(report, self.path("store"), "--out", self.path("out"))
        self.check((700, 1000))


class Page(BrowserTest):
    def setUp(self):
        super().setUp()
        self.names = write_store(self.path("store"))
        call_script(report, self.path("store"), "--out", self.path("out"))

    def document(self, **where):
        return Document(self.browse("--dump-dom", **where))

    def test_all_runs_are_shown_and_drawn(self):
        text = self.browse("--dump-dom")
        document = Document(text)
        self.assertEqual(document.rows, list(range(9)))
        self.assertIn("9 of 9 runs", document.texts["count"])
        self.assertEqual(document.counts["accuracy-curves", "path"], 6)  # two have one epoch, a dot; one has none
        self.assertEqual(document.counts["accuracy-curves", "circle"], 2)
        self.assertEqual(document.counts["time-scatter", "circle"], 8)
        self.assertEqual(document.counts["cost-scatter", "circle"], 6)
        self.assertEqual(document.counts["maps", "canvas"], 3)
        self.assertIn("<title>adapt: store, 9 runs</title>", text, "no name or value was run as a script")
        self.assertNotIn("<img", text)

    def test_address_filters(self):
        document = self.document(address="#where=precision.policy%3Dadapt;state%3Ddone")
        self.assertEqual(document.rows, [0, 1, 2])
        self.assertEqual(document.counts["accuracy-curves", "path"], 3)
        self.assertIn("3 of 9 runs", document.texts["count"])

    def test_choosing_typing_sorting(self):
        script = """
          const choice = document.querySelector('select[data-key="precision.policy"]');
          choice.value = "float32"; choice.dispatchEvent(new Event("change"));
          const find = document.getElementById("find");
          find.value = "73"; find.dispatchEvent(new Event("input"));
          document.title = location.hash;"""
        document = self.document(script=script)
        self.assertEqual(document.rows, [])  # 70, 71, 72 %: no row holds 73
        text = self.browse("--dump-dom", script=script.replace("73", "71.00"))
        self.assertEqual(Document(text).rows, [4])
        self.assertIn("<title>#where=precision.policy%3Dfloat32&amp;find=71.00</title>", text)
        click = """[...document.querySelectorAll("#runs th")].find((head) => head.textContent.startsWith("test acc")).click();"""
        self.assertEqual(self.document(script=click).rows[:6], [5, 4, 3, 2, 1, 0])

    def test_a_run_shows_its_configuration(self):
        text = self.browse("--dump-dom", address=f"#run={self.names[8]}")
        details = re.search(r'<section id="details">.*?</section>', text, re.S)[0]
        self.assertIn("<td>precision.policy</td><td class=\"text\">fixed</td>", details)
        self.assertIn("exit code 1: &lt;/script&gt;&lt;img src=x", details)

    def test_picture(self):
        self.browse(f"--screenshot={self.path('page.png')}")
        pixels = image.imread(self.path("page.png"))
        self.assertEqual(pixels.shape[:2], SIZE[::-1])
        colours = {tuple(round(255 * float(value)) for value in pixel[:3]) for pixel in pixels.reshape(-1, pixels.shape[2])[::7]}
        for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):  # of the two policies
            self.assertTrue(any(max(abs(a - b) for a, b in zip(colour, found)) < 60 for found in colours), colour)
        self.assertGreater(len(colours), 50)


if __name__ == "__main__":
    if not BROWSER:
        print("skipped: Chromium is not installed (Debian: apt-get install chromium-headless-shell)")
        sys.exit(77)
    unittest.main()
