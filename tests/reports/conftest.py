"""A browser for pages: Chromium as the system has it, driven by playwright, which downloads nothing here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import archscope


class Opened:
    """A page in a browser, and what it complained about or asked of the network."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))

    def ask(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def until(self, script: str) -> None:
        """Waits for it. Playwright's own wait evaluates text in the page, which the page forbids."""
        for _ in range(200):
            if self.ask(script):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not so within 10 s: {script}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Containers let root have no sandbox; the pages are ours.
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def show(browser: Any, path: Path, *, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Opened:
    """Opens a file, without a network, and waits until everything is drawn."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, java_script_enabled=scripts,
        has_touch=width < 600, is_mobile=width < 600, reduced_motion="reduce",
    )  # fmt: skip
    found = Opened(context.new_page())
    found.page.goto(path.as_uri())
    if scripts:
        found.page.wait_for_selector("html[data-ready]", timeout=120_000)
    return found


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Opened]]:
    """A way to open files; what it opened is closed again."""
    pages: list[Opened] = []

    def open_(path: Path, **how: Any) -> Opened:
        pages.append(show(browser, path, **how))
        return pages[-1]

    yield open_
    for each in pages:
        each.page.context.close()


@pytest.fixture(scope="session")
def shown(browser: Any, report: Path) -> Opened:
    """The report, for tests that look and touch nothing."""
    return show(browser, report)


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two networks and a sweep, as the command makes it."""
    return _written(tmp_path_factory.mktemp("report"), ["vgg16", "googlenet"])


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with all that a report may have, refuted cells and a sweep as well, of networks with few layers."""
    return _written(tmp_path_factory.mktemp("small"), ["alexnet", "lenet_tutorial"])


def _written(folder: Path, networks: list[str]) -> Path:
    pytest.importorskip("jinja2", reason="needs the extra report")
    pytest.importorskip("plotly", reason="needs the extra report")
    sweep = folder / "sweep.csv"
    sweep.write_text(SWEEP, encoding="utf-8")
    path = folder / "report.html"
    path.write_text(archscope.report(networks, sweeps=[sweep]), encoding="utf-8", newline="\n")
    return path


SWEEP = """network,width,params,macs,activations
vgg16,0.5,75942792,3930587136,7548136
vgg16,1,138357544,15470264320,15087080
googlenet,1,6998552,1582671872,5881240
"""
