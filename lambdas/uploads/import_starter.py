"""Start an execution of `import_uploads` for a dataset for which something was written down."""

from typing import Final

from lambdas.gateways.step_functions import Executions, execution_name
from lambdas.uploads.lease import Lease, Leases

_TRIES: Final = 5


class ImportNotStartedError(Exception):
    """Every execution that was started for the dataset had ended already; the message should be delivered again."""


class ImportStarter:
    """Starts `import_uploads`, once for any number of files.

    The name of an execution is made of the dataset and the lease's epoch, which grows when an execution takes the
    lease: however many files call for the next execution, they all call for the same one.
    """

    def __init__(self, leases: Leases, executions: Executions, machine_arn: str) -> None:
        self._leases = leases
        self._executions = executions
        self._machine_arn = machine_arn

    def announce(self, dataset_key: str) -> None:
        """Tell the holder of the lease that there is something new; start one if there is none."""
        lease = self._leases.announce(dataset_key)
        if lease.holder is None:
            self.start(lease)

    def start(self, lease: Lease) -> None:
        """Start the next execution for a dataset whose lease nobody alive holds."""
        group, _, dataset = lease.name.partition("/")
        holder = lease.holder
        for _ in range(_TRIES):
            name = execution_name(lease.name, str(lease.epoch))
            if self._executions.start(self._machine_arn, name, {"datasetGroup": group, "dataset": dataset}):
                return
            # It ended without having taken the lease: somebody stopped it, or its first state failed.
            lease = self._leases.skip_epoch(lease)
            if lease.holder != holder:
                return  # somebody took it meanwhile, and looks at everything
        raise ImportNotStartedError(f"{_TRIES} executions of {self._machine_arn} for {lease.name} had ended already")
