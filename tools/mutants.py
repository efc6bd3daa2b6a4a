"""Mutants of Python files: small changes of functions that a good test notices.

A comparison is turned round, an operand of `and` and `or` left out, a condition negated, a number, a Boolean or a key
changed, a result replaced by None, a statement dropped. What is outside functions (declarations, constants, default
values) and the texts of messages stay as they are.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
KEY = re.compile(r"[\w.:/-]*")
NOT_MUTATED = ("annotation", "returns", "decorator_list")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Where a node is in the tree: in a field of its parent, or at an index of a list in it."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Replace the node."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One change of one function. lines are those of the statement that is changed."""

    file: Path
    tree: ast.Module
    function: FunctionNode
    lines: range
    place: Place
    before: ast.AST
    after: ast.AST

    @property
    def description(self) -> str:
        """The line of the change, and what it replaces by what."""
        line = getattr(self.before, "lineno", self.lines.start)
        before, after = (" ".join(ast.unparse(node).split())[:100] for node in (self.before, self.after))
        return f"{self.file}:{line}: {before} => {after}"

    def code(self) -> CodeType:
        """The code of the changed function. The tree stays changed: for a process that tests this mutant alone."""
        self.place.put(ast.copy_location(self.after, self.before))
        compiled = compile(ast.fix_missing_locations(self.tree), str(self.file.resolve()), "exec")
        first = min([self.function.lineno, *(decorator.lineno for decorator in self.function.decorator_list)])
        return next(
            code for code in _codes(compiled) if code.co_name == self.function.name and code.co_firstlineno == first
        )


def find_mutants(file: Path) -> Iterator[Mutant]:
    """The mutants of a file, in its order."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for function in _functions(tree.body):
        for index, statement in enumerate(function.body):
            place = Place(function, "body", index)
            for lines, spot, before, after in _changes(statement, place, range(0)):
                yield Mutant(file, tree, function, lines, spot, before, after)


Change = tuple[range, Place, ast.AST, ast.AST]


def _functions(body: list[ast.stmt]) -> Iterator[FunctionNode]:
    for node in body:
        if isinstance(node, FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body)


def _changes(node: ast.AST, place: Place, lines: range) -> Iterator[Change]:
    """The changes of a node and of all below it."""
    if isinstance(node, ast.stmt):
        lines = _lines(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    for after in _replacements(node, place.parent):
        yield lines, place, node, after
    for field, value in ast.iter_fields(node):
        if field in NOT_MUTATED:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield from _changes(child, Place(node, field, index if isinstance(value, list) else None), lines)


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement, without the block that it has."""
    body = getattr(statement, "body", None)
    end = body[0].lineno if body else (statement.end_lineno or statement.lineno) + 1
    return range(statement.lineno, max(end, statement.lineno + 1))


def _replacements(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _statement_replacements(node)
    elif isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[index] = COMPARISONS[type(operator)]()
            yield changed
    elif isinstance(node, ast.BoolOp):
        for index in range(len(node.values)):
            rest = [value for position, value in enumerate(node.values) if position != index]
            yield ast.BoolOp(node.op, copy.deepcopy(rest)) if len(rest) > 1 else copy.deepcopy(rest[0])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.IfExp):
        yield copy.deepcopy(node.body)
        yield copy.deepcopy(node.orelse)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(copy.deepcopy(node.left), ARITHMETIC[type(node.op)](), copy.deepcopy(node.right))
    elif isinstance(node, ast.Constant) and not isinstance(parent, ast.JoinedStr | ast.FormattedValue):
        yield from _constant_replacements(node.value)
    if isinstance(node, ast.expr) and _is_plain_condition(node, parent):
        yield ast.UnaryOp(ast.Not(), copy.deepcopy(node))


def _statement_replacements(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr | ast.Raise | ast.AugAssign | ast.Continue):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield ast.Return(ast.Constant(None))


def _constant_replacements(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and KEY.fullmatch(value):
        yield ast.Constant(f"{value}x")


def _is_plain_condition(node: ast.expr, parent: ast.AST) -> bool:
    """Whether this is a condition that no other change turns round."""
    if isinstance(node, ast.Compare | ast.BoolOp | ast.UnaryOp):
        return False
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        return node is parent.test
    return isinstance(parent, ast.comprehension) and node in parent.ifs


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)
