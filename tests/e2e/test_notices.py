"""Each kind of failure of a run is told once, with the service's own reason, on the topic of notices."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from personalize_local.cloud import Cloud
from tests.conftest import SPEED
from tests.e2e.resource_zoo import INTERACTIONS, ResourceZoo

REASON: Final = "The projector has no lamp."
TOPIC: Final = "personalize-dev-notices"


class FailingRuns:
    """Runs that fail, a method for each kind; each returns what its notice must say: error and words of the reason."""

    def __init__(self, zoo: ResourceZoo) -> None:
        self.zoo = zoo
        self.cloud = zoo.cloud

    def resource_failed(self) -> tuple[str, str]:
        self.cloud.personalize.faults.fail("campaign", REASON)
        self._ensure("campaign")
        return "ResourceFailed", REASON

    def failed_far_below(self) -> tuple[str, str]:
        """End three red: the pipeline waits for `import_data`, and that for `ensure_resource`."""
        self.cloud.personalize.faults.fail("dataset_group", REASON)
        schema = json.loads(INTERACTIONS)
        request = {"datasetGroup": "far-below", "datasets": {"interactions": {"schema": schema}}, "solutions": []}
        self.cloud.run("pipeline", request)
        return "ResourceFailed", REASON

    def quota_full(self) -> tuple[str, str]:
        self.cloud.personalize.quotas.set_limit("filter", 0)
        self._ensure("filter")
        self.cloud.personalize.quotas.set_limit("filter", 500)
        return "LimitExceededException", "filter"

    def throttled(self) -> tuple[str, str]:
        self.cloud.personalize.faults.throttle(1.0)
        self.cloud.run("ensure_resource", {"type": "dataset_group", "request": {"name": "dev-zoo-custom"}})
        self.cloud.personalize.faults.clear()
        return "TransientError", "Thrott"

    def refused_by_the_service(self) -> tuple[str, str]:
        request = {"name": self.zoo.name("campaign"), "solutionVersionArn": f"{self.zoo.solution}/nothing"}
        self.cloud.run("ensure_resource", {"type": "campaign", "request": request})
        return "ResourceNotFoundException", "nothing"

    def unidentified(self) -> tuple[str, str]:
        self.cloud.run("remove_resource", {"type": "campaign", "request": {}})
        return "UnidentifiedResourceError", "name"

    def still_in_use(self) -> tuple[str, str]:
        self.cloud.run("remove_resource", {"type": "solution", "request": {"solutionArn": self.zoo.solution}})
        return "StillInUseError", ""

    def invalid_request(self) -> tuple[str, str]:
        self.cloud.run("pipeline", {"datasetGroup": "films", "nonsense": 1})
        return "InvalidRequestError", "nonsense"

    def request_is_missing(self) -> tuple[str, str]:
        self.cloud.run("train_solution", {"datasetGroup": "nobodys", "solution": "any"})
        return "InvalidRequestError", "nobodys"

    def file_rejected(self) -> tuple[str, str]:
        body = b"USER_ID,ITEM_ID\nuser1,item1\n"
        self.cloud.client("s3").put_object(
            Bucket=self.zoo.bucket, Key="uploads/zoo-custom/interactions/x.csv", Body=body
        )
        self.cloud.quiesce()
        return "UploadRejected", "TIMESTAMP"

    def stopped_with_a_reason(self) -> tuple[str, str]:
        self._stop(error="Changed.My.Mind", cause="the film was bad")
        return "Changed.My.Mind", "the film was bad"

    def stopped_without_a_reason(self) -> tuple[str, str]:
        self._stop()
        return "Aborted", "somebody stopped it"

    def timed_out(self) -> tuple[str, str]:
        # The local cloud takes the time of a whole machine in real seconds.
        wait = {"Type": "Wait", "Seconds": 4 * SPEED, "End": True}
        self._redefined({"TimeoutSeconds": 1, "StartAt": "W", "States": {"W": wait}})
        return "States.Timeout", "time was up"

    def states_runtime(self) -> tuple[str, str]:
        wrong = {"Type": "Pass", "InputPath": "$.not.there", "End": True}
        self._redefined({"StartAt": "P", "States": {"P": wrong}})
        return "States.Runtime", "not"

    def handler_is_gone(self) -> tuple[str, str]:
        wrong = {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:gone", "End": True}
        self._redefined({"StartAt": "T", "States": {"T": wrong}})
        return "", "gone"

    def _ensure(self, noun: str) -> None:
        assert self.zoo.ensure(noun, self.zoo.request(noun, self.zoo.name(noun))).status == "FAILED"

    def _stop(self, **reason: str) -> None:
        self.cloud.personalize.faults.slow("campaign", 48 * 3600)
        arn = self.zoo.start("campaign", self.zoo.request("campaign", self.zoo.name("campaign")))
        self.zoo.wait_for_state(arn, "Wait")
        self.cloud.client("stepfunctions").stop_execution(executionArn=arn, **reason)

    def _redefined(self, definition: dict[str, Any]) -> None:
        """Run `update_campaign` with another definition: no machine of ours ends so by what it is given."""
        states = self.cloud.client("stepfunctions")
        machines = states.list_state_machines()["stateMachines"]
        (arn,) = (one["stateMachineArn"] for one in machines if one["name"] == "personalize-dev-update-campaign")
        ours = states.describe_state_machine(stateMachineArn=arn)["definition"]
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
        try:
            self.cloud.run("update_campaign", {"datasetGroup": "films", "solution": "films"})
        finally:
            states.update_state_machine(stateMachineArn=arn, definition=ours)


KINDS: Final[dict[str, Callable[[FailingRuns], tuple[str, str]]]] = {
    name: kind for name, kind in vars(FailingRuns).items() if not name.startswith("_")
}


@pytest.fixture(scope="module")
def failing(cloud: Cloud) -> FailingRuns:
    return FailingRuns(ResourceZoo(cloud))


@pytest.fixture(scope="module")
def queue(cloud: Cloud) -> str:
    """Return a queue that is subscribed to the stage's notices."""
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    url = str(sqs.create_queue(QueueName="readers")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (topic,) = (one["TopicArn"] for one in sns.list_topics()["Topics"] if one["TopicArn"].endswith(f":{TOPIC}"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


@pytest.fixture(autouse=True)
def no_faults(cloud: Cloud) -> Iterator[None]:
    yield
    cloud.personalize.faults.clear()


def told(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    cloud.quiesce()
    messages = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        cloud.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_twelve_kinds_at_least_are_tried() -> None:
    assert len(KINDS) >= 12


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_told_once_with_its_reason(cloud: Cloud, failing: FailingRuns, queue: str, kind: str) -> None:
    told(cloud, queue)
    error, words = KINDS[kind](failing)
    (notice,) = told(cloud, queue)
    assert notice["error"] == error or not error
    assert words in notice["reason"]
    assert notice["stage"] == "personalize-dev"
    assert notice["executionArn"] in notice["console"]


def test_an_event_that_comes_twice_is_told_once(cloud: Cloud, failing: FailingRuns, queue: str) -> None:
    told(cloud, queue)
    failing.unidentified()
    (notice,) = told(cloud, queue)
    execution = cloud.client("stepfunctions").describe_execution(executionArn=notice["executionArn"])
    names = ("executionArn", "stateMachineArn", "status", "input", "error", "cause")
    again = {"detail": {name: execution[name] for name in names}}
    cloud.client("lambda").invoke(
        FunctionName="personalize-dev-tell-outcome", InvocationType="Event", Payload=json.dumps(again).encode()
    )
    assert told(cloud, queue) == []


@pytest.fixture
def successes(cloud: Cloud) -> Iterator[None]:
    """Let the stage's rule match successes as well, as one of `notify_success = true` does."""
    events = cloud.client("events")
    rule = events.describe_rule(Name="personalize-dev-run-ended")
    pattern = json.loads(rule["EventPattern"])
    pattern["detail"]["status"].append("SUCCEEDED")
    events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern))
    yield
    events.put_rule(Name=rule["Name"], EventPattern=rule["EventPattern"])


@pytest.mark.usefixtures("successes")
def test_each_success_is_told_once_a_finished_batch_with_where_it_wrote(
    cloud: Cloud, failing: FailingRuns, queue: str
) -> None:
    s3, bucket = cloud.client("s3"), failing.zoo.bucket
    solution = {"name": "zoo-aws-sims", "recipeArn": "aws-sims", "batchInferenceJobs": [{"template": "similar"}]}
    datasets = {"interactions": {"schema": json.loads(INTERACTIONS)}}
    request = {"datasetGroup": "zoo-custom", "datasets": datasets, "solutions": [solution], "train": "NEVER"}
    told(cloud, queue)

    s3.put_object(Bucket=bucket, Key="requests/zoo-custom.json", Body=json.dumps(request).encode())
    (notice,) = told(cloud, queue)
    assert (notice["machine"], notice["status"], notice["datasetGroup"]) == ("pipeline", "SUCCEEDED", "zoo-custom")
    assert (notice["outputs"], notice["error"], notice["runbook"]) == ([], None, None)

    s3.put_object(Bucket=bucket, Key="uploads/zoo-custom/batch/similar/items.json", Body=b'{"itemId": "item1"}\n')
    told(cloud, queue)  # whatever the file itself leads to
    assert cloud.run("run_batch_inference", {"datasetGroup": "zoo-custom", "template": "similar"}).status == "SUCCEEDED"
    (notice,) = told(cloud, queue)
    assert (notice["machine"], notice["status"]) == ("run_batch_inference", "SUCCEEDED")
    (path,) = notice["outputs"]
    there = s3.list_objects_v2(Bucket=bucket, Prefix=path.removeprefix(f"s3://{bucket}/"))["Contents"]
    assert [one["Key"].rpartition("/")[2] for one in there if one["Key"].endswith(".out")] == ["items.json.out"]
