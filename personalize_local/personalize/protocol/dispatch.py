"""Map the names of all operations in the service models to what answers them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from personalize_local.personalize.operations import (
    batch_jobs,
    campaigns,
    catalogue,
    data_jobs,
    dataset_groups,
    datasets,
    event_ingestion,
    filters,
    recommendations,
    recommenders,
    solution_versions,
    solutions,
    tags,
    trackers,
)
from personalize_local.personalize.protocol.describing import describe, list_all
from personalize_local.personalize.resources.account import Account
from personalize_local.personalize.resources.records import Members
from personalize_local.personalize.resources.resource_types import TYPES

Operation = Callable[[Account, Members], Members | None]

_WRITTEN: Final[Mapping[str, Operation]] = {
    "CreateBatchInferenceJob": batch_jobs.create_batch_inference_job,
    "CreateBatchSegmentJob": batch_jobs.create_batch_segment_job,
    "CreateCampaign": campaigns.create_campaign,
    "CreateDataDeletionJob": data_jobs.create_data_deletion_job,
    "CreateDataset": datasets.create_dataset,
    "CreateDatasetExportJob": data_jobs.create_dataset_export_job,
    "CreateDatasetGroup": dataset_groups.create_dataset_group,
    "CreateDatasetImportJob": data_jobs.create_dataset_import_job,
    "CreateEventTracker": trackers.create_event_tracker,
    "CreateFilter": filters.create_filter,
    "CreateMetricAttribution": trackers.create_metric_attribution,
    "CreateRecommender": recommenders.create_recommender,
    "CreateSchema": dataset_groups.create_schema,
    "CreateSolution": solutions.create_solution,
    "CreateSolutionVersion": solution_versions.create_solution_version,
    "DeleteCampaign": campaigns.delete_campaign,
    "DeleteDataset": datasets.delete_dataset,
    "DeleteDatasetGroup": dataset_groups.delete_dataset_group,
    "DeleteEventTracker": trackers.delete_event_tracker,
    "DeleteFilter": filters.delete_filter,
    "DeleteMetricAttribution": trackers.delete_metric_attribution,
    "DeleteRecommender": recommenders.delete_recommender,
    "DeleteSchema": dataset_groups.delete_schema,
    "DeleteSolution": solutions.delete_solution,
    "DescribeAlgorithm": catalogue.describe_algorithm,
    "DescribeFeatureTransformation": catalogue.describe_feature_transformation,
    "DescribeRecipe": catalogue.describe_recipe,
    "GetSolutionMetrics": solution_versions.get_solution_metrics,
    "ListMetricAttributionMetrics": trackers.list_metric_attribution_metrics,
    "ListRecipes": catalogue.list_recipes,
    "ListTagsForResource": tags.list_tags_for_resource,
    "StartRecommender": recommenders.start_recommender,
    "StopRecommender": recommenders.stop_recommender,
    "StopSolutionVersionCreation": solution_versions.stop_solution_version_creation,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "UpdateCampaign": campaigns.update_campaign,
    "UpdateDataset": datasets.update_dataset,
    "UpdateMetricAttribution": trackers.update_metric_attribution,
    "UpdateRecommender": recommenders.update_recommender,
    "UpdateSolution": solutions.update_solution,
}

CONTROL_PLANE: Final[Mapping[str, Operation]] = {
    **_WRITTEN,
    **{f"Describe{row.pascal}": partial(describe, noun=noun) for noun, row in TYPES.items()},
    **{f"List{row.pascal}s": partial(list_all, noun=noun) for noun, row in TYPES.items()},
}

DATA_PLANE: Final[Mapping[str, Operation]] = {
    "GetActionRecommendations": recommendations.get_action_recommendations,
    "GetPersonalizedRanking": recommendations.get_personalized_ranking,
    "GetRecommendations": recommendations.get_recommendations,
    "PutActionInteractions": event_ingestion.put_action_interactions,
    "PutActions": event_ingestion.put_actions,
    "PutEvents": event_ingestion.put_events,
    "PutItems": event_ingestion.put_items,
    "PutUsers": event_ingestion.put_users,
}
