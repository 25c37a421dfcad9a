"""How topics, subscriptions and schedules are made from the properties of a template."""

import json

from personalize_local.aws.cloudformation.stack_resources import Place, Properties, Removable


def schedule(properties: Properties, place: Place) -> Removable:
    """Make a schedule, or replace all settings of one."""
    client = place.client("scheduler")
    settings = {**properties, "Name": place.name}
    write = client.create_schedule if place.existing is None else client.update_schedule
    arn = write(**settings)["ScheduleArn"]
    where = {"Name": place.name, "GroupName": properties.get("GroupName", "default")}
    return Removable(place.name, lambda: client.delete_schedule(**where), Arn=arn)


def schedule_group(properties: Properties, place: Place) -> Removable:
    """Make a group of schedules."""
    client = place.client("scheduler")
    if place.existing is None:
        client.create_schedule_group(Name=place.name, Tags=properties.get("Tags", []))
    arn = client.get_schedule_group(Name=place.name)["Arn"]
    return Removable(place.name, lambda: client.delete_schedule_group(Name=place.name), Arn=arn, State="ACTIVE")


def topic(properties: Properties, place: Place) -> Removable:
    """Make a topic; an update keeps it, with its subscriptions."""
    client = place.client("sns")
    flags = {name: "true" for name in ("FifoTopic", "ContentBasedDeduplication") if properties.get(name)}
    arn = client.create_topic(Name=place.name, Attributes=flags, Tags=properties.get("Tags", []))["TopicArn"]
    for name in ("DisplayName", "KmsMasterKeyId"):
        client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=properties.get(name, ""))
    for inline in properties.get("Subscription", []):
        client.subscribe(TopicArn=arn, **inline)
    return Removable(arn, lambda: client.delete_topic(TopicArn=arn), TopicArn=arn, TopicName=place.name)


def subscription(properties: Properties, place: Place) -> Removable:
    """Subscribe an endpoint; another endpoint, protocol or topic in an update is another subscription."""
    client = place.client("sns")
    who = {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    policies = {
        name: json.dumps(properties[name]) if name in properties else "" for name in ("FilterPolicy", "RedrivePolicy")
    }
    scope = properties.get("FilterPolicyScope", "MessageAttributes")
    raw = "true" if str(properties.get("RawMessageDelivery")).lower() == "true" else "false"
    attributes = {"FilterPolicyScope": scope, "RawMessageDelivery": raw, **policies}
    arn = client.subscribe(**who, Attributes=attributes)["SubscriptionArn"]
    if place.existing is not None and place.existing.physical_resource_id != arn:
        client.unsubscribe(SubscriptionArn=place.existing.physical_resource_id)
    return Removable(arn, lambda: client.unsubscribe(SubscriptionArn=arn), Arn=arn)
