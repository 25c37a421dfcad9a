"""Where the service's documentation is silent: what the engine does, and the test that holds it to it.

For the page that says where this emulation is sure of itself and where not.
"""

from typing import Final

from emulator.fidelity.model_rules import MODEL_CHOICES, MODEL_NOT_DONE
from emulator.fidelity.rule import Choice

CHOICES: Final[tuple[Choice, ...]] = (
    Choice(
        "schema", "record names must be the dataset type's own (Interactions, Items, …)", "must be named Interactions"
    ),
    Choice("schema", "a missing version or namespace is accepted, another version than 1.0 is not", "another version"),
    Choice("import", "columns are matched by name, in any order", "another order (choice)"),
    Choice("import", "columns the schema lacks are ignored", "extra column (choice)"),
    Choice("import", "a byte order mark is skipped", "byte order mark (choice)"),
    Choice("import", "doubled quotes are read like quotes after a backslash", "doubled quotes (choice)"),
    Choice("import", "a backslash before anything else is a character", "other backslashes are plain (choice)"),
    Choice("import", "a blank line fails the import", "a blank line"),
    Choice("import", "a value over two lines fails the import", "a quoted line end"),
    Choice("import", "numbers that are not finite fail the import", "infinity"),
    Choice("import", "times from 100,000,000,000 on are taken for milliseconds and fail", "milliseconds"),
    Choice("import", "times in the future are accepted", "test_future_times_pass_by_choice"),
    Choice(
        "import",
        "one bad row fails the whole import; earlier rows stay",
        "test_a_failed_import_leaves_the_earlier_rows",
    ),
    Choice(
        "import", "the 1,000 interactions are rows read, duplicates included", "test_interactions_need_a_thousand_rows"
    ),
    Choice(
        "rows",
        "the row that came last wins an id, bulk or streamed",
        "test_the_newest_row_of_an_id_wins_whichever_way_it_came",
    ),
    Choice("rows", "a later schema gives older rows nulls", "test_a_younger_schema_gives_old_rows_nulls"),
    Choice("export", "one file named after the dataset type", "test_exports_and_drops"),
    Choice("export", "a line end in a value becomes a blank", "test_a_line_end_in_a_value_becomes_a_blank"),
    Choice("filter", "AND binds closer than OR", "test_and_binds_closer_than_or_by_choice"),
    Choice(
        "filter", "a missing value passes no test, NOT IN included", "test_a_missing_value_passes_no_test_by_choice"
    ),
    Choice("filter", "dataset and column names are found in any case", "test_says_what_the_expression_says"),
    Choice(
        "filter", "a rule whose IF does not hold is as if absent", "test_a_rule_counts_only_for_users_who_pass_its_if"
    ),
    Choice("filter", "values of parameters must be in double quotes or numbers", "test_refuses_filter_values"),
    *MODEL_CHOICES,
)

NOT_DONE: Final[tuple[Choice, ...]] = (
    Choice("import", "distinct event types and optional columns together may be more than 10", ""),
    Choice("import", "event types of action interactions may be others than Taken, Not Taken and Viewed", ""),
    Choice("filter", "users without events for three months keep their history in filters", ""),
    *MODEL_NOT_DONE,
)
