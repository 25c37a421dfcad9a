"""Correct from outside what moto lacks or gets wrong, a folder per AWS service; moto itself is installed as it is.

Where moto can be extended, and where these folders do it:

* A service's backend class is looked up in its `BackendDict` when an account first uses it: put a subclass into
  `<service>_backends.backend` (`executions.LocalStepFunctions`, `queues.LocalSqs`). moto finds the URLs of a service
  in the module beside the class, so a subclass says where that is with `_url_module`.
* A model class is looked up in its module when an instance is made: replace the name there
  (`functions.LocalFunction`, `queues.LocalQueue`).
* An API action is a method of the service's response class, named after the action (`states_api`).
* A CloudFormation type is a class with `create_from_cloudformation_json`; `templates` shows which functions of
  `moto.cloudformation.parsing` ask for it.
* The interpreter of state machines is LocalStack's, a component per production of the language, each with an `_eval…`
  method and the execution's `Environment` (`interpreter`, `service_tasks`).

Every replacement is a `corrections.Correction`; `installation` lists the modules that have some. What has no
counterpart in moto stands on its own: the `task_scheduler`, the `workers` that run handlers and the `bootstrap` inside
them, `schedules`, `authorization`, and the HTTP `endpoint`.
"""
