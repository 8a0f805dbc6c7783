"""Word expansion: BuildKit's result for every construct, in a table and in measured cases."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdsl import ExpansionError, InvalidType, InvalidValue
from dockdsl.syntax.expand import Options, expand, names, split_words
from tests.corpora import cases

ENV = {
    "A": "abc",
    "E": "",
    "PATH": "/usr/bin:/bin",
    "FILE": "app.tar.gz",
    "SPACE": "a b  c",
    "STAR": "a*",
    "BACK": "a\\xb\\",
    "LINES": "ab\ncd\n\nef",
    "HASH": "#a",
    "é": "accent",
    "-": "dash",
    "٣": "three",
}


@pytest.mark.parametrize(
    ("word", "result"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("plain/word.txt", "plain/word.txt", id="nothing special"),
        pytest.param("$A-$U-$E", "abc--", id="unset and empty are both empty"),
        pytest.param("${A}bc$A.", "abcbcabc.", id="braces end a name where a dot does anyway"),
        pytest.param("$Abc", "", id="a name is as long as it can be"),
        pytest.param("$12a", "a", id="a name of digits ends with them"),
        pytest.param("$é$٣", "accentthree", id="letters and digits of any script"),
        pytest.param("$A²", "abc²", id="a superscript is no digit"),
        pytest.param("$²", "$²", id="and begins no name"),
        pytest.param("$$A", "A", id="the dollar is a special name"),
        pytest.param("$@$*$#$?$!$0", "", id="all specials are names"),
        pytest.param("$-x${-}", "dashxdash", id="specials have one character"),
        pytest.param("$ $. $", "$ $. $", id="a dollar before no name is itself"),
        pytest.param("'$A\\n'", "$A\\n", id="single quotes keep all"),
        pytest.param("\"$A 'x'\"", "abc 'x'", id="double quotes keep single ones"),
        pytest.param(r'"\"\$\\\n\'"', "\"$\\\\n\\'", id="three escapes in double quotes"),
        pytest.param(r"\$A\n\"\ ", '$An" ', id="outside quotes any character is escaped"),
        pytest.param("a\\", "a", id="an escape at the end is dropped"),
        pytest.param("\ufeffa\ufeff", "a\ufeff", id="a byte order mark in front is dropped"),
        pytest.param("${U:-x}${E:-x}${A:-x}", "xxabc", id="default if unset or empty"),
        pytest.param("${U-x}${E-x}${A-x}", "xabc", id="default if unset"),
        pytest.param("${U:+x}${E:+x}${A:+x}", "x", id="alternative if set and not empty"),
        pytest.param("${U+x}${E+x}${A+x}", "xx", id="alternative if set"),
        pytest.param("${A:?m}${A?m}${E?m}", "abcabc", id="mandatory, and there"),
        pytest.param("${U:-${V:-$A}}", "abc", id="references nest in defaults"),
        pytest.param("${U:-'}'\"}\"\\}}", "}}}", id="a brace is quoted or escaped in an operand"),
        pytest.param('"${U:-"a b"}${U:-\'c\'}"', "a bc", id="an operand in double quotes has quotes of its own"),
        pytest.param("${-:-x}${--x}${?:-x}", "dashdashx", id="a special name with a modifier"),
        pytest.param("${+x}${-}${%x}${/a/b}", "dash", id="a name may be empty"),
        pytest.param("${FILE#*.}", "tar.gz", id="shortest match off the front"),
        pytest.param("${FILE##*.}", "gz", id="longest match off the front"),
        pytest.param("${FILE%.*}", "app.tar", id="shortest match off the back"),
        pytest.param("${FILE%%.*}", "app", id="longest match off the back"),
        pytest.param("${FILE#???.}${FILE%.??}", "tar.gzapp.tar", id="question mark is one character"),
        pytest.param("${FILE#tar}${FILE%tar}", "app.tar.gzapp.tar.gz", id="a trim is anchored"),
        pytest.param("${FILE#[a]pp}", "app.tar.gz", id="brackets are no wildcard"),
        pytest.param("${STAR%\\*}${FILE%\\*}", "aapp.tar.gz", id="an escaped wildcard is a character"),
        pytest.param("${A#\\}}${A/\\//x}", "abcabc", id="brace and slash are escaped in a pattern"),
        pytest.param("${A#'*'}", "abc", id="quotes do not keep a wildcard from matching: shortest is empty"),
        pytest.param("${A##'*'}", "", id="quotes do not keep a wildcard from matching"),
        pytest.param("${A#}${A##}${A%}${A%%}", "abcabcabcabc", id="an empty pattern trims nothing"),
        pytest.param("${HASH#'#a'}${HASH###}", "#aa", id="a quoted first # counts as the second of ##"),
        pytest.param(
            "${A#\ufeffa}${A%c\ufeff}", "bcab", id="a byte order mark at the outer end of a pattern is dropped"
        ),
        pytest.param("${U#a}${E%a}", "", id="nothing to trim"),
        pytest.param('${BACK#"a\\x"}', "b\\", id="an escape kept in double quotes in a pattern is one character"),
        pytest.param("${STAR%'*\\'}", "a", id="an escape that ends a pattern from the back escapes what stands there"),
        pytest.param("${LINES#*}|", "ab\ncd\n\nef|", id="shortest star is nothing"),
        pytest.param("${LINES##*}|", "\ncd\n\nef|", id="a star does not pass a newline"),
        pytest.param("${LINES%%*}|", "ab\ncd\n\n|", id="neither from the back"),
        pytest.param("${LINES#???}|", "ab\ncd\n\nef|", id="nor does a question mark"),
        pytest.param("${LINES#*\n}|", "cd\n\nef|", id="a newline in a pattern is itself"),
        pytest.param("${PATH/bin/x}", "/usr/x:/bin", id="first match replaced"),
        pytest.param("${PATH//bin/x}", "/usr/x:/x", id="all matches replaced"),
        pytest.param("${PATH/b*/x}", "/usr/x", id="a replaced match is the longest"),
        pytest.param("${PATH//\\//_}", "_usr_bin:_bin", id="an escaped slash in a pattern"),
        pytest.param("${PATH//'/'/_}", "_usr_bin:_bin", id="a quoted slash in a pattern"),
        pytest.param("${PATH//bin/}", "/usr/:/", id="replaced by nothing"),
        pytest.param("${PATH/#bin/x}${A/%c/x}", "/usr/bin:/binabc", id="there are no anchors in a replacement"),
        pytest.param("${A/b/\\/}", "a\\/c", id="escapes stay in a replacement"),
        pytest.param("${A/b/$A}${A/b/'}'}", "aabcca}c", id="a replacement is a word"),
        pytest.param("${A//b*/}${A//x*/}", "aabc", id="no match, no change"),
        pytest.param("${A//*/x}", "x", id="the empty match after the last one does not count"),
        pytest.param("${LINES//*/x}", "x\nx\nx\nx", id="a match for each line"),
        pytest.param("${A///x}", "xaxbxcx", id="an empty pattern matches everywhere"),
        pytest.param("${A/$E/x}", "xabc", id="first of all at the front"),
        pytest.param("${U//*/x}${U/a/x}", "x", id="nothing matches a star"),
        pytest.param("${A//b/'[$0]'}", "a[b]c", id="all matches: the replacement is a template"),
        pytest.param("${A//b/'${0}$$'}", "ab$c", id="with braces and with a dollar of its own"),
        pytest.param("${A//b/'$1$x²${y}'}", "a²c", id="groups that are not there are empty"),
        pytest.param("${A//b/'$.${$'}", "a$.${$c", id="what is no group stays"),
        pytest.param("${A//b/'${y²}'}", "a${y²}c", id="nor what only begins like one"),
        pytest.param("${A/b/'$0'}", "a$0c", id="first match: the replacement is no template"),
    ],
)
def test_words_expand_as_in_a_build(word: str, result: str) -> None:
    """The result is what an engine gives for the same word."""
    assert expand(word, ENV) == result


@pytest.mark.parametrize(
    ("word", "result"),
    [
        pytest.param("`$A\\$A", "$A\\abc", id="the backslash is an ordinary character"),
        pytest.param('"`$A`"`\\``"', '$A"`\\`', id="in double quotes the backtick escapes itself, quote and dollar"),
        pytest.param("${BACK#a\\\\}", "xb\\", id="in a pattern the backslash still escapes"),
        pytest.param("${U:-a`}}", "a}", id="a brace is escaped by the backtick"),
        pytest.param("a`", "a", id="a backtick at the end is dropped"),
    ],
)
def test_the_escape_character_may_be_a_backtick(word: str, result: str) -> None:
    """With ``# escape=` `` the backtick replaces the backslash, except in patterns."""
    assert expand(word, ENV, escape="`") == result


@pytest.mark.parametrize(
    ("word", "message"),
    [
        pytest.param("a'b", "'b\" in \"a'b\": the single quote is never closed; close it, or write \\'", id="single"),
        pytest.param('a"b', 'the double quote is never closed; close it, or write \\" for', id="double"),
        pytest.param('"\\"', "the double quote is never closed", id="an escaped quote closes nothing"),
        pytest.param('"a\\', "the double quote is never closed", id="escape at the end in quotes"),
        pytest.param("${U:-'}", "the single quote is never closed", id="quote in an operand"),
        pytest.param("x${A", "'${A' in 'x${A': the brace is never closed; add a }, or write \\$", id="brace"),
        pytest.param("${", "the brace is never closed", id="brace at the end"),
        pytest.param("${A:", "the brace is never closed", id="colon at the end"),
        pytest.param("${A:-", "the brace is never closed", id="operand at the end"),
        pytest.param("${A:-\\}", "the brace is never closed", id="escaped brace"),
        pytest.param("${A/b/", "the brace is never closed", id="replacement at the end"),
        pytest.param("${A/b}", "the replacement is missing; write ${NAME/PATTERN/REPLACEMENT}", id="one slash"),
        pytest.param("${A//}", "the replacement is missing", id="two slashes and no third"),
        pytest.param("${}", "'${}': no name follows the brace; write ${NAME}, or write \\$ for", id="no name"),
        pytest.param("${{A}}", "no name follows the brace", id="two braces"),
        pytest.param("${:-x}", "no name follows the brace", id="colon for a name"),
        pytest.param("${A=x}", "'${A=' in '${A=x}': '=' is not a modifier; use one of :- -", id="assign"),
        pytest.param("${A:=x}", "':=' is not a modifier", id="assign default"),
        pytest.param("${A:1:2}", "':1' is not a modifier", id="substring"),
        pytest.param("${A:#a}", "':#' is not a modifier", id="colon before a trim"),
        pytest.param("${A^}", "'^' is not a modifier", id="upper case"),
        pytest.param("${A B}", "' ' is not a modifier", id="space in a name"),
        pytest.param("${1a}", "'a' is not a modifier", id="digits, then letters"),
        pytest.param("${#A}", "'A' is not a modifier", id="length"),
        pytest.param("${ A}", "' ' is not a modifier", id="space before a name"),
        pytest.param("${A#\\a}", r"the pattern '\\a' has an invalid escape; use \ only before *, ?,", id="escape"),
        pytest.param("${U%a'\\'}", "has an invalid escape", id="escape at the end of a pattern"),
        pytest.param("${U/\\$/x}", "has an invalid escape", id="escape of a dollar in a pattern"),
        pytest.param("${A:-${A#\\a}}", "has an invalid escape", id="in an operand that is not used"),
        pytest.param("${U:?}", "'${U:?}': U is not set; give it a value with ARG or ENV", id="mandatory"),
        pytest.param("${U?}", "U is not set;", id="mandatory without colon"),
        pytest.param("${E:?}", "E is empty;", id="mandatory and empty"),
        pytest.param("${U:?say $A}", "U is not set: say abc;", id="mandatory with a message"),
    ],
)
def test_what_an_engine_refuses_is_refused(word: str, message: str) -> None:
    """The error names the construct, the fact and the remedy; splitting refuses the same words."""
    for function in (expand, split_words):
        with pytest.raises(ExpansionError) as caught:
            function(word, ENV)
        assert message in str(caught.value)


def test_a_remedy_speaks_of_the_escape_character_in_use() -> None:
    """If the escape character is a backtick, the remedy has the backtick."""
    with pytest.raises(ExpansionError, match="write `\\$ for a plain dollar"):
        expand("${", {}, escape="`")


@pytest.mark.parametrize(
    ("word", "options", "result"),
    [
        pytest.param("'a'\"$A\\$\"", Options(raw_quotes=True), "'a'\"abc$\"", id="quotes stay"),
        pytest.param("${U:-'a'}", Options(raw_quotes=True), "'a'", id="quotes stay in operands"),
        pytest.param("\\a\\", Options(raw_escapes=True), "\\a\\", id="escapes stay, one at the end too"),
        pytest.param('"\\"\\n"', Options(raw_escapes=True), '\\"\\\\n', id="one that escapes nothing is doubled"),
        pytest.param("${U:-\\a}", Options(raw_escapes=True), "a", id="but not in the operand of a default"),
        pytest.param("'a\"$A\\'", Options(skip_process_quotes=True), "'a\"abc'", id="quotes are ordinary"),
        pytest.param("$U ${U} $A", Options(skip_unset_env=True), "$U ${U} abc", id="unset stays"),
        pytest.param("${E}${E:-x}", Options(skip_unset_env=True), "x", id="empty is set"),
        pytest.param("${U:-'x'$A}", Options(skip_unset_env=True), "${U:-xabc}", id="its operand is expanded"),
        pytest.param("${U:?}${U##*}", Options(skip_unset_env=True), "${U:?}${U##*}", id="mandatory or trimmed"),
        pytest.param("${U/a/b}", Options(skip_unset_env=True), "${U/a/b}", id="replaced"),
        pytest.param("${U//a/b}", Options(skip_unset_env=True), "${U/a/b}", id="replaced everywhere: a slash is lost"),
        pytest.param("${U#\\a}", Options(skip_unset_env=True), "${U#\\a}", id="its pattern is not judged"),
        pytest.param("${U:1}", Options(skip_unset_env=True), "${U:1}", id="nor a modifier after a colon"),
    ],
)
def test_options_depart_from_the_ordinary_reading(word: str, options: Options, result: str) -> None:
    """Each option keeps what its name says."""
    assert expand(word, ENV, options=options) == result


@pytest.mark.parametrize("word", ["${A:1}", "${U:#a}", "${U:%a}", "${U=a}", "${U:1"])
def test_wrong_modifiers_are_refused_though_unset_references_stay(word: str) -> None:
    """If the variable is set, any wrong modifier is refused; if not, those that no value could make valid."""
    with pytest.raises(ExpansionError):
        expand(word, ENV, options=Options(skip_unset_env=True))


@pytest.mark.parametrize(
    ("word", "words"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \t\n ", [], id="white space alone"),
        pytest.param(" 80\t81/tcp ", ["80", "81/tcp"], id="white space separates"),
        pytest.param("a\u2003b\xa0c\x85d", ["a", "b", "c", "d"], id="white space of any script"),
        pytest.param("a\x1cb", ["a\x1cb"], id="the ASCII separators are not whitespace"),
        pytest.param("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"], id="unless quoted or escaped"),
        pytest.param("x$SPACE", ["xa", "b", "c"], id="a value is split"),
        pytest.param('x"$SPACE"', ["xa b  c"], id="unless quoted"),
        pytest.param("'' $U \"\"", [], id="empty words are dropped"),
        pytest.param("a b${U:-c}d", ["a", "cd"], id="a default loses what stands before it"),
        pytest.param("a${A#a}", ["bc"], id="so does a trim"),
        pytest.param("a${A/b/x}", ["axc"], id="so does a replacement"),
        pytest.param("a${U+b c}", [], id="even one that gives nothing"),
        pytest.param("'a'\"b${U:-c}d\"", ["bcd"], id="within double quotes all before these"),
        pytest.param("a ${U:-b c}d", ["a", "b", "cd"], id="whole words before it stay, and it is split"),
        pytest.param("a${A}b", ["aabcb"], id="a reference without operand loses nothing"),
    ],
)
def test_words_split_as_in_expose(word: str, words: list[str]) -> None:
    """The words are the same as BuildKit's, including its flaw."""
    assert split_words(word, ENV) == words


@pytest.mark.parametrize(
    ("word", "found"),
    [
        pytest.param("plain", [], id="none"),
        pytest.param("'$A'\\$B $", [], id="quoted or escaped"),
        pytest.param("$B${A}$B", ["B", "A"], id="each once, in order"),
        pytest.param('"${A:-${B:+$C}}$D"', ["A", "B", "C", "D"], id="outer before inner"),
        pytest.param("${A/$B/$C}${D#$E}", ["A", "B", "C", "D", "E"], id="in patterns and replacements"),
        pytest.param("$1$@${é}", ["1", "@", "é"], id="names of all kinds"),
        pytest.param("${A:?no}${B#\\a}", ["A", "B"], id="what only values can break"),
    ],
)
def test_names_are_the_variables_of_a_word(word: str, found: list[str]) -> None:
    """It does not matter whether a variable is set."""
    assert names(word) == found


def test_names_follow_escape_character_and_options() -> None:
    """Options decide what is quoted or escaped."""
    assert names("`$A\\$B", escape="`") == ["B"]
    assert names("'$A'", options=Options(skip_process_quotes=True)) == ["A"]


@pytest.mark.parametrize("word", ["${", "'", "${A=b}", "${A:1}"])
def test_names_of_a_word_that_no_value_makes_valid(word: str) -> None:
    """Such a word is refused, not searched."""
    with pytest.raises(ExpansionError):
        names(word)


@pytest.mark.parametrize("escape", ["", "/", "\\\\", None, ["`"]])
def test_an_escape_character_that_no_dockerfile_has(escape: Any) -> None:
    """A wrong escape character is refused, even if the word has nothing to escape."""
    with pytest.raises(InvalidValue, match="use a backslash or a backtick"):
        expand("a", {}, escape=escape)


def test_words_and_values_are_strings() -> None:
    """A value that is not a string is refused by name, not by an internal error."""
    word: Any = 80
    with pytest.raises(InvalidType, match=r"word=80: this is an int; pass a str"):
        expand(word, {})
    env: Any = {"PORT": 80}
    with pytest.raises(InvalidType, match=r"env\['PORT'\]=80: this is an int; pass a str"):
        expand("$PORT", env)
    for env in ("$A", [1], None):
        with pytest.raises(InvalidType, match=r"env=.*: this is a.*; pass a dict"):
            expand("$A", env)


# Pieces that are combined in every way, ends of constructs as often as their beginnings.
PIECES = st.sampled_from(
    [*"ab$\"'\\`{}:/#%*?+-=1 \t\n²é", "${A", "${U", "${E", "${A:-", "${U:+", "${A##", "${A%", "${A//", "$A", "\\}", "}"]
)
WORDS = st.lists(PIECES, max_size=14).map("".join)
VALUES = st.text("ab*?\\$/ \n", max_size=6)
OPTIONS = st.builds(Options, st.booleans(), st.booleans(), st.booleans(), st.booleans())
ESCAPES = st.sampled_from("\\`")


class Asked(Mapping[str, str]):
    """Variables that record which of them were looked up."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values_ = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


@settings(deadline=None, max_examples=400)
@given(WORDS, VALUES, ESCAPES, OPTIONS)
def test_any_word_is_expanded_or_refused(word: str, value: str, escape: str, options: Options) -> None:
    """No other error is raised; splitting agrees; `names` returns what expansion looks up."""
    env = Asked({"A": value, "E": ""})
    try:
        text = expand(word, env, escape=escape, options=options)
    except ExpansionError:
        with pytest.raises(ExpansionError):
            split_words(word, env, escape=escape, options=options)
        return
    assert env.asked == set(names(word, escape=escape, options=options))
    words = split_words(word, env, escape=escape, options=options)
    rest = iter(text)
    assert all(char in rest for char in "".join(words)), "the words are the text, with parts left out"


@settings(deadline=None)
@given(st.text(), ESCAPES, OPTIONS)
def test_any_text_is_expanded_or_refused(text: str, escape: str, options: Options) -> None:
    """Text of any characters raises no error but ours."""
    for function in (expand, split_words):
        with contextlib.suppress(ExpansionError):
            function(text, {}, escape=escape, options=options)


@given(st.text(st.characters(exclude_characters="$\"'\\`\ufeff")), ESCAPES, OPTIONS)
def test_text_without_specials_is_itself(text: str, escape: str, options: Options) -> None:
    """A word without special characters does not change, and refers to nothing."""
    assert expand(text, {}, escape=escape, options=options) == text
    assert names(text, escape=escape, options=options) == []


@given(st.text(), ESCAPES)
def test_quoting_and_escaping_protect_any_text(text: str, escape: str) -> None:
    """Quotes, or an escape before every character, make a word that means that text, as one word."""
    single = "'" + text.replace("'", "'\"'\"'") + "'"
    double = '"' + re.sub('["$' + re.escape(escape) + "]", lambda found: escape + found[0], text) + '"'
    escaped = "".join(escape + char for char in text)
    for word in (single, double, escaped):
        assert expand(word, {}, escape=escape) == text
        assert split_words(word, {}, escape=escape) == ([text] if text else [])


PATTERNS = st.lists(st.sampled_from(["a", "b", "\n", "*", "?", "\\*", "\\?", "\\\\", "ab"]), max_size=6).map("".join)
SUBJECTS = st.text("ab*?\\\n", max_size=9)


def regex(pattern: str, star: str) -> str:
    """Return a pattern as the regular expression that BuildKit makes from it."""
    wildcards = {"*": star, "?": "."}
    return "".join(wildcards.get(part, re.escape(part[-1])) for part in re.findall(r"\\.|[^\\]", pattern))


@settings(deadline=None, max_examples=300)
@given(PATTERNS, SUBJECTS)
def test_trims_agree_with_regular_expressions(pattern: str, value: str) -> None:
    """A trim takes the shortest or longest match off its end, as an anchored expression does."""
    env = {"V": value, "P": pattern}
    for sign, star in (("", ".*?"), ("#", ".*")):
        found = re.match(regex(pattern, star), value)
        assert expand(f"${{V#{sign}$P}}", env) == (value[found.end() :] if found else value)
    fits = [cut for cut in range(len(value) + 1) if re.fullmatch(regex(pattern, ".*"), value[cut:])]
    assert expand("${V%$P}", env) == value[: max(fits, default=len(value))]
    assert expand("${V%%$P}", env) == value[: min(fits, default=len(value))]


@settings(deadline=None, max_examples=300)
@given(PATTERNS, SUBJECTS)
def test_replacements_agree_with_regular_expressions(pattern: str, value: str) -> None:
    """Matches are leftmost and longest; an empty one counts unless it touches the one before."""
    env = {"V": value, "P": pattern}
    whole = regex(pattern, ".*")
    assert expand("${V/$P/<x>}", env) == re.sub(whole, "<x>", value, count=1)
    parts, done = [], 0
    for found in re.finditer(whole, value):
        if found.end() > done or not found.start():
            parts += [value[done : found.start()], "<x>"]
            done = found.end()
    assert expand("${V//$P/<x>}", env) == "".join(parts) + value[done:]


SIZE = 100_000


@pytest.mark.parametrize(
    ("word", "value"),
    [
        pytest.param("a" * SIZE, "", id="plain"),
        pytest.param("$" * SIZE, "", id="dollars"),
        pytest.param("\\" * SIZE, "", id="escapes"),
        pytest.param("''\"\"" * (SIZE // 4), "", id="quotes"),
        pytest.param("${U:-" * SIZE, "", id="open braces"),
        pytest.param("${U:-x" * (SIZE // 7) + "}" * (SIZE // 7), "", id="deep defaults"),
        pytest.param('"${U:-' * (SIZE // 8) + '}"' * (SIZE // 8), "", id="deep quotes"),
        pytest.param("${A#" * (SIZE // 5) + "}" * (SIZE // 5), "a", id="deep patterns"),
        pytest.param("${A##" + "*a" * 2_000 + "b}", "a" * SIZE, id="stars that never fit"),
        pytest.param("${A%%*" + "a" * (SIZE // 4) + "b}", "a" * (SIZE // 2), id="a long text after a star"),
        pytest.param("${A//a*b/x}", "a" * SIZE, id="starts that lead nowhere"),
        pytest.param("${A//?/xy}", "a" * SIZE, id="many matches"),
    ],
)
def test_time_grows_with_the_length_alone(word: str, value: str) -> None:
    """No input of 100,000 characters is slow or too deep; quadratic time would take minutes."""
    start = time.process_time()
    for function in (expand, split_words):
        try:
            function(word, {"A": value})
        except ExpansionError:
            assert word == "${U:-" * SIZE
    assert time.process_time() - start < 10


def _measured() -> list[Any]:
    """Return every measured use of the lexer: function, word, variables, arguments, result or None."""
    found = []
    functions: dict[str, Any] = {"word": expand, "words": split_words}
    for case in cases("shell_lex*"):
        env = dict(pair.split("=", 1) for pair in case["envs"])
        switches = {name: case.get(name, False) for name in attrs.fields_dict(Options)}
        rest = {"escape": case.get("escape", "\\"), "options": Options(**switches)}
        if "mode" in case:
            expected = {case["mode"]: None if case["expect_error"] else case["expect"]}
        else:
            expected = {"word": case.get("result"), "words": case.get("words")}
        for mode, result in expected.items():
            call = (functions[mode], case["input"], env, rest, result)
            found.append(pytest.param(*call, id=f"{case['id']}-{mode}"))
        if "matched" in case and not case.get("expect_error"):
            seen = {*case["matched"], *case.get("unmatched", [])}
            call = (lambda word, _env, **rest: set(names(word, **rest)), case["input"], env, rest, seen)
            found.append(pytest.param(*call, id=f"{case['id']}-names"))
    return found


@pytest.mark.corpora
@pytest.mark.parametrize(("function", "word", "env", "rest", "result"), _measured())
def test_measured_words_agree(function: Any, word: str, env: dict[str, str], rest: Any, result: Any) -> None:
    """Every word gives the measured result, or is refused where it was refused."""
    if result is None:
        with pytest.raises(ExpansionError):
            function(word, env, **rest)
    else:
        assert function(word, env, **rest) == result
