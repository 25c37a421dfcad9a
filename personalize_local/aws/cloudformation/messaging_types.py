"""Make topics, subscriptions and schedules from the properties of a template."""

import json

from personalize_local.aws.cloudformation.stack_resources import Properties, RemovableResource, ResourceContext


def schedule(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a schedule, or replace all settings of one."""
    client = context.client("scheduler")
    settings = {**properties, "Name": context.name}
    write = client.create_schedule if context.existing is None else client.update_schedule
    arn = write(**settings)["ScheduleArn"]
    where = {"Name": context.name, "GroupName": properties.get("GroupName", "default")}
    return RemovableResource(context.name, lambda: client.delete_schedule(**where), Arn=arn)


def schedule_group(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a group of schedules."""
    client = context.client("scheduler")
    if context.existing is None:
        client.create_schedule_group(Name=context.name, Tags=properties.get("Tags", []))
    arn = client.get_schedule_group(Name=context.name)["Arn"]
    return RemovableResource(
        context.name, lambda: client.delete_schedule_group(Name=context.name), Arn=arn, State="ACTIVE"
    )


def topic(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Make a topic; an update keeps it, with its subscriptions."""
    client = context.client("sns")
    flags = {name: "true" for name in ("FifoTopic", "ContentBasedDeduplication") if properties.get(name)}
    arn = client.create_topic(Name=context.name, Attributes=flags, Tags=properties.get("Tags", []))["TopicArn"]
    for name in ("DisplayName", "KmsMasterKeyId"):
        client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=properties.get(name, ""))
    for inline in properties.get("Subscription", []):
        client.subscribe(TopicArn=arn, **inline)
    return RemovableResource(arn, lambda: client.delete_topic(TopicArn=arn), TopicArn=arn, TopicName=context.name)


def subscription(properties: Properties, context: ResourceContext) -> RemovableResource:
    """Subscribe an endpoint; another endpoint, protocol or topic in an update is another subscription."""
    client = context.client("sns")
    who = {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    policies = {
        name: json.dumps(properties[name]) if name in properties else "" for name in ("FilterPolicy", "RedrivePolicy")
    }
    scope = properties.get("FilterPolicyScope", "MessageAttributes")
    raw = "true" if str(properties.get("RawMessageDelivery")).lower() == "true" else "false"
    attributes = {"FilterPolicyScope": scope, "RawMessageDelivery": raw, **policies}
    arn = client.subscribe(**who, Attributes=attributes)["SubscriptionArn"]
    if context.existing is not None and context.existing.physical_resource_id != arn:
        client.unsubscribe(SubscriptionArn=context.existing.physical_resource_id)
    return RemovableResource(arn, lambda: client.unsubscribe(SubscriptionArn=arn), Arn=arn)
