"""A stage in somebody's bucket: what the stack says that its owner has to set is what lets an import run."""

import json
from collections.abc import Iterator

import pytest

from personalize_local.cloud import Cloud
from tests.e2e.resource_zoo import interactions
from tests.e2e.test_restore import REQUEST, imports, synthesised

BUCKET = "somebodys-bucket"
UPLOAD = "uploads/movies/interactions/one.csv"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Return a cloud with a stage deployed whose bucket was there before."""
    with Cloud(speed=1800, schedules=False) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        cloud.deploy(synthesised(tmp_path_factory.mktemp("adopted"), bucket_name=BUCKET))
        yield cloud


def test_without_the_owners_policy_the_service_says_what_it_lacks(shared: Cloud) -> None:
    shared.client("s3").put_object(Bucket=BUCKET, Key="requests/movies.json", Body=json.dumps(REQUEST).encode())
    shared.client("s3").put_object(Bucket=BUCKET, Key=UPLOAD, Body=interactions().encode())
    shared.quiesce(120)
    assert not [job for job in imports(shared) if job["status"] == "ACTIVE"]
    run = shared.run("import_data", {"datasetGroup": "movies"})
    assert run.status == "FAILED"
    assert BUCKET in str(run.cause)


def test_with_the_policy_that_the_stack_prints_it_imports(shared: Cloud) -> None:
    policy = shared.deployment.outputs["AdoptedBucketPolicy"]
    shared.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy)
    run = shared.run("import_data", {"datasetGroup": "movies"})
    assert run.status == "SUCCEEDED", run.cause
    assert [job for job in imports(shared) if job["status"] == "ACTIVE"]
