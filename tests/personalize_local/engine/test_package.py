"""The engine as a package: its example runs, and what it promises about its own code holds."""

import ast
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import personalize_local.engine

ENGINE = Path(personalize_local.engine.__file__).parent
FILES = sorted(ENGINE.rglob("*.py"))
ARRAY = re.compile(r"\b(ndarray|NDArray|Floats|Ints|Longs|Doubles|Mask|Ranked|Hits|Lists|Keys|Sparse|Matrix)\b")


def test_the_example_runs() -> None:
    ran = doctest.testmod(personalize_local.engine)
    assert ran.failed == 0
    assert ran.attempted > 10


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda folder: folder.name)
def test_a_chapter_says_what_it_imports_and_where_to_begin(folder: Path) -> None:
    introduction = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert re.search(r"\bImports\b.*\bBegin with\b", introduction, re.DOTALL)


def code_of(file: Path) -> str:
    """Return the file's statements without strings and comments."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.unparse(tree)


def asks_which_recipe(code: str) -> bool:
    """Return whether code decides by a recipe's name or by a class instead of letting the estimator do it."""
    by_name = r"\.family\b|(?<!for )\brecipe(_name|\.name)? (==|!=|in )"
    by_class = r"isinstance\([\w.]*(estimator|scorer|\.fitted)"
    return re.search(f"{by_name}|{by_class}", code) is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ENGINE)))
def test_no_code_asks_which_recipe_it_serves(file: Path) -> None:
    assert not asks_which_recipe(code_of(file))
    names = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    if file.name not in {"recipe_table.py", "__init__.py"}:
        assert not [name for name in names if isinstance(name, str) and re.fullmatch(r"aws-[a-z-]+", name)]


@pytest.mark.parametrize(
    "code",
    [
        "if options.recipe.family == 'ranking': pass",
        "if isinstance(self.scorer, SemanticItems): pass",
        "recipe.name == x",
    ],
)
def test_code_that_asks_is_noticed(code: str) -> None:
    assert asks_which_recipe(code)


def functions(file: Path) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the public functions and methods of public classes."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def hands_over_arrays(function: ast.FunctionDef) -> bool:
    annotations = [argument.annotation for argument in [*function.args.args, *function.args.kwonlyargs]]
    return any(ARRAY.search(ast.unparse(each)) for each in [*annotations, function.returns] if each is not None)


def says_what_arrays_hold(text: str) -> bool:
    return re.search(r"\b(float32|float64|int32|int64|bool|uint64)\b", text) is not None


NUMERIC = [
    pytest.param(function, id=f"{file.stem}.{name}")
    for chapter in ("interactions", "evaluation", "recipes", "serving")
    for file in sorted((ENGINE / chapter).glob("*.py"))
    for name, function in functions(file)
    if hands_over_arrays(function)
]


@pytest.mark.parametrize("function", NUMERIC)
def test_a_function_of_arrays_says_what_they_hold(function: ast.FunctionDef) -> None:
    assert says_what_arrays_hold(ast.get_docstring(function) or "")


def raised_by(function: ast.FunctionDef) -> set[str]:
    """Return the names of the errors that the function raises itself."""
    errors = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
    called = [error.func for error in errors if isinstance(error, ast.Call)]
    return {error.id for error in called if isinstance(error, ast.Name)}


RAISING = [
    pytest.param(function, id=f"{file.stem}.{name}")
    for file in FILES
    for name, function in functions(file)
    if raised_by(function)
]


@pytest.mark.parametrize("function", RAISING)
def test_a_function_that_raises_names_the_error(function: ast.FunctionDef) -> None:
    described = ast.get_docstring(function) or ""
    assert all(error in described for error in raised_by(function))
