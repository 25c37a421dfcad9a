"""List what the local service does, rule by rule, and how sure each rule is: the table behind docs/fidelity.md."""

from dataclasses import dataclass
from typing import Final, Literal

Standing = Literal["as documented", "as observed", "our choice", "not done"]


@dataclass(frozen=True)
class Rule:
    """One rule. `source` says where it is from; `switch` turns a choice; `test` fails when the rule is broken."""

    area: str
    rule: str
    standing: Standing
    source: str = ""
    switch: str = ""
    test: str = ""


_DOCUMENTED: Final[Standing] = "as documented"
_OBSERVED: Final[Standing] = "as observed"
_CHOICE: Final[Standing] = "our choice"
_NOT_DONE: Final[Standing] = "not done"

RULES: Final[tuple[Rule, ...]] = (
    # The wire
    Rule("wire", "operations, members, types and error classes", _DOCUMENTED, "botocore model",
         test="test_every_operation_succeeds_and_answers_in_its_shape"),
    Rule("wire", "control-plane errors are HTTP 400; runtime and events have codes of their own", _DOCUMENTED,
         "API reference", test="test_a_declared_error_is_raised"),
    Rule("wire", "unknown members are ignored", _DOCUMENTED, "awsJson1_1 protocol", "unknown_member",
         "test_unknown_members_are_ignored_as_the_protocol_demands"),
    Rule("wire", "broken patterns, maxima and enumerations: which exception", _CHOICE, "", "constraint_violation",
         "test_malformed_bodies"),
    Rule("wire", "ARNs of another region or account are not found", _CHOICE,
         test="test_arns_of_another_region_or_account_are_not_found"),
    Rule("wire", "order of checks: shape, ARN, existence, name, state, sense, quota", _CHOICE,
         test="test_names_are_checked_before_states_and_states_before_sense"),
    # Names and lists
    Rule("names", "unique per account and region; job names are never free again", _DOCUMENTED, "developer guide",
         test="test_the_first_import_must_be_full_and_a_job_name_is_used_up"),
    Rule("names", "`Another resource with Arn … already exists.`", _OBSERVED, "public logs",
         test="test_a_taken_name_is_told_in_the_services_words"),
    Rule("names", "the ARN of a named version", _CHOICE, "", "named_version_arn",
         "test_what_nobody_knows_is_a_switch"),
    Rule("names", "an unnamed version is called `<solution>/<8 hex>`", _OBSERVED, "aws-samples notebooks",
         test="test_a_named_version_has_its_name_in_the_arn_and_an_unnamed_one_an_id"),
    Rule("lists", "pages of 1-100; a token fits its own question only", _DOCUMENTED, "botocore model",
         test="test_a_token_belongs_to_its_own_question"),
    Rule("lists", "order", _CHOICE, "samples show the newest first", "list_order",
         "test_pages_hold_everything_once_newest_first"),
    Rule("lists", "an unknown parent gives an empty list; ListSolutionVersions does not find it", _CHOICE,
         "the model", "unknown_list_parent", "test_lists_are_narrowed_to_a_parent"),
    Rule("lists", "ListCampaigns takes the ARN of a solution's version for the solution's", _OBSERVED,
         "aws-samples notebooks", test="test_campaigns_are_listed_by_the_arn_of_a_version"),
    Rule("wire", "a region that AWS does not have: InvalidSignatureException, from every service", _CHOICE,
         "what AWS says of a signature for another region", test="test_without_a_network_personalize_says_the_same"),
    Rule("lists", "ListRecipes without a domain lists all", _CHOICE, test="test_recipes_of_a_domain"),
    Rule("tags", "at most 50; told by ListTagsForResource only", _DOCUMENTED, "developer guide",
         test="test_tags_are_told_by_one_operation_only"),
    # States
    Rule("states", "status words of every resource", _DOCUMENTED, "API reference",
         test="test_a_dataset_group_and_a_dataset_are_created_and_deleted_in_the_documented_words"),
    Rule("states", "words of batch jobs", _OBSERVED, "aws-samples notebooks; the documentation has others",
         "batch_status_words", "test_a_batch_job_speaks_as_observed_or_as_documented"),
    Rule("states", "a parent that is not ACTIVE: which exception", _CHOICE, "", "parent_not_active",
         "test_the_class_for_a_parent_not_active_is_a_switch"),
    Rule("states", "a dataset's update shows in its own status", _OBSERVED, "aws-samples notebooks",
         test="test_a_dataset_tells_its_update_in_its_own_status"),
    Rule("states", "a campaign's update shows beside it; the old version serves meanwhile and after a failure",
         _DOCUMENTED, "developer guide", test="test_a_failed_update_leaves_the_old_version_serving"),
    Rule("states", "an update of a campaign to what it has already is an update like any other", _CHOICE,
         test="test_an_update_to_the_same_settings_is_an_update"),
    Rule("states", "`$LATEST` campaigns deploy each new ACTIVE version", _DOCUMENTED, "developer guide",
         test="test_a_campaign_follows_the_latest_version"),
    Rule("states", "which version a `$LATEST` campaign shows", _CHOICE, "", "following_campaign_shows",
         "test_what_nobody_knows_is_a_switch"),
    Rule("states", "stopping a training: CREATE STOPPING, CREATE STOPPED", _DOCUMENTED, "API reference",
         test="test_a_training_stops_by_way_of_create_stopping"),
    Rule("states", "recommenders stop and start", _DOCUMENTED, "API reference",
         test="test_a_recommender_is_stopped_and_started"),
    Rule("states", "durations: drawn around those seen in public notebooks", _OBSERVED, "aws-samples notebooks",
         test="test_a_draw_is_the_same_for_the_same_seed_and_stays_within_the_jitter"),
    Rule("states", "what takes a minute at most on AWS takes at most as many real seconds, however slow the clock",
         _CHOICE, "programs sleep in real seconds", test="test_what_is_quick_on_aws_is_quick_on_a_slow_clock"),
    Rule("states", "PutEvents takes the id of a tracker that is still being created", _CHOICE,
         "public programs put events at once", test="test_events_may_follow_their_tracker_at_once"),
    Rule("states", "deletions are refused while something depends on the resource", _DOCUMENTED, "developer guide",
         test="test_deletions_are_refused_while_something_depends_on_them"),
    Rule("states", "deleting what is still needed: which exception", _CHOICE, "the rule is documented",
         "deletion_of_what_is_needed", "test_what_nobody_knows_is_a_switch"),
    Rule("states", "a group being deleted cannot be deleted again", _OBSERVED, "retail-demo-store issue 527",
         test="test_a_group_being_deleted_cannot_be_deleted_again"),
    # Data
    Rule("data", "a schema must be Avro, fit its domain, and later its dataset; by default a text that is no JSON "
         "object is kept, and no dataset can have it", _DOCUMENTED, "developer guide",
         "schema_check", "test_a_schema_must_be_avro_from_the_start"),
    Rule("data", "`Invalid Data location.`", _DOCUMENTED, "guide, error messages",
         test="test_a_data_location_must_be_a_csv_or_a_folder"),
    Rule("data", "the first import is FULL", _DOCUMENTED, "developer guide",
         test="test_the_first_import_must_be_full_and_a_job_name_is_used_up"),
    Rule("data", "a folder is read on its first level", _DOCUMENTED, "developer guide",
         test="test_a_folder_is_read_on_its_first_level_only"),
    Rule("data", "missing rights fail the job, not the call", _DOCUMENTED, "developer guide",
         test="test_missing_rights_and_files_show_in_the_job_not_in_the_call"),
    Rule("data", "rows count from the end of the real import, not from the simulated one", _CHOICE),
    Rule("data", "a second event tracker in a group: which exception", _CHOICE, "the rule is documented",
         "second_event_tracker", "test_a_group_has_one_tracker_and_one_attribution"),
    Rule("data", "a second metric attribution in a group: which exception", _CHOICE, "the rule is documented",
         "second_metric_attribution", "test_a_group_has_one_tracker_and_one_attribution"),
    Rule("data", "events of an anonymous session join the user who signs in", _DOCUMENTED, "developer guide",
         test="test_a_sessions_events_join_the_user_who_shows_up"),
    Rule("data", "a session's earlier events go to the first user who shows up in it, and to no second one", _CHOICE,
         test="test_a_sessions_earlier_events_go_to_the_first_user_who_shows_up"),
    Rule("data", "an event without what its schema requires is refused", _CHOICE,
         test="test_an_event_that_is_no_row_is_refused"),
    Rule("data", "an event whose eventId has come before is taken once", _CHOICE, "the id's purpose is not documented",
         test="test_an_event_id_counts_once"),
    Rule("data", "properties the schema does not know are left out", _CHOICE,
         test="test_properties_of_entities_are_camel_case_columns"),
    Rule("data", "filters are refused in the words of the guide's error page", _DOCUMENTED, "guide, error messages",
         test="test_a_filter_that_cannot_work_is_refused_in_the_services_words"),
    # Training
    Rule("training", "settings are checked against the recipe and its hyperparameters' ranges", _DOCUMENTED,
         "developer guide", test="test_a_solution_must_fit_its_recipe"),
    Rule("training", "automatic training is on by default, within the hour, then by schedule if there is new data",
         _DOCUMENTED, "developer guide", "automatic_training", "test_the_first_training_comes_within_the_hour"),
    Rule("training", "automatic trainings begin with the first call after they are due", _CHOICE,
         "no thread of the service wakes by itself", test="test_it_is_repeated_only_when_there_is_new_data"),
    Rule("training", "missing datasets are refused in the call: which exception", _CHOICE, "",
         "missing_training_data", "test_a_version_needs_its_datasets_and_update_needs_a_full_one"),
    Rule("training", "a training may begin while an import is under way", _CHOICE, "the guide says to wait",
         "training_during_import", "test_a_training_beside_an_import_is_a_switch"),
    Rule("training", "trainingMode UPDATE needs new data in a dataset since the last version", _OBSERVED,
         "aws-samples, PersonalizeCheatSheet2.0", "update_needs_new_data", "test_an_update_needs_new_data"),
    Rule("training", "a version may be asked for before its solution is ACTIVE", _OBSERVED,
         "deployed AWS code (Maintaining Personalized Experiences) waits 5 s or not at all",
         test="test_a_version_may_follow_its_solution_at_once"),
    Rule("training", "average_rewards_at_k is reported with the sensitivity OFF, too", _OBSERVED,
         "aws-samples, objective optimization notebook", test="test_an_objective_raises_what_recommendations_earn"),
    Rule("training", "an unknown recipe: which exception", _CHOICE, "", "unknown_recipe",
         "test_names_are_checked_before_states_and_states_before_sense"),
    Rule("training", "trainingHours are billed hours: 3.2 for an hour of simulated time", _OBSERVED,
         "aws-samples notebooks", test="test_training_hours_are_billed_hours"),
    # Batch and runtime
    Rule("batch", "numResults may be 1 to 500", _CHOICE, "no maximum is documented", "batch_num_results_maximum",
         "test_a_batch_job_must_make_sense"),
    Rule("batch", "output is `<path><input name>.out`", _DOCUMENTED, "developer guide",
         test="test_a_batch_job_speaks_as_observed_or_as_documented"),
    Rule("batch", "themes only in three regions", _DOCUMENTED, "developer guide", "theme_regions",
         "test_themes_need_their_region_and_columns"),
    Rule("runtime", "a campaign or recommender that is not ACTIVE is not found", _CHOICE,
         test="test_a_campaign_that_never_came_up_can_be_updated"),
    Rule("runtime", "what a question must name follows from the type of the recipe; popular items need nobody",
         _DOCUMENTED, "API reference, GetRecommendations", test="test_a_question_says_what_the_type_of_recipe_takes"),
    Rule("runtime", "a filter must pick what the recipe recommends: items, users or actions", _DOCUMENTED,
         "developer guide", test="test_a_filter_must_pick_what_is_recommended"),
    Rule("runtime", "each call is for campaigns of its own kind of recipe", _DOCUMENTED, "developer guide",
         test="test_each_call_has_its_own_kind_of_campaign"),
    # Access
    Rule("access", "a job needs the leave of its role's policies and of the bucket's policy; without it CREATE FAILED",
         _DOCUMENTED, "developer guide, access to S3 resources",
         test="test_a_statement_taken_away_fails_the_jobs_that_need_it"),
    Rule("access", "reading needs s3:GetObject and s3:ListBucket; writing s3:PutObject and s3:ListBucket", _DOCUMENTED,
         "developer guide, access to S3 resources",
         test="test_a_statement_taken_away_fails_the_jobs_that_need_it"),
    Rule("access", "a role that Personalize may not assume is refused in the call, as InvalidInputException", _CHOICE,
         "the trust policy is documented, the answer is not",
         test="test_a_role_that_does_not_trust_personalize_is_refused_in_the_call"),
    Rule("access", "a failure's reason names what is missing, after the service's own words", _CHOICE,
         test="test_a_statement_taken_away_fails_the_jobs_that_need_it"),
    Rule("access", "whose policies count: of roles that the local IAM has and of buckets that have a policy; a role it "
         "does not have may do all (always: roles and bucket policies must exist; never: nothing is checked)", _CHOICE,
         "programs that made no role in the local cloud go on working", "access_policies",
         "test_a_role_that_iam_does_not_have"),
    # Quotas
    Rule("quotas", "limits and both messages", _DOCUMENTED, "quota page; guide, error messages", "quotas",
         "test_five_imports_at_a_time_and_the_slot_frees_itself"),
    Rule("quotas", "distinct fields of filters: 10 in one, 20 in a group", _DOCUMENTED, "quota page",
         test="test_filters_share_a_quota_of_fields"),
    # Not done
    Rule("access", "kmsKeyArn and roleArn of a dataset group come together; kmsKeyArn of jobs is checked for its shape",
         _DOCUMENTED, "API reference", test="test_key_and_role_of_a_group_come_together"),
    Rule("access", "KMS keys, permissions boundaries and policies of organizations are not evaluated", _NOT_DONE),
    Rule("rates", "requests are not throttled by themselves; the throttle fault does it", _NOT_DONE,
         test="test_a_share_of_calls_is_throttled"),
    Rule("runtime", "minProvisionedTPS changes nothing but what is shown", _NOT_DONE),
    Rule("data", "metric attributions are kept and checked, their reports are not written", _NOT_DONE),
    Rule("data", "sessions and seen event ids are forgotten when the service stops", _NOT_DONE),
    Rule("training", "domain recommenders do not retrain by themselves every 7 days", _NOT_DONE),
    Rule("training", "the two-hourly updates of User-Personalization; new items wait for a new version", _NOT_DONE),
    Rule("training", "the prefixes of hyperparameter names that DescribeSolution shows after HPO", _NOT_DONE),
    Rule("monitoring", "metrics in AWS/Personalize but those of requests, and CloudTrail events", _NOT_DONE),
)  # fmt: skip

# Declared in the model, and nothing in the documentation says what could bring them about.
NEVER_RAISED: Final = frozenset(
    {
        ("ListTagsForResource", "ResourceInUseException"),
        ("TagResource", "LimitExceededException"),
        ("TagResource", "ResourceInUseException"),
        ("UntagResource", "ResourceInUseException"),
        ("UpdateSolution", "LimitExceededException"),
    }
)
