"""A cloud in a process of its own that changes something of everything, over and over, and says so after each round.

python -m tests.personalize_local.state.writer DIRECTORY
"""

import itertools
import sys
from pathlib import Path

from personalize_local.cloud import Cloud
from personalize_local.state.directory import taken
from personalize_local.state.moments import kept

TABLE = {
    "TableName": "rounds",
    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "n", "AttributeType": "N"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def main(directory: Path) -> None:
    """Write rounds until killed: an object, then an item, then a schema, each of the same number."""
    with taken(directory) as state, Cloud(state=state) as cloud:
        cloud.client("dynamodb").create_table(**TABLE)
        with kept(state):
            s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
            s3.create_bucket(Bucket="rounds")
            for n in itertools.count():
                s3.put_object(Bucket="rounds", Key=f"{n:06d}", Body=f"round {n}".encode(), Metadata={"round": str(n)})
                dynamodb.put_item(TableName="rounds", Item={"n": {"N": str(n)}})
                s3.delete_object(Bucket="rounds", Key=f"{n - 3:06d}")
                sys.stdout.write(f"{n}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
