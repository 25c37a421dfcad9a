"""Build what must outlive a deployment: the bucket, the ledger, and the role that Personalize assumes."""

from typing import Final

from aws_cdk import Aws, CfnResource, CfnWaitConditionHandle, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from config.settings import Settings
from lambdas.bucket_layout import IMPORTED_TAG, RESULTS, STAGING, UPLOADS
from stacks.access.placement import environment
from stacks.outputs import publish
from stacks.protection.adoption import publish_duty
from stacks.protection.encryption import CREATE, data_role_statement, key_policy, make_key

_PERSONALIZE: Final = "personalize.amazonaws.com"
_ONLY_FOR_THIS_ACCOUNT: Final = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}


_DESCRIPTION: Final = "Uploads, results and their ledger"


class DataStack(Stack):
    """The data of one stage. With `keep_data_on_destroy` all of it stays when the stack goes."""

    bucket: s3.IBucket
    ledger: dynamodb.ITable
    data_role: iam.IRole

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        """Create the bucket, the ledger, the data role and the key, or adopt those that the stage names."""
        super().__init__(
            scope,
            construct_id,
            stack_name=construct_id,
            env=environment(settings),
            description=_DESCRIPTION,
            termination_protection=settings.keep_data_on_destroy,
        )
        self._settings = settings
        self._fate = RemovalPolicy.RETAIN if settings.keep_data_on_destroy else RemovalPolicy.DESTROY
        self._provide_bucket()
        self._provide_ledger()
        self._provide_data_role()
        self.key_arn = make_key(self, settings, self.data_role.role_arn, self._fate)
        self._let_personalize_reach_the_bucket()
        self._publish()
        if not any(isinstance(construct, CfnResource) for construct in self.node.find_all()):
            # Everything is adopted, and CloudFormation refuses a stack of outputs only. This one makes nothing.
            CfnWaitConditionHandle(self, "Nothing")

    def _provide_bucket(self) -> None:
        if name := self._settings.bucket_name:
            self.bucket = s3.Bucket.from_bucket_name(self, "DataBucket", name)
        else:
            self.bucket = self._make_bucket(self._settings)

    def _provide_ledger(self) -> None:
        if name := self._settings.table_name:
            self.ledger = dynamodb.Table.from_table_name(self, "Ledger", name)
        else:
            self.ledger = self._make_ledger()

    def _provide_data_role(self) -> None:
        if arn := self._settings.role_arn:
            self.data_role = iam.Role.from_role_arn(self, "DataRole", arn, mutable=False)
        else:
            self.data_role = self._make_data_role()

    def _make_bucket(self, settings: Settings) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "DataBucket",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            removal_policy=self._fate,
            lifecycle_rules=[
                *_forget_imported(settings.imported_days),
                s3.LifecycleRule(
                    id="ForgetStagedCopies", prefix=STAGING, expiration=Duration.days(settings.staging_days)
                ),
                s3.LifecycleRule(
                    id="ForgetWhatWasReplaced",
                    noncurrent_version_expiration=Duration.days(90),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    expired_object_delete_marker=True,
                ),
            ],
        )
        _announce_objects(bucket)
        return bucket

    def _make_ledger(self) -> dynamodb.Table:
        # No local index: with one, a dataset's rows would end at 10 GB.
        return dynamodb.Table(
            self,
            "Ledger",
            partition_key=_text("dataset"),
            sort_key=_text("entry"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            deletion_protection=self._settings.keep_data_on_destroy,
            removal_policy=self._fate,
        )

    def _make_data_role(self) -> iam.Role:
        role = iam.Role(
            self,
            "DataRole",
            description="Assumed by Amazon Personalize to read uploads and to write results",
            assumed_by=iam.ServicePrincipal(_PERSONALIZE, conditions=_ONLY_FOR_THIS_ACCOUNT),
        )
        role.apply_removal_policy(self._fate)
        return role

    def _let_personalize_reach_the_bucket(self) -> None:
        # The service wants leave from both sides: from the role it assumes and from the bucket it reaches for.
        if isinstance(self.data_role, iam.Role):
            policy = iam.Policy(self, "DataRolePolicy", roles=[self.data_role], statements=self._role_statements())
            policy.apply_removal_policy(self._fate)
        else:
            publish_duty(self, "Role", "What the adopted role must be allowed", self._role_statements())
        if isinstance(self.bucket, s3.Bucket):
            for statement in self._bucket_statements():
                self.bucket.add_to_resource_policy(statement)
            assert self.bucket.policy is not None  # noqa: S101 (tells the type; a statement was just added)
            self.bucket.policy.apply_removal_policy(self._fate)
        else:
            publish_duty(self, "Bucket", "What the adopted bucket must allow", self._bucket_statements())
        if self._settings.kms_key not in (None, CREATE):
            statements = key_policy(self._settings, self.data_role.role_arn)
            publish_duty(self, "Key", "What the adopted key must allow, beside its account", statements)

    def _role_statements(self) -> list[iam.PolicyStatement]:
        return [
            *self._data_statements(),
            # For metric attributions; CloudWatch knows no resource to narrow it to.
            iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"]),
            *([data_role_statement(self.key_arn)] if self.key_arn else []),
        ]

    def _bucket_statements(self) -> list[iam.PolicyStatement]:
        statements = self._data_statements()
        for statement in statements:
            statement.add_service_principal(_PERSONALIZE)
            statement.add_conditions(_ONLY_FOR_THIS_ACCOUNT)
        return statements

    def _data_statements(self) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn]),
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.bucket.arn_for_objects("*")]),
            iam.PolicyStatement(actions=["s3:PutObject"], resources=[self.bucket.arn_for_objects(f"{RESULTS}*")]),
        ]

    def _publish(self) -> None:
        publish(self, "Bucket", self.bucket.bucket_name, "Where requests and uploads go, and results come from")
        publish(self, "PersonalizeRoleArn", self.data_role.role_arn, "The role that Amazon Personalize assumes")
        publish(self, "TableLedger", self.ledger.table_name, "What became of every upload")
        if self.key_arn:
            publish(self, "KmsKeyArn", self.key_arn, "What everything in this stage is encrypted with")
        publish(
            self,
            "UploadHint",
            f"aws s3 cp interactions.csv s3://{self.bucket.bucket_name}/{UPLOADS}<dataset group>/interactions/",
            "What starts an import",
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _forget_imported(days: int | None) -> list[s3.LifecycleRule]:
    """Return the rule for objects that settlement has tagged; what waits or was rejected is never theirs."""
    if days is None:
        return []
    tags, expiration = dict([IMPORTED_TAG]), Duration.days(days)
    return [s3.LifecycleRule(id="ForgetImported", prefix=UPLOADS, tag_filters=tags, expiration=expiration)]


def _announce_objects(bucket: s3.Bucket) -> None:
    """Send object events to EventBridge by the bucket's own property.

    The construct's `event_bridge_enabled` would bring a custom resource with a function and a role of its own.
    """
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)  # noqa: S101 (tells the type; the construct guarantees it)
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
