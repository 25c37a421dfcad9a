"""What targets receive: the examples of the EventBridge user guide."""

import json
from typing import Any

import pytest

from personalize_local.aws.events.target_input import at_path, fill, render

# The user guide's own event, shortened ("Amazon EventBridge input transformation").
EVENT = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "time": "2015-11-11T21:29:54Z",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "count": 3, "flags": {"spot": True}},
}
PATHS = {"instance": "$.detail.instance-id", "state": "$.detail.state", "flags": "$.detail.flags", "none": "$.detail.x"}


def transformed(template: str) -> str:
    target = {"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}}
    return render(target, EVENT, "rule", "arn:rule")


@pytest.mark.parametrize(
    ("template", "received"),
    [
        # Facts: both templates and their results are the guide's.
        ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
        ('{"instance" : "<instance>", "status": "<state>"}', '{"instance" : "i-0123456789", "status": "RUNNING"}'),
        ('{"instance" : <instance>, "status": <state>}', '{"instance" : "i-0123456789", "status": "RUNNING"}'),
        ('{"flags": <flags>}', '{"flags": {"spot": true}}'),
        ('{"none": <none>, "text": "a<none>b"}', '{"none": "", "text": "ab"}'),
        ('"<unknown> stays"', '"<unknown> stays"'),
        ('{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>}', '{"rule": "rule", "arn": "arn:rule"}'),
    ],
)
def test_templates_are_filled_as_documented(template: str, received: str) -> None:
    assert transformed(template) == received
    json.loads(transformed(template))


def test_the_whole_event_can_be_part_of_a_template() -> None:
    assert json.loads(transformed('{"it": <aws.events.event.json>}')) == {"it": EVENT}


def test_quotes_in_values_stay_valid_json() -> None:
    assert json.loads(fill('{"name": "<name>"}', {"name": 'say "hi"\n'})) == {"name": 'say "hi"\n'}


@pytest.mark.parametrize(
    ("target", "received"),
    [
        ({}, EVENT),
        ({"Input": '{"fixed": 1}'}, {"fixed": 1}),
        ({"InputPath": "$.detail"}, EVENT["detail"]),
        ({"InputPath": "$.detail.count"}, 3),
        ({"InputPath": "$.nothing"}, None),
    ],
)
def test_other_inputs(target: dict[str, Any], received: Any) -> None:
    assert json.loads(render(target, EVENT, "rule", "arn:rule")) == received


def test_paths_reach_into_lists() -> None:
    assert str(at_path(EVENT, "$.resources[0]")).endswith("i-abcd1111")
