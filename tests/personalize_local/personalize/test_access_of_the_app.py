"""The deployed app's own role and bucket policy: every statement in them is needed by the jobs that need it."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from personalize_local.cloud import Cloud
from tests.personalize_local.personalize.world import RECIPES, avro, interactions_csv

JOBS = ("dataset_import_job", "data_deletion_job", "batch_inference_job", "dataset_export_job")
READERS = {"dataset_import_job", "data_deletion_job", "batch_inference_job"}
WRITERS = {"batch_inference_job", "dataset_export_job"}
_numbers = itertools.count()


class AppJobs:
    """Jobs that act with the deployed data role on the deployed bucket."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.bucket = cloud.deployment.bucket
        self.role = cloud.deployment.personalize_role_arn
        self._personalize = cloud.client("personalize")
        self._group = self._make("dataset_group", name="access")
        schema = self._personalize.create_schema(name="access", schema=avro("Interactions"))["schemaArn"]
        self._dataset = self._make(
            "dataset", name="i", datasetGroupArn=self._group, datasetType="INTERACTIONS", schemaArn=schema
        )
        for key, body in (
            ("i.csv", interactions_csv()),
            ("users.csv", "USER_ID\nnobody\n"),
            ("b.json", '{"userId": "u1"}'),
        ):
            cloud.client("s3").put_object(Bucket=self.bucket, Key=f"by-hand/{key}", Body=body.encode())
        assert self.outcome("dataset_import_job", self.begin("dataset_import_job")) == "ACTIVE"
        solution = self._make(
            "solution", name="s", datasetGroupArn=self._group, recipeArn=f"{RECIPES}aws-sims", performAutoTraining=False
        )
        self._version = self._make("solution_version", solutionArn=solution)

    def _make(self, noun: str, **members: Any) -> str:
        arn = str(getattr(self._personalize, f"create_{noun}")(**members)[f"{_camel(noun)}Arn"])
        assert self.outcome(noun, arn) == "ACTIVE"
        return arn

    def begin(self, noun: str) -> str:
        """Start a job and return its ARN."""
        name, root = f"job-{next(_numbers)}", f"s3://{self.bucket}"
        results = {"s3DataDestination": {"path": f"{root}/results/by-hand/{name}/"}}
        members: dict[str, dict[str, Any]] = {
            "dataset_import_job": {
                "datasetArn": self._dataset, "dataSource": {"dataLocation": f"{root}/by-hand/i.csv"},
            },
            "data_deletion_job": {
                "datasetGroupArn": self._group, "dataSource": {"dataLocation": f"{root}/by-hand/users.csv"},
            },
            "batch_inference_job": {
                "solutionVersionArn": getattr(self, "_version", None), "jobOutput": results,
                "jobInput": {"s3DataSource": {"path": f"{root}/by-hand/b.json"}},
            },
            "dataset_export_job": {"datasetArn": self._dataset, "jobOutput": results, "ingestionMode": "BULK"},
        }  # fmt: skip
        create = getattr(self._personalize, f"create_{noun}")
        return str(create(jobName=name, roleArn=self.role, **members[noun])[f"{_camel(noun)}Arn"])

    def outcome(self, noun: str, arn: str) -> str:
        """Wait until a resource is made; return its last status, or why it failed."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            answer = getattr(self._personalize, f"describe_{noun}")(**{f"{_camel(noun)}Arn": arn})[_camel(noun)]
            if answer["status"] in {"ACTIVE", "COMPLETED"}:
                return "ACTIVE"
            if answer["status"].endswith("FAILED"):
                return str(answer["failureReason"])
            time.sleep(0.02)
        raise TimeoutError(f"{arn} is not made after 60 s")

    def outcomes(self) -> dict[str, str]:
        """Run one job of each kind."""
        begun = {noun: self.begin(noun) for noun in JOBS}
        return {noun: self.outcome(noun, arn) for noun, arn in begun.items()}

    @contextmanager
    def without(self, owner: str, action: str) -> Iterator[None]:
        """Take a statement out of the role's or the bucket's policy for a block."""
        document, put = self._policy_of_role() if owner == "role" else self._policy_of_bucket()
        policy = json.loads(document) if isinstance(document, str) else document
        kept = [each for each in policy["Statement"] if each["Action"] != action]
        assert len(kept) == len(policy["Statement"]) - 1
        put(json.dumps({**policy, "Statement": kept}))
        try:
            yield
        finally:
            put(json.dumps(policy))

    def _policy_of_role(self) -> tuple[Any, Callable[[str], Any]]:
        iam, role = self.cloud.client("iam"), self.role.rpartition("/")[2]
        (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return document, lambda text: iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text)

    def _policy_of_bucket(self) -> tuple[Any, Callable[[str], Any]]:
        s3 = self.cloud.client("s3")
        document = s3.get_bucket_policy(Bucket=self.bucket)["Policy"]
        return document, lambda text: s3.put_bucket_policy(Bucket=self.bucket, Policy=text)


def _camel(noun: str) -> str:
    first, *others = noun.split("_")
    return first + "".join(map(str.capitalize, others))


@pytest.fixture(scope="module")
def jobs(cloud: Cloud) -> AppJobs:
    return AppJobs(cloud)


@pytest.mark.parametrize("owner", ["role", "bucket"])
@pytest.mark.parametrize(
    ("action", "needed_by"),
    [("s3:ListBucket", set(JOBS)), ("s3:GetObject", READERS), ("s3:PutObject", WRITERS)],
)
def test_a_statement_taken_away_fails_the_jobs_that_need_it(
    jobs: AppJobs, owner: str, action: str, needed_by: set[str]
) -> None:
    with jobs.without(owner, action):
        outcomes = jobs.outcomes()
    failed = {noun: reason for noun, reason in outcomes.items() if reason != "ACTIVE"}
    assert set(failed) == needed_by
    who = jobs.role if owner == "role" else "personalize.amazonaws.com"
    for noun, reason in failed.items():
        assert f'{who} is not authorized to perform: {action} on resource: "arn:aws:s3:::{jobs.bucket}' in reason
        words = "Invalid S3 " if noun == "batch_inference_job" else "Insufficient privileges for accessing data in "
        assert words in reason


def test_with_every_statement_back_every_job_ends_well(jobs: AppJobs) -> None:
    with jobs.without("role", "s3:GetObject"):
        pass
    assert set(jobs.outcomes().values()) == {"ACTIVE"}


def test_without_its_trust_the_role_is_refused_in_every_call(jobs: AppJobs) -> None:
    iam, name = jobs.cloud.client("iam"), jobs.role.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    statement = {**trust["Statement"][0], "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps({**trust, "Statement": [statement]}))
    try:
        for noun in JOBS:
            with pytest.raises(jobs.cloud.client("personalize").exceptions.InvalidInputException, match="assume"):
                jobs.begin(noun)
    finally:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    assert jobs.outcome("dataset_import_job", jobs.begin("dataset_import_job")) == "ACTIVE"
