"""`mockzoom spec`: what the contract says, read from the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import indent
from typing import Any, TypedDict

import click

from mockzoom.cli.options import json_option, seed_option, spec_options

__all__ = ["spec"]


class Field(TypedDict):
    """One row of `spec show`: `name` is a path as `trigger --set` takes it."""

    name: str
    type: str
    required: bool
    enum: list[Any]
    description: str


@click.group()
def spec() -> None:
    """Show and check the contract of the webhooks."""


@spec.command()
@spec_options
@json_option
def events(spec: Path | None, spec_profile: Any, as_json: bool) -> None:
    """List the events."""
    from mockzoom.core.spec import load_spec

    contracts = load_spec(spec, spec_profile).events.values()
    if as_json:
        rows = [
            {"name": event.name, "product": event.product, "summary": event.summary}
            for event in contracts
        ]
        click.echo(json.dumps(rows))
        return
    width = max((len(event.name) for event in contracts), default=0)
    for event in contracts:
        click.echo(f"{event.name:{width}}  {event.summary}".rstrip())


@spec.command()
@click.argument("event")
@spec_options
@seed_option
@json_option
def show(event: str, spec: Path | None, spec_profile: Any, seed: int | None, as_json: bool) -> None:
    """Show the fields of EVENT and an example of it."""
    import time

    from mockzoom.core.examples import ExampleFactory
    from mockzoom.core.spec import load_spec

    loaded = load_spec(spec, spec_profile)
    contract = loaded.event(event)
    now_ms = time.time_ns() // 1_000_000
    example = ExampleFactory(loaded, seed).event(event, now_ms=now_ms)
    rows = list(_rows(contract.schema))
    if as_json:
        about = {"name": contract.name, "product": contract.product, "summary": contract.summary}
        about["description"] = contract.description
        click.echo(json.dumps({**about, "fields": rows, "example": example}))
        return
    click.echo("\n\n".join(filter(None, [contract.summary, contract.description, "Fields:"])))
    for row in rows:
        _print_field(row)
    click.echo("\nFor example:\n" + json.dumps(example, indent=2, ensure_ascii=False))


@spec.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@spec_options
@json_option
@click.pass_context
def lint(
    ctx: click.Context, file: Path | None, spec: Path | None, spec_profile: Any, as_json: bool
) -> None:
    """Check FILE, or the document that the other commands read.

    Status 1 and a line for each thing that is wrong; 2 when the file cannot be read at all.
    """
    from mockzoom.core.spec import lint as check
    from mockzoom.core.spec import load_spec
    from mockzoom.errors import SpecError

    path = file or spec or load_spec().source
    found = check(path)
    if not found:
        try:
            load_spec(path, spec_profile)  # the corrections must fit it too
        except SpecError as error:
            found = [str(error)]
    if as_json:
        click.echo(json.dumps({"file": str(path), "problems": found}))
    else:
        click.echo("\n".join(found) or f"{path}: no problems")
    ctx.exit(1 if found else 0)


def _rows(schema: Any, prefix: str = "") -> Iterator[Field]:
    """Every field at any depth, outer before inner; those of combined schemas as one list."""
    if not isinstance(schema, Mapping):
        return
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield Field(
            name=path,
            type=_type(field),
            required=name in required,
            enum=_enum(field),
            description=str(field.get("description", "")).strip(),
        )
        yield from _rows(field, f"{path}.")
        yield from _rows(field.get("items"), f"{path}[].")
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, []):
            yield from _rows(branch, prefix)


def _type(field: Mapping[str, Any]) -> str:
    declared = field.get("type", "any")
    name = " or ".join(declared) if isinstance(declared, list) else str(declared)
    return f"{name} ({field['format']})" if "format" in field else name


def _enum(field: Mapping[str, Any]) -> list[Any]:
    return [field["const"]] if "const" in field else list(field.get("enum", []))


def _print_field(field: Field) -> None:
    facts = [field["type"], "required" if field["required"] else "optional"]
    if field["enum"]:
        facts.append("one of " + ", ".join(map(json.dumps, field["enum"])))
    click.echo(f"  {field['name']}: {', '.join(facts)}")
    if field["description"]:
        click.echo(indent(field["description"], "      "))
