"""List every limit of AWS that the local cloud enforces: its value, and who says so.

The code that enforces a limit reads its value here, and `docs/limits.md` is written from this table.
"""

from dataclasses import dataclass

_KIB = 1024
_MIB = 1024 * _KIB
_LAMBDA = "AWS Lambda Developer Guide, Lambda quotas"
_STATES = "AWS Step Functions Developer Guide, Step Functions service quotas"
_DYNAMODB = "Amazon DynamoDB Developer Guide, Quotas in Amazon DynamoDB"


@dataclass(frozen=True)
class Limit:
    """One limit: what it is about, how much is allowed, what happens beyond it, and where AWS says so."""

    about: str
    value: int
    unit: str
    failure: str
    source: str


VCPU_MIB = Limit(
    "memory at which a function has one whole vCPU; less memory, so much less CPU",
    1769,
    "MiB",
    "the function's time-out, once it has used `Timeout` * `MemorySize` / 1,769 of CPU time",
    "AWS Lambda Developer Guide, Configure Lambda function memory",
)
FUNCTION_MEMORY = Limit(
    "memory of a function that sets no `MemorySize`",
    128,
    "MiB",
    "`Runtime.OutOfMemory`, the process is killed",
    _LAMBDA,
)
SYNCHRONOUS_PAYLOAD = Limit(
    "payload of a synchronous invocation", 6 * _MIB, "bytes", "`RequestEntityTooLargeException` (413)", _LAMBDA
)
RESPONSE_PAYLOAD = Limit(
    "what a handler returns, as JSON",
    6 * _MIB + 100,
    "bytes",
    "`Function.ResponseSizeTooLarge`",
    "the service's own error text",
)
ASYNCHRONOUS_PAYLOAD = Limit(
    "payload of an asynchronous invocation",
    _MIB,
    "bytes",
    "`RequestEntityTooLargeException` (413)",
    "botocore's model of Lambda, Invoke",
)
STATE_DATA = Limit(
    "input, result and output of a state and of an execution, as UTF-8",
    256 * _KIB,
    "bytes",
    "`States.DataLimitExceeded`, which `States.ALL` does not match",
    _STATES,
)
HISTORY_EVENTS = Limit(
    "events in the history of an execution", 25_000, "events", "`States.Runtime`; nothing can catch it", _STATES
)
EXECUTION_NAME = Limit(
    "name of an execution or a state machine", 80, "characters", "`ValidationException`", "botocore's model, `Name`"
)
OBJECT_KEY = Limit(
    "key of an object, as UTF-8", 1024, "bytes", "`KeyTooLongError` (400)", "Amazon S3 User Guide, Naming objects"
)
PARTITION_KEY = Limit("partition key of a table or an index", 2048, "bytes", "`ValidationException`", _DYNAMODB)
SORT_KEY = Limit("sort key of a table or an index", 1024, "bytes", "`ValidationException`", _DYNAMODB)
ITEM = Limit("an item, names and values, as UTF-8", 400 * _KIB, "bytes", "`ValidationException`", _DYNAMODB)
ITEM_COLLECTION = Limit(
    "items of one partition key in a table with a local index, index entries included",
    10 * 1024 * _MIB,
    "bytes",
    "`ItemCollectionSizeLimitExceededException`",
    _DYNAMODB,
)
TRANSACTION_ITEMS = Limit("items of a transaction", 100, "items", "`ValidationException`", _DYNAMODB)
TRANSACTION = Limit("all items of a transaction", 4 * _MIB, "bytes", "`ValidationException`", _DYNAMODB)
BATCH_WRITES = Limit("requests of a BatchWriteItem", 25, "requests", "`ValidationException`", _DYNAMODB)
BATCH = Limit("all requests of a BatchWriteItem", 16 * _MIB, "bytes", "`ValidationException`", _DYNAMODB)
MESSAGE = Limit(
    "a message with its attributes, or a batch of messages, as UTF-8",
    _MIB,
    "bytes",
    "`InvalidParameterValue`, `BatchRequestTooLong`",
    "botocore's model of SQS, SendMessage (256 KiB until 2025)",
)
EVENTS_ENTRIES = Limit(
    "all entries of a PutEvents, as UTF-8",
    _MIB,
    "bytes",
    "`ValidationException`",
    "botocore's model of EventBridge, PutEvents (256 KiB until 2026)",
)

LIMITS = tuple(limit for limit in globals().values() if isinstance(limit, Limit))
