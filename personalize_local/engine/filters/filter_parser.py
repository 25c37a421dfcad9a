"""Parse filter expressions by the service's grammar.

Choices where the guide is silent: keywords, dataset and column names in any case (the guide's own examples differ),
AND before OR. The guide's examples are taken as they stand: `Action_Interactions`, `Action`, `> ($VALUE)`.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken, v_args

from personalize_local.engine.filters.filter_checks import check_filter
from personalize_local.engine.filters.filter_rules import (
    ANYTHING,
    DATASETS,
    CurrentItem,
    Filter,
    FilterError,
    FilterRule,
    FilterTest,
    Operand,
    Operator,
    Placeholder,
    Target,
)

__all__ = ["Filter", "FilterError", "check_filter", "parse_filter"]

_MOST_CHARACTERS: Final = 2_500
_GRAMMAR: Final = r"""
    start: rule ("|" rule)*
    rule: ACTION TARGET _WHERE alternatives [_IF condition]
    alternatives: alternative (_OR alternative)*
    alternative: test (_AND test)*
    condition: user_test (_AND user_test)*
    ?test: DATASET "." NAME membership "(" operands ")"   -> membership_test
         | DATASET "." NAME IN current_item               -> current_item_test
         | DATASET "." NAME COMPARISON (compared | current_item)  -> comparison_test
    ?user_test: "CurrentUser"i "." NAME membership "(" operands ")"   -> user_membership_test
              | "CurrentUser"i "." NAME COMPARISON compared           -> user_comparison_test
    membership: IN | NOT IN
    current_item: "CurrentItem"i "." NAME
    operands: operand ("," operand)* | ANYTHING
    ?compared: operand | "(" operand ")"
    ?operand: STRING | NUMBER | PLACEHOLDER
    ACTION.2: /(INCLUDE|EXCLUDE)\b/i
    TARGET.2: /(ItemID|UserID|ActionID)\b/i
    DATASET.2: /(Action_?Interactions|Interactions|Items|Users|Actions?)\b/i
    IN.2: /IN\b/i
    NOT.2: /NOT\b/i
    _WHERE.2: /WHERE\b/i
    _IF.2: /IF\b/i
    _OR.2: /OR\b/i
    _AND.2: /AND\b/i
    COMPARISON: "=" | "!=" | "<=" | "<" | ">=" | ">"
    ANYTHING: "*"
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    PLACEHOLDER: /\$[A-Za-z0-9_]+/
    NUMBER: /-?\d+(\.\d+)?/
    STRING: /"(\\.|[^"\\])*"/
    WS: /[ \t\f\r\n]+/
    %ignore WS
"""

_WORDS: Final[Mapping[str, str]] = {
    "ACTION": "INCLUDE or EXCLUDE",
    "ANYTHING": "*",
    "DATASET": "a dataset (Items, Users, Interactions, Actions, ActionInteractions)",
    "DOT": ".",
    "LPAR": "(",
    "NAME": "a column",
    "NUMBER": "a number",
    "PLACEHOLDER": "$NAME",
    "RPAR": ")",
    "STRING": '"text"',
    "TARGET": "ItemID or UserID or ActionID",
    "VBAR": "|",
    "$END": "the end",
}


@lru_cache(maxsize=256)
def parse_filter(text: str) -> Filter:
    """Return what the expression says; a FilterError points at the column where it stops making sense."""
    if not 1 <= len(text) <= _MOST_CHARACTERS:
        raise FilterError(f"An expression has 1 to {_MOST_CHARACTERS} characters.")
    try:
        parsed = _Rules().transform(_parser().parse(text))
    except UnexpectedInput as error:
        raise FilterError(f"Invalid Expression at {_where(error, text)}.") from error
    _check_placeholders(parsed)
    return Filter(parsed)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr")


def _where(error: UnexpectedInput, text: str) -> str:
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return f"column {len(text) + 1}: it ends too early{_expected(error.accepts or error.expected)}"
        expected = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        expected = error.allowed or set()
    found = text[error.pos_in_stream or 0 :][:20].split()[0:1]
    return f"column {error.column}: unexpected {found[0] if found else 'end'}{_expected(expected)}"


def _expected(names: set[str]) -> str:
    return f", expected {' or '.join(sorted(_WORDS.get(name, name.lstrip('_')) for name in names))}" if names else ""


class _Rules(Transformer[Token, tuple[FilterRule, ...]]):
    """Makes rules of the parse tree."""

    def start(self, rules: list[FilterRule]) -> tuple[FilterRule, ...]:
        return tuple(rules)

    @v_args(inline=True)
    def rule(
        self,
        action: Token,
        target: Token,
        alternatives: tuple[tuple[FilterTest, ...], ...],
        when: tuple[FilterTest, ...] | None,
    ) -> FilterRule:
        who: Mapping[str, Target] = {"itemid": "ITEM", "userid": "USER", "actionid": "ACTION"}
        return FilterRule(action.upper() == "INCLUDE", who[target.lower()], alternatives, when or ())

    def alternatives(self, alternatives: list[tuple[FilterTest, ...]]) -> tuple[tuple[FilterTest, ...], ...]:
        return tuple(alternatives)

    def alternative(self, tests: list[FilterTest]) -> tuple[FilterTest, ...]:
        return tuple(tests)

    condition = alternative

    @v_args(inline=True)
    def membership_test(
        self, dataset: Token, name: Token, operator: Operator, operands: tuple[Operand, ...]
    ) -> FilterTest:
        return FilterTest(DATASETS[dataset.lower()], name.value, operator, operands, dataset.column or 0)

    @v_args(inline=True)
    def current_item_test(self, dataset: Token, name: Token, _in: Token, item: CurrentItem) -> FilterTest:
        return FilterTest(DATASETS[dataset.lower()], name.value, "IN", (item,), dataset.column or 0)

    @v_args(inline=True)
    def comparison_test(self, dataset: Token, name: Token, operator: Token, operand: Operand) -> FilterTest:
        return FilterTest(DATASETS[dataset.lower()], name.value, _operator(operator), (operand,), dataset.column or 0)

    @v_args(inline=True)
    def user_membership_test(self, name: Token, operator: Operator, operands: tuple[Operand, ...]) -> FilterTest:
        return FilterTest("USERS", name.value, operator, operands, name.column or 0)

    @v_args(inline=True)
    def user_comparison_test(self, name: Token, operator: Token, operand: Operand) -> FilterTest:
        return FilterTest("USERS", name.value, _operator(operator), (operand,), name.column or 0)

    def membership(self, words: list[Token]) -> str:
        return "IN" if len(words) == 1 else "NOT IN"

    @v_args(inline=True)
    def current_item(self, name: Token) -> CurrentItem:
        return CurrentItem(name.value)

    def operands(self, operands: list[Operand | Placeholder]) -> tuple[Operand | Placeholder, ...]:
        return tuple(operands)

    def STRING(self, token: Token) -> str:  # noqa: N802 - lark calls the method by the terminal's name
        return token[1:-1].replace('\\"', '"').replace("\\\\", "\\")

    def NUMBER(self, token: Token) -> float:  # noqa: N802 - as above
        return float(token)

    def PLACEHOLDER(self, token: Token) -> Placeholder:  # noqa: N802 - as above
        return Placeholder(token[1:])

    def ANYTHING(self, _token: Token) -> str:  # noqa: N802 - as above
        return ANYTHING


def _operator(token: Token) -> Operator:
    return token.value  # type: ignore[no-any-return] # the grammar lets nothing else through


def _check_placeholders(rules: tuple[FilterRule, ...]) -> None:
    for rule in rules:
        for test in [*rule.tests, *rule.when]:
            names = [operand.name for operand in test.operands if isinstance(operand, Placeholder)]
            if names and test.operator == "NOT IN":
                raise FilterError(
                    f"Invalid input symbol: ${names[0]}. Placeholders are not allowed with"
                    f" NOT_IN operator (column {test.position})."
                )
