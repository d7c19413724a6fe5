"""The contract of the webhooks as loaded: ours, and documents of others."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockzoom.core.document import read_document
from mockzoom.core.openapi import JSON_TYPE, normalise
from mockzoom.core.spec import EventContract, Profile, Spec, lint, load_spec
from mockzoom.errors import SpecError, UnknownEvent, UnknownField, UsageError
from mockzoom.resources import spec_path

OURS = spec_path("rtms-events.openapi.yaml")

STARTED = "operator_id rtms_stream_id account_id is_original_host:boolean server_urls"
HOST_REASONS = "1,2,3,4,7,8,9,10,11"

#: Every field of every payload as published: name, type unless string, format, values.
PUBLISHED = {
    "meeting.rtms_started": f"{STARTED} meeting_uuid meeting_id:integer:int64",
    "meeting.rtms_stopped": f"meeting_uuid rtms_stream_id stop_reason:integer:int:{HOST_REASONS}",
    "meeting.rtms_interrupted": "meeting_uuid rtms_stream_id",
    "webinar.rtms_started": f"{STARTED} webinar_uuid webinar_id:integer:int64",
    "webinar.rtms_stopped": f"webinar_uuid rtms_stream_id stop_reason:integer:int:{HOST_REASONS}",
    "webinar.rtms_interrupted": "webinar_uuid rtms_stream_id",
    "session.rtms_started": "session_id session_key rtms_stream_id account_id server_urls",
    "session.rtms_stopped": "session_id session_key rtms_stream_id "
    f"stop_reason:integer:int:{HOST_REASONS}",
    "session.rtms_interrupted": "session_id session_key rtms_stream_id",
    "contact_center.voice_rtms_started": "engagement_id rtms_stream_id server_urls",
    "contact_center.voice_rtms_stopped": "engagement_id rtms_stream_id "
    "stop_reason:integer:int:1,2,3,4,5,6,7",
    "contact_center.voice_rtms_interrupted": "engagement_id rtms_stream_id",
    "rtms.concurrency_near_limit": "concurrency_limit:integer concurrency_number:integer "
    "percentage:integer",
    "rtms.concurrency_limited": "operator_id concurrency_number:integer id_field:object",
}


def as_published(contract: EventContract) -> set[str]:
    """The payload's fields in the notation of `PUBLISHED`."""
    payload = contract.field("payload")
    assert sorted(payload["required"]) == sorted(payload["properties"])
    fields = set()
    for name, schema in payload["properties"].items():
        parts = [name, schema["type"] if schema["type"] != "string" else ""]
        parts += [schema.get("format", ""), ",".join(map(str, schema.get("enum", [])))]
        fields.add(":".join(parts).rstrip(":"))
    return fields


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_profile_is_what_the_vendor_publishes(name: str) -> None:
    """Fields, types, formats, enums and required lists of all events, mistakes included."""
    contract = load_spec(profile="published").event(name)
    assert as_published(contract) == set(PUBLISHED[name].split())
    assert contract.schema["required"] == ["event", "event_ts", "payload"]
    assert contract.field("event_ts")["format"] == "int64"
    assert contract.product == name.partition(".")[0]


def test_our_document_has_the_fourteen_events_in_order() -> None:
    """Nothing is missing, nothing is there that the vendor does not publish."""
    assert list(load_spec().events) == list(PUBLISHED)


def test_our_documents_keep_their_own_standards() -> None:
    """The document is sound, and every answer has the schema of its request."""
    assert lint(OURS) == []
    for item in normalise(read_document(OURS))["webhooks"].values():
        request, response = item["post"]["requestBody"], item["post"]["responses"]["200"]
        assert request["content"][JSON_TYPE]["schema"] == response["content"][JSON_TYPE]["schema"]


@pytest.mark.parametrize("product", ["meeting", "webinar", "session"])
@pytest.mark.parametrize("reason", [5, 6])
def test_the_corrected_profile_knows_the_reasons_that_were_left_out(
    product: str, reason: int
) -> None:
    """Reasons 5 and 6 keep the corrected contract and break the published one."""
    name = f"{product}.rtms_stopped"
    [example] = load_spec().event(name).examples.values()
    event = {**example, "payload": {**example["payload"], "stop_reason": reason}}
    assert load_spec(profile="corrected").event(name).problems(event) == []
    [problem] = load_spec(profile="published").event(name).problems(event)
    assert str(problem) == (
        f"payload.stop_reason: expected one of 1, 2, 3, 4, 7, 8, 9, 10, 11, found {reason}"
    )


@pytest.mark.parametrize("profile", ["corrected", "published"])
def test_an_event_never_passes_for_another(profile: Profile) -> None:
    """Each contract takes its own examples and refuses every other event's."""
    spec = load_spec(profile=profile)
    for contract in spec.events.values():
        for other in spec.events.values():
            for example in other.examples.values():
                assert (not contract.problems(example)) == (contract is other)


def test_an_event_whose_schema_does_not_mention_event_is_pinned_all_the_same(
    tmp_path: Path,
) -> None:
    """The key of a webhook names it; a schema that forbids that name is an error."""
    contract = custom(tmp_path, {"type": "object"}).event("a.happened")
    assert contract.problems({}) == []
    assert contract.problems({"event": "b.happened"})
    with pytest.raises(SpecError, match=r"the body of 'a\.happened' is no object"):
        custom(tmp_path, {"type": "array"})
    with pytest.raises(SpecError, match=r"the schema of `event` in 'a\.happened' excludes"):
        custom(tmp_path, {"properties": {"event": {"enum": ["b.happened"]}}})


def test_an_unknown_event_gets_the_nearest_name() -> None:
    """A typing mistake is answered with what was probably meant."""
    with pytest.raises(UnknownEvent, match=r"did you mean 'meeting\.rtms_stopped'"):
        load_spec().event("meeting.rtms_stoped")
    with pytest.raises(UnknownEvent, match="`mockzoom spec events` lists them"):
        load_spec().event("zzz")


# --- documents of others ---


def custom(tmp_path: Path, schema: Any, **media: Any) -> Spec:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
    content = {JSON_TYPE: {"schema": schema, **media}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "webhooks": {"a.happened": {"post": {"requestBody": {"content": content}}}},
    }
    path.write_text(json.dumps(document))
    return load_spec(path)


def as_vendor(slash: str) -> dict[str, Any]:
    """Our document in the vendor's shape: `paths`, no references, examples as text."""
    document = normalise(read_document(OURS))
    for item in document["webhooks"].values():
        for example in item["post"]["requestBody"]["content"][JSON_TYPE]["examples"].values():
            example["value"] = json.dumps(example["value"])
    document["paths"] = {slash + name: item for name, item in document.pop("webhooks").items()}
    return document


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("profile", ["corrected", "published"])
def test_the_vendors_own_file_gives_the_same_contracts(
    tmp_path: Path, slash: str, suffix: str, profile: Profile
) -> None:
    """`paths` with or without a slash, JSON or YAML, examples as text, corrected all the same."""
    path = tmp_path / f"vendor.{suffix}"
    dump = json.dumps if suffix == "json" else yaml.safe_dump
    path.write_text(dump(as_vendor(slash)))
    theirs, ours = load_spec(path, profile), load_spec(profile=profile)
    assert theirs.source == path
    for name, contract in ours.events.items():
        assert theirs.event(name).schema == contract.schema
        assert theirs.event(name).examples == contract.examples
    assert lint(path) == []


def test_a_file_that_is_corrected_already_is_left_alone(tmp_path: Path) -> None:
    """In somebody else's document a correction may find its work done, or nothing to do."""
    document = as_vendor("")
    for name in [name for name in document["paths"] if not name.endswith("_stopped")]:
        del document["paths"][name]
    payload = ("post", "requestBody", "content", JSON_TYPE, "schema", "properties", "payload")
    node = document["paths"]["meeting.rtms_stopped"]
    for part in payload:
        node = node[part]
    node["properties"]["stop_reason"]["enum"] = [1, 6, 5]
    path = tmp_path / "vendor.json"
    path.write_text(json.dumps(document))
    field = load_spec(path).event("meeting.rtms_stopped").field("payload.stop_reason")
    assert field["enum"] == [1, 6, 5]


def test_a_document_is_read_again_when_it_changed(tmp_path: Path) -> None:
    """An unchanged file is read once; an edited one shows its edit."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(as_vendor("")))
    first = load_spec(path)
    assert load_spec(path) is first
    document = as_vendor("")
    del document["paths"]["meeting.rtms_started"]
    path.write_text(json.dumps(document))
    assert "meeting.rtms_started" not in load_spec(path).events


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("openapi: 3.1.0\nwebhooks: {\n", r":3: is not YAML"),
        ("openapi: 3.0.0\nwebhooks: {}\n", r":1: expected OpenAPI 3\.1"),
        ("openapi: 3.1.0\nwebhook: {}\n", r":2: unknown keyword 'webhook'"),
    ],
)
def test_broken_documents_are_one_line_also_for_lint(
    tmp_path: Path, text: str, reason: str
) -> None:
    """Loading raises; lint raises only for what cannot be read, and lists the rest."""
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=reason):
        load_spec(path)
    if "is not YAML" in reason:
        with pytest.raises(SpecError, match=reason):
            lint(path)
    else:
        assert "broken.yaml" in lint(path)[0]


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    """A path that is not there is a SpecError, not an OSError."""
    with pytest.raises(SpecError, match=r"gone\.yaml: cannot be read"):
        load_spec(tmp_path / "gone.yaml")


def test_lint_finds_what_loading_forgives(tmp_path: Path) -> None:
    """Examples that break their schema, and breaches of OpenAPI itself, one line each."""
    document = as_vendor("/")
    del document["info"]["title"]
    operation = document["paths"]["/meeting.rtms_stopped"]["post"]
    examples = operation["requestBody"]["content"][JSON_TYPE]["examples"]
    examples["wrong"] = {"value": {"event": "meeting.rtms_stopped", "event_ts": "now"}}
    path = tmp_path / "vendor.json"
    path.write_text(json.dumps(document))
    found = "\n".join(lint(path))
    assert "title" in found
    assert "is a required property (at #/info)" in found
    assert "example 'wrong' of meeting.rtms_stopped: event_ts: expected integer" in found
    assert "example 'wrong' of meeting.rtms_stopped: payload: is required" in found


def test_lint_survives_what_trips_the_standards_validator(tmp_path: Path) -> None:
    """A document that is broken enough to crash that library is still told in lines."""
    document = as_vendor("/")
    document["tags"] = [{"description": "without a name"}]
    path = tmp_path / "vendor.json"
    path.write_text(json.dumps(document))
    assert any("the OpenAPI validator gave up" in line for line in lint(path))


# --- fields ---


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("payload.stop_reson", "no 'stop_reson' in payload; did you mean 'stop_reason'"),
        ("pyload.stop_reason", r"no 'pyload' in meeting\.rtms_stopped; did you mean 'payload'"),
        ("payload.zzz", "there are meeting_uuid, rtms_stream_id, stop_reason"),
        ("payload.stop_reason.deep", "there are none"),
        ("", "there are event, event_ts, payload"),
    ],
)
def test_an_unknown_field_gets_the_nearest_name(path: str, hint: str) -> None:
    """The message says which step of the path is wrong, and what there is."""
    with pytest.raises(UnknownField, match=hint):
        load_spec().event("meeting.rtms_stopped").field(path)


FIELDS = {
    "type": "object",
    "properties": {
        "i": {"type": "integer"},
        "n": {"type": "number"},
        "b": {"type": "boolean"},
        "s": {"type": "string"},
        "o": {"type": "object"},
        "a": {"type": "array"},
        "m": {"type": ["integer", "null"]},
        "e": {"enum": [1, "x"]},
        "c": {"anyOf": [{"type": "boolean"}, {"properties": {"deep": {"type": "integer"}}}]},
        "any": {},
    },
}


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("i", "12", 12),
        ("i", "12.0", 12),
        ("n", "12", 12),
        ("n", "1.5", 1.5),
        ("n", "2.0", 2.0),
        ("b", "true", True),
        ("s", "12", "12"),
        ("s", "true", "true"),
        ("s", '"quoted"', '"quoted"'),
        ("s", "", ""),
        ("o", '{"x": [1]}', {"x": [1]}),
        ("o.anything", "12", 12),
        ("o.anything", "text", "text"),
        ("a", "[1, 2]", [1, 2]),
        ("m", "null", None),
        ("e", "x", "x"),
        ("e", "1", 1),
        ("c", "false", False),
        ("c.deep", "3", 3),
        ("any", "NaN", "NaN"),
        ("any", "[1]", [1]),
    ],
)
def test_text_becomes_the_type_of_its_field(
    tmp_path: Path, path: str, text: str, value: Any
) -> None:
    """A command line's text is what it looks like where the field takes that, else a string."""
    coerced = custom(tmp_path, FIELDS).event("a.happened").coerce(path, text)
    assert (coerced, type(coerced)) == (value, type(value))


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("i", "six", "i: expected integer, found 'six'"),
        ("i", "1.5", "i: expected integer, found '1.5'"),
        ("i", "true", "i: expected integer"),
        ("b", "1", "b: expected boolean, found '1'"),
        ("o", "[1]", "o: expected object"),
        ("m", "", "m: expected integer or null, found ''"),
        ("n", "1e400x", "n: expected number"),
        ("n", "NaN", "n: expected number, found 'NaN'"),
    ],
)
def test_text_of_another_type_is_refused(tmp_path: Path, path: str, text: str, reason: str) -> None:
    """The message names the field, the type it has and the text."""
    with pytest.raises(UsageError, match=reason):
        custom(tmp_path, FIELDS).event("a.happened").coerce(path, text)


def test_assignments_become_nested_overrides() -> None:
    """Several `--set` of one event merge into one mapping; values may hold `=`."""
    contract = load_spec().event("meeting.rtms_stopped")
    assignments = ["payload.stop_reason=6", "payload.meeting_uuid=a==", "event_ts=1"]
    assert contract.overrides(assignments) == {
        "payload": {"stop_reason": 6, "meeting_uuid": "a=="},
        "event_ts": 1,
    }
    with pytest.raises(UsageError, match=r"expected payload\.field=value, found 'payload'"):
        contract.overrides(["payload"])


def test_an_override_of_a_whole_can_be_refined() -> None:
    """A field set inside an object that was set as a whole goes into that object."""
    contract = load_spec().event("rtms.concurrency_limited")
    whole = ['payload.id_field={"session_id": "a"}', "payload.id_field.session_id=b"]
    assert contract.overrides(whole) == {"payload": {"id_field": {"session_id": "b"}}}


def test_loading_the_module_leaves_the_slow_libraries_out() -> None:
    """openapi-core, jsonschema and Faker are imported only by those who need them."""
    code = (
        "import sys; from mockzoom.core.spec import load_spec; load_spec().event("
        "'meeting.rtms_started').problems({}); print([name for name in sys.modules if name in "
        "('openapi_core', 'openapi_spec_validator', 'jsonschema', 'faker')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_profile_is_refused() -> None:
    """A profile that does not exist is no quiet third one."""
    with pytest.raises(UsageError, match="expected profile corrected or published, found 'x'"):
        load_spec(profile="x")  # type: ignore[arg-type]


def test_contracts_do_not_share_state() -> None:
    """The two profiles of one document are independent of each other."""
    published, corrected = load_spec(profile="published"), load_spec(profile="corrected")
    before = deepcopy(published.document)
    field = "payload.stop_reason"
    assert published.event("meeting.rtms_stopped").field(field) != corrected.event(
        "meeting.rtms_stopped"
    ).field(field)
    assert published.document == before
