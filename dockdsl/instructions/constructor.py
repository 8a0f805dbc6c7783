"""How the values of a model are made: once a class has made several, by a function generated from its fields.

Most values are plain: their operands are written as they are, and need neither conversion nor quotes nor proof. The
function matches each operand once and joins the texts. Everything else is left to `complete`, the only place where
values are converted, quoted and proven; so is each value of a class that overrides how values are written.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs

from dockdsl.origins import GENERATED, MADE, MODULE, OUTER, call_site, call_sites
from dockdsl.syntax.flags import Flag, flag_of, is_beside
from dockdsl.syntax.guard import LONGEST_LINE
from dockdsl.syntax.layout import WIDTH

Maker = Callable[..., Any]
Written = tuple[Any, str] | None
"""An operand in its normal form and the text that it is written as; None if it is not plain."""

_PLAIN = "dockdsl.plain"
_TEXT = {str}
_LISTS = (tuple, list)
_HOOKS = ("__attrs_pre_init__", "__attrs_post_init__")
_is_head = re.compile(r"[A-Za-z][A-Za-z0-9=]*").fullmatch
_WRITERS = (
    *("complete", "head", "laid_out", "operands", "write", "spell", "prove", "bodies", "check", "from_line"),
    *("_written", "_written_base", "_written_platform", "_check_name"),
)
"""The methods that write values, or refuse them."""
_new = object.__new__
_getframe = sys._getframe  # noqa: SLF001 - the public ways build a list of all frames


class Plain(NamedTuple):
    """Which values of an operand are plain, and how they are written."""

    matches: Callable[[str], object] | None
    """Whether a text is written as it is."""
    kinds: tuple[type, ...]
    """The types of such texts."""
    several: bool
    """Whether the field holds a tuple of them."""
    write: Callable[[Any], Written] | None
    """Writes what is no such text."""
    before: str
    """What stands before the operand."""


def plain_if(
    matches: Callable[[str], object] | None = None,
    *,
    kinds: tuple[type, ...] = (str,),
    several: bool = False,
    write: Callable[[Any], Written] | None = None,
    before: str = " ",
) -> Mapping[str, Plain]:
    """Return the metadata of an operand that is plain if it `matches`, or if `write` returns its text."""
    return {_PLAIN: Plain(matches, kinds, several, write, before)}


def are_all(matches: Callable[[str], object], values: Sequence[Any]) -> bool:
    """Whether there are any values, and all are texts that match."""
    return bool(values) and _TEXT.issuperset(map(type, values)) and all(map(matches, values))


def _makes_itself(kind: Any, fields: Sequence[attrs.Attribute[Any]]) -> bool:
    """Whether the constructor of a class must be called, because it does more than store the fields."""
    code = getattr(kind.__init__, "__code__", None)
    if code is None or not code.co_filename.startswith(GENERATED) or any(hasattr(kind, hook) for hook in _HOOKS):
        return True
    parameters = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return {*parameters} != {each.name for each in fields if each.init} or any(
        each.validator
        or each.name.startswith("_")
        or hasattr(each.converter, "takes_self")
        or isinstance(each.default, attrs.Factory)  # type: ignore[arg-type]  # it is a class
        for each in fields
        if each.init
    )


def _first_maker(kind: Any) -> Maker:
    """Return the function that calls the constructor."""
    site = call_sites if kind.KNOWS_CALLERS else call_site

    def make(*values: Any, **options: Any) -> Any:
        value = _new(kind)
        value.__init__(*values, **options)
        value.__dict__["_origin"] = site()
        return _complete(value)

    return make


# In the generated functions, all names but those of fields begin with an underscore.


def _maker(kind: Any) -> Maker:
    fields = attrs.fields(kind) if attrs.has(kind) else ()
    taken = [each for each in fields if each.init]
    names = {f"_default_{each.name}": each.default for each in fields}
    names.update(_new=_new, _kind=kind, _slow=_complete, _getframe=_getframe, _OUTER=OUTER, _MODULE=MODULE)
    names["_call_site"] = call_sites if kind.KNOWS_CALLERS else call_site
    is_outer = "_code.co_filename in _OUTER" + (" and _code.co_name == _MODULE" if kind.KNOWS_CALLERS else "")
    site = [
        "    _frame = _getframe(2)",  # the one above is that of the metaclass
        "    _code = _frame.f_code",
        f"    _site = (_code, _frame.f_lasti) if {is_outer} else _call_site()",
        "    _value = _new(_kind)",
    ]
    is_itself = _makes_itself(kind, fields)
    if is_itself:
        lines = [
            "def _make(*_arguments, **_options):",
            *site,
            "    _value.__init__(*_arguments, **_options)",
            "    _values = _value.__dict__",
            "    _values['_origin'] = _site",
        ]
    else:
        names.update({f"_convert_{each.name}": each.converter for each in taken})
        placed = [_parameter(each) for each in taken if not each.kw_only]
        named = [_parameter(each) for each in taken if each.kw_only]
        others = [each for each in fields if not each.init and each.default is not attrs.NOTHING]
        lines = [
            f"def _make({', '.join([*placed, *(['*', *named] if named else [])])}):",
            *[f"    {each.name} = _convert_{each.name}({each.name})" for each in taken if each.converter is not None],
            *site,
            "    _values = _value.__dict__",  # a new dict would not share its keys, and take twice the memory
            *[f"    _values[{each.name!r}] = {each.name}" for each in taken],
            *[f"    _values[{each.name!r}] = _default_{each.name}" for each in others],
            "    _values['_origin'] = _site",
        ]
    return _function(kind, [*lines, *_plainly(kind, taken, names, is_loaded=not is_itself)], names)


def _parameter(field: attrs.Attribute[Any]) -> str:
    return field.name if field.default is attrs.NOTHING else f"{field.name}=_default_{field.name}"


def _reader(kind: Any) -> Maker:
    operands = [each for each in attrs.fields(kind) if each.init and flag_of(each) is None]
    names: dict[str, Any] = {f"_default_{each.name}": each.default for each in operands}
    names["_slow"] = _complete_read
    lines = ["def _make(_value, _values):", *_plainly(kind, operands, names, is_loaded=False)]
    return _function(kind, lines, names)


def _function(kind: type, lines: Iterable[str], names: dict[str, Any]) -> Maker:
    exec(compile("\n".join(lines), f"{MADE} {kind.__qualname__}>", "exec"), names)  # noqa: S102 - as attrs does it; the names in it are those of fields
    return names["_make"]  # type: ignore[no-any-return]  # it is one


def _plainly(kind: Any, fields: Sequence[attrs.Attribute[Any]], names: dict[str, Any], *, is_loaded: bool) -> list[str]:
    """Return the lines that complete a value, and return it: most of them for one that is plain.

    If `is_loaded`, its fields are local variables already.
    """
    head = kind.head() or ""
    flags = [(each, found) for each in fields if (found := flag_of(each)) is not None]
    written = [each for each in fields if flag_of(each) is None and not is_beside(each)]
    operands = [(each, each.metadata.get(_PLAIN)) for each in written]
    needed = [plain for each, plain in operands if each.default is attrs.NOTHING]
    declared = [each.name for each, plain in operands if plain is not None]
    is_ours = _is_head(head) and declared and None not in needed and not _is_overridden(kind, declared)
    if not is_ours or any(each.name.startswith("_") for each in fields):
        return ["    return _slow(_value)"]
    names.update(_head=head, _WIDTH=WIDTH, _LONGEST=LONGEST_LINE, _LISTS=_LISTS, _are_all=are_all)
    names.update(_type=type, _tuple=tuple, _len=len)
    others = [each.name for each, plain in operands if plain is None]
    # What fields may be together is looked at where any flag is given.
    is_checked = sum("check_together" in vars(each) for each in kind.__mro__) > 1
    others += [each.name for each, flag in flags if is_checked or flag.kind.plain is None]
    lines = [] if is_loaded else [f"{each.name} = _values[{each.name!r}]" for each in fields]
    lines += [f"if {name} is not _default_{name}: return _slow(_value)" for name in others]
    lines.append("_flags = ''")
    for each, flag in flags:
        if each.name not in others:
            lines += _flag_lines(each.name, flag, names)
    pieces = ""
    for each, plain in operands:
        if plain is not None:
            lines += _operand_lines(each, plain, names)
            pieces += f"{plain.before if each.default is attrs.NOTHING else ''}{{_text_{each.name}}}"
    lines += [
        f"_text = f'{{_head}}{{_flags}}{pieces}'",
        "if _len(_text) > _WIDTH or (_flags and '\\n' in _text):",
        "    if _flags or '\\n' not in _text or _len(_text) > _LONGEST:",
        f"        _text = _value.laid_out(_flags, f'{pieces}')",
        "        if _text is None: return _slow(_value)",
        "_values['_text'] = _text",
        "return _value",
    ]
    return [f"    {line}" for line in lines]


def _is_overridden(kind: type, declared: Iterable[str]) -> bool:
    """Whether a class writes values in a way of its own, which the one that declares what is plain does not know."""
    classes = kind.__mro__
    first = max(
        next(at for at, each in enumerate(classes) if name in vars(each).get("__annotations__", {}))
        for name in declared
    )
    return any(name in vars(each) for each in classes[:first] for name in _WRITERS)


def _flag_lines(name: str, flag: Flag, names: dict[str, Any]) -> list[str]:
    names[f"_plain_{name}"] = flag.kind.plain
    variable = "_each" if flag.repeatable else name
    lines = [
        f"_found = _plain_{name}({variable})",
        "if _found is None: return _slow(_value)",
        f"_flags = f'{{_flags}} --{flag.name}{{_found}}'",
    ]
    if flag.repeatable:
        lines = [
            f"_several = {name} if _type({name}) in _LISTS else ({name},)",
            "for _each in _several:",
            *[f"    {line}" for line in lines],
            f"_values[{name!r}] = _tuple(_several)",
        ]
    return [f"if {name} is not _default_{name}:", *[f"    {line}" for line in lines]]


def _operand_lines(field: attrs.Attribute[Any], plain: Plain, names: dict[str, Any]) -> list[str]:
    name, text = field.name, f"_text_{field.name}"
    names.update({f"_match_{name}": plain.matches, f"_write_{name}": plain.write})
    names[f"_kinds_{name}"] = plain.kinds[0] if len(plain.kinds) == 1 else plain.kinds
    is_kind = f"_type({name}) {'is' if len(plain.kinds) == 1 else 'in'} _kinds_{name}"
    lines: list[str] = []
    if plain.matches is not None:
        kept = f"; _values[{name!r}] = ({name},)" if plain.several else ""
        lines = [f"if {is_kind} and _match_{name}({name}): {text} = {name}{kept}"]
    if plain.several:
        lines += [
            f"elif _type({name}) in _LISTS and _are_all(_match_{name}, {name}):",
            f"    {text} = ' '.join({name})",
            f"    _values[{name!r}] = _tuple({name})",
        ]
    otherwise = ["return _slow(_value)"]
    if plain.write is not None:
        otherwise = [
            f"_found = _write_{name}({name})",
            "if _found is None: return _slow(_value)",
            f"_values[{name!r}], {text} = _found",
        ]
    lines += ["else:", *[f"    {line}" for line in otherwise]] if lines else otherwise
    if field.default is attrs.NOTHING:
        return lines
    lines = [*lines, f"{text} = f'{plain.before}{{{text}}}'"]
    return [f"if {name} is _default_{name}: {text} = ''", "else:", *[f"    {line}" for line in lines]]


def _complete(value: Any) -> Any:
    value.complete()
    return value


def _complete_read(value: Any) -> Any:
    value.complete(is_normal=True)
    return value


class _ByClass(dict[type, Maker]):
    """Functions by classes: one that takes its time, and once that was called several times a generated one."""

    def __init__(self, first: Callable[[type], Maker], generated: Callable[[type], Maker]) -> None:
        super().__init__()
        self._first = first
        self._generated = generated

    def __missing__(self, kind: type) -> Maker:
        first, count = self._first(kind), 0

        def counting(*values: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count <= often:
                return first(*values, **options)
            self[kind] = found = self._generated(kind)
            return found(*values, **options)  # one frame deeper than later, so that `call_site` finds the place

        self[kind] = counting
        return counting


often = 8
"""How many values a class makes before its function is generated: that takes as long as to make a hundred without."""
maker_of = _ByClass(_first_maker, _maker).__getitem__
"""Returns what makes the values of a class: a function with the parameters of its constructor."""
reader_of = _ByClass(lambda _: lambda value, _: _complete_read(value), _reader).__getitem__
"""Returns what completes a value that was read without flags: a function of the value and its fields."""
