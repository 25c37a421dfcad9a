"""List what the recommenders do where the service's documentation is silent, and the test of each rule."""

from typing import Final

from personalize_local.fidelity.rule import EngineRule

MODEL_RULES: Final[tuple[EngineRule, ...]] = (
    EngineRule(
        "training",
        "User-Personalization is EASE, or factors from 100,000 users on, blended with the order of events where that"
        " helps on users set aside",
        "test_recommendations_follow_taste",
    ),
    EngineRule(
        "training",
        "how many take an item, and how many more do now, counts in User-Personalization where that helps on users set"
        " aside; metrics go by when each user was last there",
        "test_where_fashions_change_the_newest_is_recommended_whenever_a_user_was_there",
    ),
    EngineRule(
        "training",
        "SIMS's percentiles of item counts temper popularity; read as a ban, the popular tenth would never be listed",
        "test_outside_the_percentiles_popularity_is_trusted_less",
    ),
    EngineRule(
        "training",
        "items a user has are ranked last, unless users are seen to come back to theirs",
        "test_where_users_come_back_items_they_have_are_recommended",
    ),
    EngineRule(
        "training",
        "items without interactions are listed beside items with the same metadata",
        "test_cold_items_are_listed_beside_those_they_are_like",
    ),
    EngineRule(
        "training", "event types that eventsConfig does not name do not count", "test_event_weights_decide_what_counts"
    ),
    EngineRule(
        "training",
        "an objective adds logits of 0.25, 0.5 or 1 per standard deviation of the column",
        "test_an_objective_raises_what_recommendations_earn",
    ),
    EngineRule(
        "training",
        "string columns of the Users dataset speak for users without history only",
        "test_users_without_history_get_what_users_like_them_like",
    ),
    EngineRule(
        "training",
        "the kept model is fitted to everybody; its metrics come from one fitted without the test users",
        "test_a_tenth_of_the_users_is_never_trained_on",
    ),
    EngineRule(
        "training",
        "performHPO tries 8 sets of values when no number of jobs is given",
        "test_tuning_reports_what_it_searched",
    ),
    EngineRule(
        "training",
        "trainingMode UPDATE keeps hyperparameters and choices of the version before",
        "test_an_update_keeps_what_the_full_training_chose",
    ),
    EngineRule(
        "metrics", "every tenth user is a test user, drawn by a seed", "test_a_tenth_of_the_users_is_never_trained_on"
    ),
    EngineRule(
        "metrics",
        "weighted NDCG is reported at 5, 10 and 25, as ..._with_event_weights_at_5 and so on",
        "test_fact_weights_only_matter_as_ratios",
    ),
    EngineRule(
        "metrics",
        "Trending-Now calls its own metric trend_prediction_accuracy",
        "test_trending_reports_its_own_metric",
    ),
    EngineRule(
        "metrics",
        "Semantic-Similarity reports coverage, item_freshness, item_popularity and item_similarity only",
        "test_items_with_like_texts_are_listed_even_without_interactions",
    ),
    EngineRule(
        "metrics",
        "Next-Best-Action reports area_under_the_curve, precision and recall",
        "test_actions_follow_behaviour",
    ),
    EngineRule(
        "answers",
        "promoted items need not pass the main filter",
        "test_promotions_take_their_share_at_random_places",
    ),
    EngineRule(
        "answers",
        "exploration draws from the 200 newest items, the same for the same question",
        "test_exploration_is_the_same_for_the_same_question",
    ),
    EngineRule(
        "answers",
        "new items are drawn by their logits, stretched to a spread of one where they hardly differ",
        "test_chance_alone_does_not_decide_among_items_that_hardly_differ",
    ),
    EngineRule(
        "answers",
        "recipes that explore by themselves give a tenth of the places to new items",
        "test_exploration_of_the_second_version_is_a_tenth",
    ),
    EngineRule(
        "answers",
        "an item in the list to rank that nobody has met comes last, without a score",
        "test_fact_ranking_scores_sum_to_one_over_the_list_and_unknown_items_come_last",
    ),
    EngineRule(
        "batch",
        "the wording of line errors, apart from the missing fields",
        "test_a_bad_line_says_why_and_harms_no_other",
    ),
    EngineRule("batch", "blank lines are skipped", "test_a_bad_line_says_why_and_harms_no_other"),
    EngineRule("batch", "output lines keep the order of the input", "test_answers_are_those_of_one_question_at_a_time"),
    EngineRule("batch", "an unknown item gets popular items", "test_similar_items_have_no_scores"),
    EngineRule(
        "batch",
        "themes are named by the words the listed items share, not by a language model",
        "test_fact_themes_name_the_list_and_judge_each_item",
    ),
    EngineRule("batch", "segments list users whether or not they have the item", "test_fact_segments_list_users"),
)

MODEL_NOT_DONE: Final[tuple[EngineRule, ...]] = (
    EngineRule("training", "contextual columns of interactions do not change recommendations", ""),
    EngineRule("training", "impressions and recommendation ids are not learned from", ""),
    EngineRule("training", "HRNN-Coldstart does not ask for 100 to 80,000 cold items", ""),
    EngineRule("answers", "customers-who-viewed-x-also-viewed does not drop purchased items", ""),
    EngineRule("answers", "context is accepted without effect", ""),
    EngineRule("answers", "no placeholders without score when a filter leaves too little (version 2)", ""),
    EngineRule("answers", "new items of the Items dataset are known from the next training on", ""),
)
