"""Tell what happened to an uploaded file, version by version, as the ledger has it: the command `file`.

The same question on AWS, without this program:

    aws dynamodb query --table-name LEDGER --key-condition-expression 'dataset = :d AND begins_with(entry, :e)' \
        --expression-attribute-values '{":d": {"S": "movies/interactions"}, ":e": {"S": "file#monday.csv#"}}'
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.bucket_layout import BatchInput, GroupRequest, Ignored, UserList, parse_key
from lambdas.gateways.dynamodb import DynamoTable
from lambdas.gateways.table import Table
from lambdas.uploads.import_selection import why_it_waits
from lambdas.uploads.lease import Leases
from lambdas.uploads.ledger import Ledger
from lambdas.uploads.records.file_row import FileRow, FileState
from personalize_local.command_line import endpoint

_IMPATIENT = Config(connect_timeout=5, retries={"total_max_attempts": 2})


class _NoLedgerError(Exception):
    """No table, or more than one, looks like the ledger."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("key", help="the object's key, uploads/<dataset group>/<dataset>/…")
    parser.add_argument(
        "--endpoint", type=endpoint, help="where serve said it is READY, http://127.0.0.1:PORT; without it, AWS"
    )
    parser.add_argument("--table", help="the ledger's name (default: the only table that is called a ledger)")


def run(arguments: argparse.Namespace) -> int:
    """Print what the ledger knows of the key; 1 when it knows nothing."""
    local = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    options: dict[str, Any] = {"endpoint_url": arguments.endpoint, **local} if arguments.endpoint else {}
    try:
        client = boto3.client("dynamodb", config=_IMPATIENT, **options)
        table = arguments.table or _ledger_name(client)
        history = list(describe(arguments.key, DynamoTable(client, table)))
    except (BotoCoreError, ClientError, _NoLedgerError) as error:
        sys.stderr.write(f"the ledger cannot be read: {error}\n")
        return 2
    sys.stdout.write("\n".join(history or [f"the ledger knows nothing of {arguments.key}"]) + "\n")
    return 0 if history else 1


def describe(key: str, table: Table) -> Iterator[str]:
    """Yield what became of each version of an object, the oldest first."""
    meaning = parse_key(key)
    if isinstance(meaning, BatchInput | GroupRequest | Ignored | UserList):
        yield f"{key} is no dataset's file: it starts a state machine, if anything, and leaves no row in the ledger"
        return
    ledger, key_of_dataset = Ledger(table), meaning.dataset_key
    for row in sorted(ledger.versions(key_of_dataset, key), key=lambda row: row.queue_position):
        yield from _tell(row)
        if row.state in {FileState.WAITING, FileState.CLAIMED}:
            lease = Leases(table, lambda _: True).read(key_of_dataset)
            yield f"  waits: {why_it_waits(row, ledger.unsettled(key_of_dataset), lease)}"


def _tell(row: FileRow) -> Iterable[str]:
    yield f"{row.state}: version {row.version}, {row.size_bytes:,} bytes, arrived {row.arrived}"
    facts = {
        "settled": row.settled,
        "rows": f"{row.rows:,}" if row.inspected else "",
        "bad rows": f"{row.bad_rows:,}" if row.bad_rows else "",
        "import job": row.job_arn or row.batch,
        "failed imports": str(row.attempts or ""),
        "reason": row.reason,
    }
    yield from (f"  {name}: {fact}" for name, fact in facts.items() if fact)


def _ledger_name(client: Any) -> str:
    names = [name for name in client.list_tables().get("TableNames", []) if "ledger" in name.lower()]
    if len(names) != 1:
        raise _NoLedgerError(f"name it with --table; there are the tables {', '.join(names) or 'none'}")
    return str(names[0])
