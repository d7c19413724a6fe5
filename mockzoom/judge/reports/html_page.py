"""For people who get a link: one page with everything in it, that loads nothing from anywhere.

Whatever came from a receiver is text, escaped, and the page has no script: it may be opened by
somebody who trusts neither the receiver nor us.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mockzoom.judge.report import ContractResult, Report
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["html_page"]

_CLASSES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.KNOWN: "known",
    Outcome.DECLARED: "declared",
    Outcome.NOT_TESTED: "untested",
    Outcome.ERROR: "error",
}

_STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --passed: #1a7f37;
  --failed: #cf222e; --known: #9a6700; --declared: #0969da; --untested: #777; --error: #8250df; }
@media (prefers-color-scheme: dark) { :root { --passed: #3fb950;
  --failed: #ff7b72; --known: #d29922; --declared: #58a6ff; --untested: #999; --error: #bc8cff; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p.told { color: #888; margin: 0 0 1rem; } code, pre { font: 13px/1.4 ui-monospace, monospace; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-radius: .5rem; padding: .3rem .7rem; }
.counts b { font-size: 1.2rem; margin-right: .3rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line); } th { font-weight: 600; color: #888; }
td:first-child { white-space: nowrap; } summary span { color: #888; float: right; }
td.squares { width: 15rem; line-height: .8; }
td.squares a { display: inline-block; width: .7rem; height: .7rem; margin: 1px; border-radius: 2px;
  background: currentColor; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .8rem; } details > div { padding: 0 .8rem .8rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .3rem .8rem; margin: .3rem 0; }
dt { color: #888; } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--soft); border-radius: .4rem; padding: .5rem; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.passed { color: var(--passed); } .failed { color: var(--failed); } .known { color: var(--known); }
.declared { color: var(--declared); } .untested { color: var(--untested); }
.error { color: var(--error); }
"""


def html_page(report: Report) -> str:
    """The page: what was found out, counts, the matrix, the failures, and every case's wire."""
    body = "\n".join(_body(report))
    title = escape(f"{report.assignment.url} - mockzoom verify")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n{body}\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    problem = report.problem()
    verdict = escape(str(problem)) if problem else "The receiver keeps its contract."
    yield f"<h1>{escape(report.assignment.url)}</h1>"
    yield f'<p class="{"failed" if problem else "passed"}">{verdict}</p>'
    yield f'<p class="told">{escape(_circumstances(report))}, <time>{_when(report)}</time></p>'
    yield _counts(report)
    yield _terms(report.discovery)
    yield "<h2>Contracts</h2>"
    yield _matrix(report)
    failures = report.of(Outcome.FAILED, Outcome.ERROR, Outcome.KNOWN)
    if failures:
        yield "<h2>What failed</h2>"
        yield from (_case(verdict, report, opened=True) for verdict in failures)
    yield "<h2>Everything else</h2>"
    yield from (_case(v, report, opened=False) for v in report.verdicts if v not in failures)


def _circumstances(report: Report) -> str:
    without = ", ".join(sorted(report.assignment.without))
    return (
        f"mockzoom {report.version}, profile {report.selection.profile}, timings "
        f"{report.assignment.timings}, seed {report.assignment.seed}"
        + (f", without {without}" if without else "")
    )


def _when(report: Report) -> str:
    return escape(f"{report.started_at}, {report.took_s:.1f} s")


def _counts(report: Report) -> str:
    items = (
        f'<li class="{_CLASSES[outcome]}"><b>{count}</b>{outcome.value}</li>'
        for outcome, count in report.counts.items()
        if count
    )
    return f'<ul class="counts">{"".join(items)}</ul>'


def _terms(pairs: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)
    return f"<dl>{rows}</dl>"


def _matrix(report: Report) -> str:
    head = "<tr><th>id<th>severity<th>promise<th>passed<th>cases</tr>"
    rows = "\n".join(_row(result) for result in report.results)
    return f"<table>\n{head}\n{rows}\n</table>"


def _row(result: ContractResult) -> str:
    row = result.contract
    squares = "".join(
        f'<a class="{_CLASSES[verdict.outcome]}" href="#{_anchor(verdict)}" '
        f'title="{escape(f"{verdict.case}: {verdict.outcome}".removeprefix(": "))}"></a>'
        for verdict in result.verdicts
    )
    return (
        f'<tr><td class="{_CLASSES[result.outcome]}"><b>{row.id}</b><td>{row.severity}'
        f'<td>{escape(result.promise)}<td>{result.tally}<td class="squares">{squares}</tr>'
    )


def _case(verdict: Verdict, report: Report, *, opened: bool) -> str:
    terms = list(verdict.explained()) if verdict.outcome is not Outcome.PASSED else []
    if verdict.failure:
        terms.append(("again", report.rerun(verdict)))
    wire = f"<pre>{escape(chr(10).join(verdict.wire))}</pre>" if verdict.wire else ""
    return (
        f'<details id="{_anchor(verdict)}"{" open" if opened else ""}><summary>'
        f'<b class="{_CLASSES[verdict.outcome]}">{escape(verdict.key)}</b> '
        f"{escape(verdict.promise)} <span>{verdict.outcome}</span></summary>"
        f"<div>{_terms(terms) if terms else ''}{wire}</div></details>"
    )


def _anchor(verdict: Verdict) -> str:
    return escape("".join(char if char.isalnum() else "-" for char in verdict.key))
