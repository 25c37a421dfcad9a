"""List what the engine does where the service's documentation is silent, and the test that holds it to each rule.

For the page that says where this emulation is sure of itself and where not.
"""

from typing import Final

from personalize_local.fidelity.model_rules import MODEL_NOT_DONE, MODEL_RULES
from personalize_local.fidelity.rule import EngineRule

ENGINE_RULES: Final[tuple[EngineRule, ...]] = (
    EngineRule(
        "schema",
        "record names must be the dataset type's own (Interactions, Items, …), in any case and with any underscores",
        "test_refuses_what_does_not_fit_the_type[must be named Interactions]",
        source="in small letters in AWS's own configurations",
    ),
    EngineRule(
        "schema",
        "a missing version or namespace is accepted, and so is any other version that is text or a number",
        "test_a_public_schema[no version]",
        'aws-samples notebooks: ARNs for the number 1 and for "1.1"',
    ),
    EngineRule(
        "schema",
        "a union of one type is that type",
        "test_a_union_of_one_type_is_that_type",
        "as observed",
        "aws-samples notebooks: CreateSchema answered with an ARN",
    ),
    EngineRule(
        "filter",
        "`Action_Interactions`, `Action` and `> ($VALUE)` are taken as the guide writes them",
        "test_two_ways_to_write_it_mean_the_same",
        "as documented",
        "developer guide, filter expression examples",
    ),
    EngineRule(
        "filter",
        "text is compared with = and != like with IN and NOT IN; an order of texts is refused",
        "test_a_public_filter[INCLUDE ItemID WHERE Items.TITLE = $TITLE]",
        "as documented",
        "developer guide, action filter examples; users' reports of what AWS accepted",
    ),
    EngineRule("import", "columns are matched by name, in any order", "test_accepts[another order (choice)]"),
    EngineRule("import", "columns the schema lacks are ignored", "test_accepts[extra column (choice)]"),
    EngineRule("import", "a byte order mark is skipped", "test_accepts[byte order mark (choice)]"),
    EngineRule(
        "import", "doubled quotes are read like quotes after a backslash", "test_accepts[doubled quotes (choice)]"
    ),
    EngineRule(
        "import",
        "a backslash before anything else is a character",
        "test_accepts[other backslashes are plain (choice)]",
    ),
    EngineRule(
        "import",
        "a header in another case than the schema fails the import, as does an empty or odd cell in a plain int or long"
        ' column; AWS was seen to import such files, and `"uploads": {"uncertain": "IMPORT"}` hands them on',
        "test_refuses[names in another case]",
    ),
    EngineRule("import", "a blank line fails the import", "test_refuses[a blank line]"),
    EngineRule("import", "a value over two lines fails the import", "test_refuses[a quoted line end]"),
    EngineRule("import", "numbers that are not finite fail the import", "test_refuses[infinity]"),
    EngineRule(
        "import",
        "times from 100,000,000,000 on are taken for milliseconds and fail",
        "test_refuses_times[milliseconds]",
    ),
    EngineRule("import", "times in the future are accepted", "test_future_times_pass_by_choice"),
    EngineRule(
        "import",
        "one bad row fails the whole import; earlier rows stay",
        "test_a_failed_import_leaves_the_earlier_rows",
    ),
    EngineRule(
        "import", "the 1,000 interactions are rows read, duplicates included", "test_interactions_need_a_thousand_rows"
    ),
    EngineRule(
        "rows",
        "the row that came last wins an id, bulk or streamed",
        "test_the_newest_row_of_an_id_wins_whichever_way_it_came",
    ),
    EngineRule("rows", "a later schema gives older rows nulls", "test_a_younger_schema_gives_old_rows_nulls"),
    EngineRule("export", "one file named after the dataset type", "test_exports_and_drops"),
    EngineRule("export", "a line end in a value becomes a blank", "test_a_line_end_in_a_value_becomes_a_blank"),
    EngineRule("filter", "AND binds closer than OR", "test_and_binds_closer_than_or_by_choice"),
    EngineRule(
        "filter", "a missing value passes no test, NOT IN included", "test_a_missing_value_passes_no_test_by_choice"
    ),
    EngineRule("filter", "dataset and column names are found in any case", "test_says_what_the_expression_says"),
    EngineRule(
        "filter", "a rule whose IF does not hold is as if absent", "test_a_rule_counts_only_for_users_who_pass_its_if"
    ),
    EngineRule("filter", "values of parameters must be in double quotes or numbers", "test_refuses_filter_values"),
    *MODEL_RULES,
)

NOT_DONE: Final[tuple[EngineRule, ...]] = (
    EngineRule("import", "distinct event types and optional columns together may be more than 10", ""),
    EngineRule("import", "event types of action interactions may be others than Taken, Not Taken and Viewed", ""),
    EngineRule("filter", "users without events for three months keep their history in filters", ""),
    *MODEL_NOT_DONE,
)
