"""Each report says everything, in its own format, whatever came from a receiver."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console
from sample_report import HOSTILE, VERDICTS, report

from mockzoom.judge.report import Report
from mockzoom.judge.reports.github import github_annotations
from mockzoom.judge.reports.html_page import html_page
from mockzoom.judge.reports.json_report import json_report
from mockzoom.judge.reports.junit import junit
from mockzoom.judge.reports.sarif import sarif
from mockzoom.judge.reports.terminal import discovered, summary
from mockzoom.resources import spec_path

SAMPLE = report()


def terminal(told: Report) -> str:
    out = io.StringIO()
    Console(file=out, width=100, soft_wrap=True).print(summary(told))
    return out.getvalue()


WRITERS = {
    "html": html_page,
    "json": json_report,
    "junit": junit,
    "sarif": sarif,
    "github": github_annotations,
    "terminal": terminal,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_no_report_holds_a_secret_or_changes(write) -> None:
    """The credentials of the assignment are in none, and the same report gives the same text."""
    text = write(SAMPLE)
    assert "a-client-secret" not in text
    assert "a-secret-token" not in text
    assert write(report()) == text


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_failure_is_told_with_how_to_run_it_again(write) -> None:
    """Id, case, expectation and promise of what failed are in each."""
    text = write(SAMPLE)
    for part in ("WH-201", "no headers", "a refusal", "What WH-201 promises."):
        assert part in text
    if write is not sarif:
        again = "--select 'WH-201[no headers]' --without chat --seed 7"
        assert again in text.replace("&#x27;", "'")


# --- JSON ---


def test_json_keeps_its_schema() -> None:
    """The document in spec/ describes it, and every case is there."""
    schema = json.loads(spec_path("verify-report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    told = json.loads(json_report(SAMPLE))
    Draft202012Validator(schema).validate(told)
    keys = [case["key"] for row in told["contracts"] for case in row["cases"]]
    assert keys == [verdict.key for verdict in VERDICTS]
    assert (told["ok"], told["exit_code"]) == (False, 1)
    assert told["counts"] == {
        "passed": 1,
        "failed": 2,
        "known failure": 1,
        "declared not done": 1,
        "not tested": 1,
        "error": 1,
    }
    assert told["contracts"][0]["cases"][1]["failure"]["found"] == f"status 200: {HOSTILE}"


# --- JUnit ---


def test_junit_is_well_formed_and_counts_right() -> None:
    """Control characters do not break it, and its numbers are those of its elements."""
    root = ElementTree.fromstring(junit(SAMPLE))
    assert root.tag == "testsuites"
    cases = root.findall("testsuite/testcase")
    assert [case.get("classname") for case in cases] == [v.contract.id for v in VERDICTS]
    for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(root.findall(f".//{tag}")) == int(root.get(attribute, "-1"))
    assert root.get("tests") == str(len(VERDICTS))
    assert "<script>alert(1)</script>" in (root.findtext(".//failure") or "")


# --- SARIF ---


def test_sarif_has_its_shape() -> None:
    """A rule a contract, a result a failure with a level and a place, known ones suppressed."""
    told = json.loads(sarif(SAMPLE))
    assert told["version"] == "2.1.0"
    [run] = told["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["WH-201", "WH-207", "WH-305", "ACME-001"]
    levels = [rule["defaultConfiguration"]["level"] for rule in run["tool"]["driver"]["rules"]]
    assert levels == ["error", "warning", "note", "error"]
    assert [result["ruleId"] for result in run["results"]] == ["WH-201", "WH-305", "WH-305"]
    assert ["suppressions" in result for result in run["results"]] == [False, False, True]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "contracts/test_x.py"
        assert place["region"]["startLine"] == 12
    assert run["invocations"] == [{"executionSuccessful": False}]


# --- GitHub ---


def test_annotations_are_a_line_each() -> None:
    """No answer of a receiver can write a workflow command of its own."""
    lines = github_annotations(SAMPLE).strip("\n").split("\n")
    assert [line.split(" ")[0] for line in lines] == ["::error", "::notice"]
    assert lines[0].startswith("::error title=mockzoom WH-201[no headers]::What WH-201 promises.")
    assert "%250A::error::x%0Anext" in lines[0]


# --- HTML ---


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.targets += [given[name] or "" for name in ("href", "src") if name in given]


def test_the_page_stands_alone_and_runs_nothing() -> None:
    """No script, nothing loaded from elsewhere, each case there and linked from the matrix."""
    page = Page(html_page(SAMPLE))
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert page.tags.count("details") == len(VERDICTS)
    assert len(set(page.ids)) == len(page.ids) == len(VERDICTS)
    assert sorted(page.targets) == sorted(f"#{id_}" for id_ in page.ids)


def test_the_page_shows_the_wire_as_text() -> None:
    """What a receiver sent is escaped."""
    text = html_page(SAMPLE)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&gt; POST {}" in text


# --- terminal ---


def test_the_terminal_shows_each_contract_and_each_failure() -> None:
    """A line a contract with its outcome, then the failures, then what it comes to."""
    text = terminal(SAMPLE)
    assert re.search(r"^WH-201 +must +What WH-201 promises\. +1/2 +BROKEN", text, re.MULTILINE)
    assert re.search(r"^WH-207 .* declared", text, re.MULTILINE)
    assert re.search(r"^  why it matters +Anybody can\.$", text, re.MULTILINE)
    assert "no longer failing: WH-999" in text
    assert "1 passed, 2 failed, 1 known failure" in text
    assert "(1 of them against mere advice) in 1.5 s" in text


def test_no_receiver_writes_to_the_terminal() -> None:
    """Escape sequences in an answer do not reach it."""
    out = io.StringIO()
    Console(file=out, width=100).print(discovered(list(SAMPLE.discovery)))
    assert "\x1b" not in terminal(SAMPLE) + out.getvalue()
