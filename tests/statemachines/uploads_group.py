"""A dataset group on the local cloud, and what happens to the files dropped into it."""

import json
from typing import Any

from personalize_local.aws.stepfunctions.executions import all_executions
from personalize_local.aws.stepfunctions.local_execution import LocalExecution
from personalize_local.clock import CLOCK
from personalize_local.cloud import Cloud, Run

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Interactions",
        "namespace": "com.amazonaws.personalize.schema",
        "fields": [
            {"name": "USER_ID", "type": "string"},
            {"name": "ITEM_ID", "type": "string"},
            {"name": "TIMESTAMP", "type": "long"},
        ],
        "version": "1.0",
    }
)


def csv(user: str, rows: int = 1000, header: str = "USER_ID,ITEM_ID,TIMESTAMP") -> bytes:
    """Return a file of `rows` interactions of one user."""
    lines = [f"{user},item{number},{1_700_000_000 + number}" for number in range(rows)]
    return "\n".join([header, *lines, ""]).encode()


class Group:
    """A dataset group with interactions, and nothing else."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name
        self.dataset_key = f"{name}/interactions"

    def create(self) -> None:
        """Create the group, the schema and the dataset, as import_data would."""
        group_arn = self._ensure("dataset_group", name=f"dev-{self.name}")
        schema_arn = self._ensure("schema", name=f"dev-{self.name}-interactions", schema=SCHEMA)
        self.dataset_arn = self._ensure(
            "dataset",
            name="interactions",
            datasetType="INTERACTIONS",
            datasetGroupArn=group_arn,
            schemaArn=schema_arn,
        )

    def _ensure(self, kind: str, **request: str) -> str:
        run = self.cloud.run("ensure_resource", {"type": kind, "request": request})
        assert run.status == "SUCCEEDED", run.cause
        return str(run.output["arn"])

    def drop(self, name: str, content: bytes) -> str:
        """Upload a file and return its key."""
        key = f"uploads/{self.dataset_key}/{name}"
        self.cloud.client("s3").put_object(Bucket=self.cloud.deployment.bucket, Key=key, Body=content)
        return key

    def ask(self, **wishes: Any) -> None:
        """Put a request for the group into the bucket without starting `pipeline`."""
        columns = {field["name"]: field["type"] for field in json.loads(SCHEMA)["fields"]}
        request = {"datasetGroup": self.name, "datasets": {"interactions": {"columns": columns}}, **wishes}
        events = self.cloud.client("events")
        rules = [rule["Name"] for rule in events.list_rules()["Rules"] if "EventPattern" in rule]
        for rule in rules:
            events.disable_rule(Name=rule)
        key, body = f"requests/{self.name}.json", json.dumps(request).encode()
        self.cloud.client("s3").put_object(Bucket=self.cloud.deployment.bucket, Key=key, Body=body)
        self.cloud.quiesce()
        for rule in rules:
            events.enable_rule(Name=rule)

    def executions(self, of: str = "import_uploads") -> list[LocalExecution]:
        """Return the executions of a machine for this group."""
        machine = self.cloud.deployment.state_machines[of]
        mine = [execution for execution in all_executions() if execution.state_machine.arn == machine]
        return [one for one in mine if json.loads(one.execution_input)["datasetGroup"] == self.name]

    def runs(self) -> list[Run]:
        """Return how they went, when nothing is under way any more."""
        self.cloud.quiesce()
        return [self.cloud.wait(execution.exec_arn) for execution in self.executions()]

    def start(self) -> str:
        """Start import_uploads by hand; return the execution's ARN."""
        return self.cloud.start("import_uploads", {"datasetGroup": self.name, "dataset": "interactions"})

    def sweep(self) -> dict[str, Any]:
        """Do now what the schedule does from time to time."""
        (function,) = [
            found["FunctionName"]
            for found in self.cloud.client("lambda").list_functions()["Functions"]
            if found["Handler"] == "lambdas.sweep_uploads.handler"
        ]
        event = json.dumps({"time": CLOCK.now().isoformat()}).encode()
        answer = self.cloud.client("lambda").invoke(FunctionName=function, Payload=event)
        swept: dict[str, Any] = json.loads(answer["Payload"].read())
        return swept

    def states(self) -> dict[str, list[str]]:
        """Return what the ledger says became of each key, version by version."""
        found: dict[str, list[str]] = {}
        for item in self.rows():
            row = self._open_row(item) if "place" in item else item
            found.setdefault(row["key"]["S"].rpartition("/")[2], []).append(row["state"]["S"])
        return found

    def _open_row(self, marker: dict[str, Any]) -> dict[str, dict[str, str]]:
        table = next(iter(self.cloud.deployment.tables.values()))
        key = {"dataset": marker["shard"], "entry": marker["place"]}
        row: dict[str, dict[str, str]] = self.cloud.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
        return row

    def rows(self) -> list[dict[str, dict[str, str]]]:
        """Return what the ledger keeps of each version: its row, or a marker that names it."""
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=next(iter(self.cloud.deployment.tables.values())),
                KeyConditionExpression="dataset = :dataset_key AND begins_with(entry, :file)",
                ExpressionAttributeValues={":dataset_key": {"S": self.dataset_key}, ":file": {"S": "file#"}},
            )
        )
        return [item for page in pages for item in page["Items"]]

    def jobs(self) -> list[dict[str, Any]]:
        """Return the dataset's import jobs, oldest first."""
        pages = (
            self.cloud.client("personalize")
            .get_paginator("list_dataset_import_jobs")
            .paginate(datasetArn=self.dataset_arn)
        )
        jobs = [job for page in pages for job in page["datasetImportJobs"]]
        return sorted(jobs, key=lambda job: str(job["creationDateTime"]))

    def exported(self) -> list[str]:
        """Return the dataset's rows, as a dataset export job tells them, sorted."""
        prefix = f"results/export/{len(list(all_executions()))}-{self.name}/"
        bucket = self.cloud.deployment.bucket
        self._ensure(
            "dataset_export_job",
            jobName=f"dev-{prefix.split('/')[2]}",
            datasetArn=self.dataset_arn,
            ingestionMode="BULK",
            jobOutput={"s3DataDestination": {"path": f"s3://{bucket}/{prefix}"}},  # type: ignore[arg-type]
            roleArn=self.cloud.deployment.personalize_role_arn,
        )
        client = self.cloud.client("s3")
        keys = [found["Key"] for found in client.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
        texts = [client.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
        return sorted(line for text in texts for line in text.splitlines()[1:] if line)
