"""The stage's key under what a request says; overlaid at every depth."""

from lambdas.requests.inherited_key import encrypted_files, encrypted_group, encrypted_metrics, overlaid

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = KEY.replace("1234abcd", "9876fedc")
ROLE = "arn:aws:iam::123456789012:role/data"
FILES = {"jobOutput": {"s3DataDestination": encrypted_files("s3://bucket/results/", KEY)}}


def test_a_group_inherits_the_key_and_the_role_that_uses_it() -> None:
    assert encrypted_group({"name": "movies"}, KEY, ROLE) == {"name": "movies", "kmsKeyArn": KEY, "roleArn": ROLE}


def test_a_group_of_a_stage_without_a_key_has_neither() -> None:
    assert encrypted_group({"name": "movies"}, None, ROLE) == {"name": "movies"}


def test_a_request_names_another_key_or_none() -> None:
    assert encrypted_group({"kmsKeyArn": OTHER}, KEY, ROLE) == {"kmsKeyArn": OTHER, "roleArn": ROLE}
    assert encrypted_group({"kmsKeyArn": OTHER, "roleArn": "theirs"}, None, ROLE)["roleArn"] == "theirs"
    assert encrypted_group({"name": "movies", "kmsKeyArn": None}, KEY, ROLE) == {"name": "movies"}


def test_another_key_for_files_needs_no_path() -> None:
    given = {"jobOutput": {"s3DataDestination": {"kmsKeyArn": OTHER}}}
    assert overlaid(FILES, given)["jobOutput"]["s3DataDestination"] == {
        "path": "s3://bucket/results/",
        "kmsKeyArn": OTHER,
    }
    taken = {"jobOutput": {"s3DataDestination": {"kmsKeyArn": None}}}
    assert overlaid(FILES, taken)["jobOutput"]["s3DataDestination"] == {"path": "s3://bucket/results/"}


def test_another_path_has_the_stages_key_too() -> None:
    given = {"jobOutput": {"s3DataDestination": {"path": "s3://theirs/"}}}
    assert overlaid(FILES, given)["jobOutput"]["s3DataDestination"] == {"path": "s3://theirs/", "kmsKeyArn": KEY}


def test_what_the_request_says_instead_of_a_structure_is_left_for_the_check_to_refuse() -> None:
    assert overlaid(FILES, {"jobOutput": 3}) == {"jobOutput": 3}


def test_metrics_are_encrypted_where_they_are_written_to_a_bucket() -> None:
    assert encrypted_metrics({}, KEY, ROLE) == {"roleArn": ROLE}
    written = encrypted_metrics({"s3DataDestination": {"path": "s3://b/m/"}}, KEY, ROLE)
    assert written == {"roleArn": ROLE, "s3DataDestination": {"path": "s3://b/m/", "kmsKeyArn": KEY}}
