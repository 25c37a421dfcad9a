"""Keep how far an execution came, so that RedriveExecution can go on from there; moto's interpreter forgets it.

Every run of a machine, of a branch and of an iteration notes the state it entered last, with its input and variables,
and its output once it has ended. A redriven execution begins with a copy of these notes: it enters the states that did
not succeed again, and takes over what the branches and iterations that did succeed gave.
"""

import copy
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import IterationWorker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branches_decl import BranchesDecl
from moto.stepfunctions.parser.asl.component.state.fail.state_fail import StateFail
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.component.state.state_continue_with import ContinueWithEnd
from moto.stepfunctions.parser.asl.eval.environment import Environment

from personalize_local.aws.corrections import Correction

TOO_MUCH_DATA = "States.DataLimitExceeded"


@dataclass
class RunProgress:
    """How far one run of a machine, of a branch or of an iteration came."""

    state: str | None = None
    input: Any = None
    variables: dict[str, Any] = field(default_factory=dict)
    inner: dict[int, "RunProgress"] = field(default_factory=dict)  # of the branches or iterations of the state
    is_finished: bool = False
    output: Any = None
    _goes_on: bool = False  # the next state entered is the one noted, which did not succeed
    _keeps_inner: bool = False

    def enter(self, state: str, given: Any, variables: dict[str, Any]) -> bool:
        """Note that a state is entered; return whether a redrive goes on with it."""
        if self._goes_on:
            self._goes_on = False
            return True
        self.state, self.input, self.variables = state, given, dict(variables)
        self.inner, self._keeps_inner = {}, False
        return False

    def finish(self, output: Any) -> None:
        """Note that the last state has ended well."""
        self.is_finished, self.output = True, output

    def begin_inner(self) -> None:
        """Begin with the branches or iterations: anew, except when a redrive comes to them first."""
        if not self._keeps_inner:
            self.inner = {}
        self._keeps_inner = False

    def of(self, index: int) -> "RunProgress":
        """Return the progress of one branch or iteration."""
        return self.inner.setdefault(index, RunProgress())

    @property
    def goes_on_at(self) -> str | None:
        """Return the state that a redrive goes on with, until it has been entered."""
        return self.state if self._goes_on else None

    def to_redrive(self, error: str | None) -> "RunProgress":
        """Return a copy to go on from; what still runs in the background of the last attempt writes into this one."""
        goes_on = self.state is not None and not self.is_finished
        inner = {index: progress.to_redrive(error) for index, progress in self.inner.items()}
        if error == TOO_MUCH_DATA and all(progress.is_finished for progress in inner.values()):
            inner = {}  # their outputs together were too large: as documented, all of them run again
        return replace(copy.deepcopy(replace(self, inner={})), inner=inner, _goes_on=goes_on, _keeps_inner=True)


class _WithoutOneEvent:
    """Stands for an environment's event manager and swallows the next event."""

    def __init__(self, env: Environment) -> None:
        self._env, self._manager = env, env.event_manager

    def add_event(self, **_: Any) -> None:
        self._env.event_manager = self._manager


def _progress(env: Any) -> RunProgress | None:
    found: RunProgress | None = getattr(env, "progress", None)  # a distributed map's children have none
    return found


_open_frame_as_moto = Environment.open_frame
_open_inner_frame_as_moto = Environment.open_inner_frame


def open_frame(env: Any, event_history_context: Any = None) -> Any:
    """Open a frame for an attempt of a state, within the same progress."""
    frame: Any = _open_frame_as_moto(env, event_history_context)
    frame.progress = _progress(env)
    return frame


def open_inner_frame(env: Any, event_history_context: Any = None) -> Any:
    """Open a frame for a branch or an iteration; it gets a progress of its own before anything runs in it."""
    frame: Any = _open_inner_frame_as_moto(env, event_history_context)
    frame.progress = _progress(env)
    return frame


def _run_as_moto(program: Any, env: Any) -> None:
    try:
        _eval_as_moto(program, env)
    except RuntimeError:
        if env.is_running():
            raise
        # The execution was ended, by a limit or by StopExecution, before this branch entered its first state.


_eval_as_moto = Program.eval


def run(program: Any, env: Any) -> None:
    """Run states from the first one on, or from the one that a redrive goes on with."""
    progress = _progress(env)
    if progress is None or (state := progress.goes_on_at) is None:
        _run_as_moto(program, env)
        return
    env.states.reset(input_value=progress.input)
    env.variable_store._inner_scope.update(copy.deepcopy(progress.variables))  # noqa: SLF001 - as they were then
    from_there = copy.copy(program)
    from_there.start_at = SimpleNamespace(start_at_name=state)
    _run_as_moto(from_there, env)


_enter_as_moto = CommonStateField._eval_body  # noqa: SLF001 - the method being corrected


def enter(state: Any, env: Any) -> None:
    """Note which state is entered; a redriven state is not reported as entered twice, except that `Fail` is."""
    progress = _progress(env)
    if progress is not None:
        variables = env.variable_store._inner_scope  # noqa: SLF001 - its getters are by name
        goes_on = progress.enter(state.name, env.states.get_input(), variables)
        if goes_on and not isinstance(state, StateFail):
            env.event_manager = _WithoutOneEvent(env)
    _enter_as_moto(state, env)


_set_next_as_moto = CommonStateField._set_next  # noqa: SLF001 - the method being corrected


def set_next(state: Any, env: Any) -> None:
    """Go to the next state; when there is none, note the output."""
    progress = _progress(env)
    is_last = isinstance(state.continue_with, ContinueWithEnd) and env.next_state_name == state.name
    if progress is not None and is_last:
        progress.finish(env.states.get_input())
    _set_next_as_moto(state, env)


class _Branch:
    """A branch of a Parallel state, which is not run again once it has succeeded."""

    def __init__(self, program: Any, progress: RunProgress) -> None:
        self._program, self._progress = program, progress

    def eval(self, env: Any) -> None:
        """Run the branch, or take over what it gave."""
        env.progress = self._progress
        if not self._progress.is_finished:
            self._program.eval(env)
            return
        env.next_state_name = self._progress.state
        env.states.reset(input_value=self._progress.output)
        env.set_ended()


_run_branches_as_moto = BranchesDecl._eval_body  # noqa: SLF001 - the method being corrected


def run_branches(branches: Any, env: Any) -> None:
    """Run the branches that have not succeeded."""
    progress = _progress(env)
    if progress is not None:
        progress.begin_inner()
        programs = branches.programs
        branches = copy.copy(branches)
        branches.programs = [_Branch(program, progress.of(number)) for number, program in enumerate(programs)]
    _run_branches_as_moto(branches, env)


_iterate_as_moto = InlineIterationComponent._eval_body  # noqa: SLF001 - the method being corrected


def iterate(component: Any, env: Any) -> None:
    """Run the iterations of an inline map that have not succeeded."""
    if (progress := _progress(env)) is not None:
        progress.begin_inner()
    _iterate_as_moto(component, env)


_run_map_as_moto = DistributedIterationComponent._eval_body  # noqa: SLF001 - the method being corrected


def run_map(component: Any, env: Any) -> None:
    """Run a distributed map; its children keep no progress, so that a redrive runs all of them again."""
    env.progress = None
    _run_map_as_moto(component, env)


_run_iteration_as_moto = IterationWorker._eval_job  # noqa: SLF001 - the method being corrected


def run_iteration(worker: Any, env: Any, job: Any) -> None:
    """Run one iteration, or take over what it gave."""
    if (progress := _progress(env)) is not None:
        env.progress = progress.of(job.job_index)
        if env.progress.is_finished:
            job.job_output = env.progress.output
            return
    _run_iteration_as_moto(worker, env, job)


FORGETS = "it forgets how far an execution came"
CORRECTIONS = (
    Correction(Environment, "open_frame", open_frame, FORGETS),
    Correction(Environment, "open_inner_frame", open_inner_frame, FORGETS),
    Correction(Program, "eval", run, "it can begin with the first state only"),
    Correction(CommonStateField, "_eval_body", enter, FORGETS),
    Correction(CommonStateField, "_set_next", set_next, FORGETS),
    Correction(BranchesDecl, "_eval_body", run_branches, "it runs all branches or none"),
    Correction(InlineIterationComponent, "_eval_body", iterate, FORGETS),
    Correction(DistributedIterationComponent, "_eval_body", run_map, "its children would write into their parent's"),
    Correction(IterationWorker, "_eval_job", run_iteration, "it runs all iterations or none"),
)
