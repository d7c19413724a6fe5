from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import mockzoom.pytest_plugin


def test_each_test_gets_a_fresh_mock(pytester):
    """The server is the session's, what happened in it is the test's."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_nothing_is_left(mockzoom, mockzoom_server, number):
            assert mockzoom is mockzoom_server
            assert mockzoom.journal() == []
            assert mockzoom.worlds == ["default"]
            mockzoom.world("beside").meeting()
            meeting = mockzoom.meeting(participants=["Alice"])
            meeting.say("Alice", "Hello.")
            assert [entry["kind"] for entry in mockzoom.journal()] == ["speech"]
            mockzoom.check()
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_server_of_ones_own(pytester):
    """Who defines `mockzoom_server` decides how it is started."""
    pytester.makeconftest(
        """
        import pytest
        from mockzoom import MockZoom

        @pytest.fixture(scope="session")
        def mockzoom_server():
            with MockZoom(tls=True, seed=1) as server:
                yield server
        """
    )
    pytester.makepyfile(
        """
        def test_it(mockzoom):
            assert mockzoom.rtms_url.startswith("wss://localhost:")
            assert mockzoom.seed == 1
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_fixtures_are_documented(pytester):
    """`pytest --fixtures` says what they are."""
    told = pytester.runpytest_inprocess("--fixtures", "-q").stdout
    told.fnmatch_lines(["mockzoom_server*session scope*", "mockzoom -- *"])


def test_it_costs_nothing_until_it_is_used():
    """Every run of pytest loads the plugin, so it loads nothing of the mock itself."""
    script = "import sys, mockzoom.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"mockzoom.server", "aiohttp", "flask", "numpy"} & set(loaded.stdout.split())


def test_it_is_a_plugin_wherever_the_package_is_installed():
    """The entry point that pytest looks for leads to the fixtures."""
    [entry] = entry_points(group="pytest11", name="mockzoom")
    assert entry.load() is mockzoom.pytest_plugin
