"""Make the page and the schema of the events that a stage puts on its bus."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from lambdas.gateways.event_bus import SOURCE
from lambdas.notices.stage_events import EventPart, IdleCapacityItem, StageEvent

SAMPLES: Final = Path(__file__).parents[1] / "examples" / "events"
EVENTS: Final[tuple[type[StageEvent], ...]] = tuple(StageEvent.__subclasses__())

_BEFORE: Final = f"""# Events of a stage

Made from `lambdas/notices/stage_events.py` by `make docs`; do not edit. [events.schema.json](events.schema.json) has
the same for programs.

A stage puts these on its own bus, `<name>-<stage>-events` (output of the stack), with the source `{SOURCE}`. People
are told of failures by [notices](runbook.md) on a topic; these are for programs. A rule on the bus leads them to a
queue, a function, a machine or another bus:

```sh
aws events put-rule --event-bus-name personalize-dev-events --name new-campaigns --event-pattern \\
  '{{"detail-type": ["Resource Change"], "detail": {{"resourceType": ["campaign"], "change": ["CREATED", "UPDATED"]}}}}'
```

* **How often, and in which order.** What runs and resources come to is read from Step Functions' status events, which
  AWS sends with its best effort: almost always, once or more often, in any order. So act on what is there, not on the
  difference that an event tells; `executionArn` with `status` or `change` tells duplicates.
* **What stays.** A member is never renamed or taken away within a detail type; new ones may come, so read with
  tolerance.
* **Replay.** Each sample is an entry for PutEvents. On a laptop or on AWS, this has whatever listens believe that it
  happened: `aws events put-events --entries file://examples/events/resource_change.json`"""

_AFTER: Final = """## Parameters for applications

Under `/personalize/<name>-<stage>/<dataset group>/` Parameter Store holds what applications call, under the names of
the request, which are the same in every stage:

| parameter | value |
|---|---|
| `campaign/<name>`, `recommender/<name>`, `filter/<name>` | the ARN |
| `event-tracker/<name>` | the tracker's ARN |
| `tracking-id/<name>` | the id that PutEvents asks for |

They are written when a run has made or found a resource, and removed when one is gone. A wrong one is put right by the
next run; one that was left behind goes when the next resource of its kind is removed. Reading them takes
`ssm:GetParametersByPath` on `parameter/personalize/<name>-<stage>` and below.
[examples/recommendation_client.py](../examples/recommendation_client.py) is a client that caches them."""


def events_page() -> str:
    """Return a page with every event: when it is put, its members, and a sample."""
    return "\n\n".join([_BEFORE, *(_section(model) for model in EVENTS), _AFTER]) + "\n"


def events_schema() -> str:
    """Return the JSON Schema of every event's detail, by its class."""
    _, definitions = models_json_schema([(model, "serialization") for model in EVENTS], by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **definitions}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def sample_of(model: type[StageEvent]) -> Mapping[str, Any]:
    """Return the sample of an event, an entry for PutEvents."""
    stem = model.detail_type().lower().replace(" ", "_")
    (entry,) = json.loads((SAMPLES / f"{stem}.json").read_text(encoding="utf-8"))
    return dict(entry)


def _section(model: type[StageEvent]) -> str:
    detail = json.dumps(json.loads(sample_of(model)["Detail"]), indent=2)
    rows = ["| member | type | meaning |", "|---|---|---|", *_rows(model)]
    return "\n\n".join([f"## {model.detail_type()}", str(model.__doc__), "\n".join(rows), f"```json\n{detail}\n```"])


def _rows(model: type[EventPart], within: str = "") -> Iterator[str]:
    for member, schema in model.model_json_schema(by_alias=True)["properties"].items():
        yield f"| `{within}{member}` | {_type(schema)} | {schema['description']} |"
        if schema.get("items", {}).get("$ref", "").endswith(IdleCapacityItem.__name__):
            yield from _rows(IdleCapacityItem, f"{within}{member}[].")


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return f"array of {_type(schema['items'])}" if "items" in schema else str(schema.get("type", "object"))
