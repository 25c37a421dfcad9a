"""Parameters in Parameter Store, against moto's."""

import boto3
from moto import mock_aws

from lambdas.gateways.parameter_store import ParameterStore


@mock_aws
def test_parameters_are_written_read_and_gone() -> None:
    store = ParameterStore(boto3.client("ssm", region_name="eu-west-1"))
    names = [f"/stage/films/filter/{number}" for number in range(12)]  # a page holds ten
    for name in names:
        store.put(name, "first")
    store.put(names[0], "second")
    store.put("/stages/other", "of another stage")
    assert (store.get(names[0]), store.get(names[1])) == ("second", "first")
    assert dict(store.below("/stage/")) == {**dict.fromkeys(names, "first"), names[0]: "second"}
    for _ in range(2):
        store.delete(names[0])
    assert store.get(names[0]) is None
