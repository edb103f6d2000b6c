"""Promises of `redaction.templates`: a message shows its source, and never a value."""

from __future__ import annotations

import logging
import os
import py_compile
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from logging.handlers import MemoryHandler
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crmlogging.redaction import call_site, templates
from crmlogging.redaction.templates import DYNAMIC_MESSAGE, Resolved

Program = Callable[..., list[Resolved]]
CANARY = "canary@example.com"
REPOSITORY = Path(__file__).parents[2]

# A program that prints what its own messages are resolved to, one line each.
PRINTING = """
import logging, sys
from crmlogging.redaction import call_site, templates
class Printing(logging.Filter):
    def filter(self, record):
        print(templates.resolve(record, call_site.calling_frame(), "template").template)
        return False
logger = logging.getLogger("crm.program")
handler = logging.StreamHandler()
handler.addFilter(Printing())
logger.addHandler(handler)
"""
BODY = """
def sync(email):
    logger.error("started")
    logger.error("Contact failed")
    logger.error(f"Contact {email} failed")
    logger.error(email)
sync("ada@example.com")
"""


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def seen_of(name: str) -> list[Resolved]:
    """Return the list to which a logger's messages are resolved from now on."""
    seen: list[Resolved] = []

    def see(record: logging.LogRecord) -> bool:
        seen.append(templates.resolve(record, call_site.calling_frame(), "template"))
        return False

    logger = logging.getLogger(name)
    logger.filters.clear()
    logger.addFilter(see)
    return seen


class TestLiterals:
    def test_a_literal_passes(self, program: Program) -> None:
        """What the call itself spells out is shown, a single word too."""
        assert program('logger.error("started")') == [Resolved("started")]

    @pytest.mark.parametrize(
        ("source", "text"),
        [
            ('"=" * 40', "=" * 40),
            ('"- " "-"', "- -"),
            (r'"caf\xe9 open"', "café open"),
            ('"a" + "-" * 3', "a---"),
        ],
    )
    def test_what_the_compiler_makes_of_literals_passes(
        self, program: Program, source: str, text: str
    ) -> None:
        """Repeated, joined and escaped ones are spelled out as well."""
        assert program(f"logger.error({source})") == [Resolved(text)]

    def test_a_literal_is_scrubbed(self, program: Program) -> None:
        """Source may hold an address as well."""
        (resolved,) = program('logger.error("Ask ada@example.com")')
        assert resolved.template == "Ask [EMAIL]"

    def test_arguments_are_named_after_their_expressions(self, program: Program) -> None:
        """Names and dotted names count; any other expression has no name."""
        (resolved,) = program(
            """
            class user: email = "e"
            contact_id = 7
            logger.error("%s %s %s", contact_id, user.email, contact_id + 1)
            """
        )
        assert resolved == Resolved("%s %s %s", (("contact_id", 7), ("user.email", "e")))

    def test_unpacked_arguments_have_no_name(self, program: Program) -> None:
        """Where the number of arguments is not fixed, none can be told."""
        assert program('a = (1, 2)\nlogger.error("%s %s", *a)') == [Resolved("%s %s")]
        source = 'a, b, c = (), 1, (2, 3)\nlogger.error("%s %s %s", *c, b, *a)'
        assert program(source) == [Resolved("%s %s %s")]

    def test_an_alias_may_have_the_message_second(self, program: Program) -> None:
        """``emit = logger.log`` takes the level first."""
        (resolved,) = program('emit, x = logger.log, 7\nemit(20, "Got %s", x)')
        assert resolved == Resolved("Got %s", (("x", 7),))

    def test_other_arguments_than_the_call_has_get_no_name(self, program: Program) -> None:
        """A filter of the logger replaced them: the template stays right."""
        (resolved,) = program(
            """
            def replace(record):
                record.args = ("token", "token")
                return True
            x = 7
            logger.addFilter(replace)
            logger.error("Got %s", x)
            logger.removeFilter(replace)
            """
        )
        assert resolved == Resolved("Got %s")

    def test_a_mapping_names_what_the_template_uses(self, program: Program) -> None:
        """An entry that the template leaves out is no argument."""
        (resolved,) = program('logger.error("%(a)s", {"a": 1, "secret": 2})')
        assert resolved.arguments == (("a", 1),)

    def test_two_calls_on_a_line_keep_their_arguments(self, program: Program) -> None:
        """The call is found by position: equal templates on one line are two sites."""
        first, second = program('a, b = 1, 2\nlogger.error("x %s", a); logger.error("x %s", b)')
        assert (first.arguments, second.arguments) == ((("a", 1),), (("b", 2),))

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param('API_KEY = "sk_live"\nlogger.error(API_KEY)', id="module-level"),
            pytest.param('KEY = "word"\ndef f(): logger.error(KEY)\nf()', id="global"),
            pytest.param('def f():\n  p = "hunter"\n  logger.error(p)\nf()', id="local"),
            pytest.param('def f(p="hunter"): logger.error(p)\nf()', id="default"),
            pytest.param('def f(p): logger.error(p)\nf("hunter")', id="passed-by-a-caller"),
            pytest.param("class C: key = 'word'\nlogger.error(C.key)", id="attribute"),
        ],
    )
    def test_a_single_word_from_elsewhere_is_no_literal(
        self, program: Program, source: str
    ) -> None:
        """A word that the call does not spell out may be a key: it is withheld."""
        assert program(source) == [Resolved(DYNAMIC_MESSAGE)]

    def test_an_interned_word_of_another_call_is_no_literal(self, program: Program) -> None:
        """Python makes equal identifiers one object; only this call's own literals count."""
        resolved = program(
            """
            import sys
            def f(status):
                logger.info("active")
                logger.info(status)
            f(sys.intern("".join(["act", "ive"])))
            """
        )
        assert [each.template for each in resolved] == ["active", DYNAMIC_MESSAGE]

    def test_an_equal_text_is_no_literal(self, program: Program) -> None:
        """Only the object itself: data may say the same as a constant beside it."""
        resolved = program(
            """
            word = "".join(["act", "ive"])
            logger.info(word, extra={"status": "active"})
            """
        )
        assert resolved == [Resolved(DYNAMIC_MESSAGE)]

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param('MSG = "Sync failed"\ndef f(): logger.error(MSG)\nf()', id="global"),
            pytest.param('def f(m): logger.error(m)\nf("Sync failed")', id="wrapper"),
            pytest.param('M = {"a": "Sync failed"}\nlogger.error(M["a"])', id="table"),
            pytest.param('class C:\n  m = "Sync failed"\nlogger.error(C.m)', id="attribute"),
            pytest.param('logger.error("Sync failed" if logger else "No")', id="choice"),
            pytest.param('logger.error("Sync " "failed")', id="adjacent"),
            pytest.param('logger.log(40, "Sync failed")', id="log"),
            pytest.param('logger.error(msg="Sync failed")', id="keyword"),
            pytest.param('logger.error("Sync failed", stacklevel=3)', id="stacklevel"),
            pytest.param('e = logger.error\ne("Sync failed")', id="alias"),
            pytest.param(
                'import functools\nfunctools.partial(logger.error, "Sync failed")()', id="partial"
            ),
            pytest.param(
                'import contextlib\nwith contextlib.suppress(OSError): logger.error("Sync failed")',
                id="with",
            ),
        ],
    )
    def test_a_sentence_of_the_source_passes(self, program: Program, source: str) -> None:
        """A literal of more than one word is a message wherever the module holds it."""
        assert [each.template for each in program(source)] == ["Sync failed"]

    def test_wrapper_arguments_are_named_by_identity(self, program: Program) -> None:
        """A value is named after the caller's variable only if it is that variable's value."""
        named, unnamed = program(
            """
            def log(msg, *args): logger.error(msg, *args)
            def swap(msg, arg): logger.error(msg, *["token"])
            contact_id = 4711
            log("Failed for %s", contact_id)
            swap("Failed for %s", contact_id)
            """
        )
        assert named.arguments == (("contact_id", 4711),)
        assert unnamed.arguments == ()


class TestBuiltMessages:
    @pytest.mark.parametrize(
        ("expression", "template"),
        [
            ('f"Created {email}"', "Created {email}"),
            ('f"Created {email!r:>40} now"', "Created {email} now"),
            ('f"Created {email.upper()} {{x}}"', "Created {email.upper()} {x}"),
            ('f"Created {[email][0]}"', "Created {}"),
            ('"Created {}".format(email)', "Created {email}"),
            ('"Created {0}, {0}".format(email)', "Created {email}, {email}"),
            ('"Created {who}".format(who=email)', "Created {who}"),
            ('"Created " + email', "Created {email}"),
            ('"Created " + str(email) + "."', "Created {email}."),
            ('"Created %s" % email', "Created {email}"),
            ('"Created %s of %d%%" % (email, 3)', "Created {email} of {}%"),
            ('"Created %(who)s" % {"who": email}', "Created {who}"),
            ('"No" if not email else f"Created {email}"', "Created {email}"),
            ('(m := f"Created {email}")', "Created {email}"),
        ],
    )
    def test_the_template_is_read_from_source(
        self, program: Program, expression: str, template: str
    ) -> None:
        """Every way to build a message becomes the same kind of template."""
        (resolved,) = program(f"def f(email): logger.error({expression})\nf({CANARY!r})")
        assert resolved.template == template
        assert not resolved.arguments or resolved.exact is False

    @pytest.mark.parametrize(
        "expression",
        [
            *("email", "str(email)", 'f"{email}"', '" ".join([email, "x"])', "email + email"),
            *("[email][0]", "email.lower()", '"{}".format(email)', "repr(email)", "(email, 1)"),
            'f"{email}" f"{email}"',
        ],
    )
    def test_what_the_source_does_not_say_is_withheld(
        self, program: Program, expression: str
    ) -> None:
        """A text without any literal of its own shows that it was dynamic, and no value."""
        (resolved,) = program(f"def f(email): logger.error({expression})\nf({CANARY!r})")
        assert resolved == Resolved(DYNAMIC_MESSAGE)

    def test_values_are_taken_back_where_only_one_split_fits(self, program: Program) -> None:
        """``a-b`` between dashes could be cut in two ways, so nothing is cut."""
        first, second = program(
            """
            def f(a, b): logger.error(f"Pair {a}-{b}")
            f("x", "y")
            f("x", "y-z")
            """
        )
        assert first == Resolved("Pair {a}-{b}", (("a", "x"), ("b", "y")), exact=False)
        assert second == Resolved("Pair {a}-{b}", (), exact=False)

    @pytest.mark.parametrize(
        ("call", "template"),
        [
            ('log("Created %s of %d%%", email, 3)', "Created {email} of {}%"),
            ('log("Created {} of {n}", email, n=3)', "Created {email} of {n}"),
            ('log("Created {:>40}", email)', "Created {email}"),
            ('log("%s %s: %d", email, email, 5)', DYNAMIC_MESSAGE),
            ('log("{} {}", email, email)', DYNAMIC_MESSAGE),
            ('log("Created %s", *[email])', DYNAMIC_MESSAGE),
            ('log(email + " %s", 1)', DYNAMIC_MESSAGE),
        ],
    )
    def test_a_wrapper_may_put_in_the_arguments(
        self, program: Program, call: str, template: str
    ) -> None:
        """As structlog's filtering loggers do by ``%``, and loguru by ``format``."""
        (resolved,) = program(
            f"""
            def log(text, *args, **kwargs):
                text = text % args if "%" in text else text.format(*args, **kwargs)
                logger.error(text)
            def f(email): {call}
            f({CANARY!r})
            """
        )
        assert resolved == Resolved(template)

    def test_two_templates_that_fit_are_none(self, program: Program) -> None:
        """Which of the two was built cannot be told from the text."""
        (resolved,) = program('x, y = "b", "a"\nlogger.error(f"a {x}" if x else f"{y} b")')
        assert resolved == Resolved(DYNAMIC_MESSAGE)

    def test_a_converted_value_is_not_the_variable(self, program: Program) -> None:
        """``{x!r}`` and ``{x:>9}`` stand in the text in another form."""
        (resolved,) = program('x = "a"\nlogger.error(f"Got {x!r} and {x:>9}.")')
        assert resolved == Resolved("Got {x} and {x}.", (), exact=False)

    def test_a_local_variable_is_followed(self, program: Program) -> None:
        """The one assignment of the function tells template and values."""
        (resolved,) = program('def f(x):\n  m = f"Got {x}"\n  logger.error(m)\nf(5)')
        assert resolved == Resolved("Got {x}", (("x", "5"),), exact=False)

    def test_a_variable_that_is_changed_gives_no_values(self, program: Program) -> None:
        """What was appended later would be taken for the value."""
        (resolved,) = program(
            'def f(x):\n  m = f"Got {x}"\n  m += "-token"\n  logger.error(m)\nf(5)'
        )
        assert resolved.arguments == ()

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param(
                """
                def other(text):
                    global m
                    m = text
                def f(x, text):
                    global m
                    m = f"user {x}"
                    other(text)
                    logger.error(m)
                """,
                id="global",
            ),
            pytest.param(
                """
                def f(x, m):
                    if x is None:
                        m = f"user {x}"
                    logger.error(m)
                """,
                id="parameter",
            ),
            pytest.param(
                """
                def f(x, text):
                    y: str = f"user {x}"
                    for m in [text]:
                        logger.error(m)
                """,
                id="loop beside an annotated variable",
            ),
            pytest.param(
                """
                def f(x, text):
                    m = f"user {x}"
                    with contextlib.nullcontext(text) as m:
                        logger.error(m)
                """,
                id="context manager",
            ),
        ],
    )
    def test_a_variable_that_others_bind_gives_no_values(
        self, program: Program, source: str
    ) -> None:
        """A text of the same form, from elsewhere, holds none of the values of the first."""
        (resolved,) = program(
            f"import contextlib\n{textwrap.dedent(source)}\nf(5, ' '.join(['user', 'canary']))"
        )
        assert resolved.arguments == ()

    @pytest.mark.parametrize(
        "source",
        [
            'def log(m): logger.error(m + "-token")\nlog(f"Got {x}")',
            'def log(m):\n  m += "-token"\n  logger.error(m)\nlog(f"Got one {x}")',
        ],
    )
    def test_a_wrapper_gives_no_values(self, program: Program, source: str) -> None:
        """The wrapper may have changed the text."""
        (resolved,) = program(f"x = 5\n{source}")
        assert "x" not in dict(resolved.arguments)

    def test_an_adapter_that_changes_the_text_gives_no_values(self, program: Program) -> None:
        """The template stays right; what the adapter added is not taken for a value."""
        literal, built, added = program(
            """
            class Adapter(logging.LoggerAdapter):
                def process(self, msg, kwargs): return msg + "canary", kwargs
            adapter = Adapter(logger, {})
            contact_id = 7
            adapter.error("Contact %s failed", contact_id)
            adapter.error(f"Contact {contact_id}")
            adapter.error(f"Contact {contact_id} failed")
            """
        )
        assert literal == Resolved("Contact %s failed", (("contact_id", 7),))
        assert built == Resolved("Contact {contact_id}")
        assert added == Resolved(DYNAMIC_MESSAGE)

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param(
                'def f(x, text): logger.error(f"user {x}" if x is None else text)',
                id="other branch of a choice",
            ),
            pytest.param(
                """
                def f(x, text):
                    m = f"user {x}"
                    match {"m": text}:
                        case {"m": m}: pass
                    logger.error(m)
                """,
                id="captured by a match",
            ),
            pytest.param(
                """
                def f(x, text):
                    m = f"user {x}"
                    match text:
                        case str() as m: pass
                    logger.error(m)
                """,
                id="named by a match",
            ),
        ],
    )
    def test_another_text_of_the_same_form_gives_no_values(
        self, program: Program, source: str
    ) -> None:
        """What came from elsewhere and only looks like the message holds none of its values."""
        source = textwrap.dedent(source)
        (resolved,) = program(f'{source}\nf(5, " ".join(["user", "canary"]))')
        assert resolved.arguments == ()

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param(
                """
                class Appending(logging.Filter):
                    def filter(self, record):
                        record.msg += "-canary"
                        return True
                appending = Appending()
                logger.addFilter(appending)
                try:
                    f(5)
                finally:
                    logger.removeFilter(appending)
                """,
                id="filter",
            ),
            pytest.param(
                """
                factory = logging.getLogRecordFactory()
                def appending(*args, **kwargs):
                    record = factory(*args, **kwargs)
                    record.msg += "-canary"
                    return record
                logging.setLogRecordFactory(appending)
                try:
                    f(5)
                finally:
                    logging.setLogRecordFactory(factory)
                """,
                id="record factory",
            ),
        ],
    )
    def test_a_text_changed_after_the_call_gives_no_values(
        self, program: Program, source: str
    ) -> None:
        """What a filter or a record factory appends is not taken for the end of a value."""
        source = textwrap.dedent(source)
        (resolved,) = program(f'def f(x): logger.error(f"user {{x}}")\n{source}')
        assert resolved == Resolved("user {x}")

    def test_a_million_characters_are_withheld_at_once(self, program: Program) -> None:
        """A huge text is not searched."""
        (resolved,) = program('x = "a-" * 500_000\nlogger.error(f"Got {x}-{x}")')
        assert resolved == Resolved(DYNAMIC_MESSAGE)


class TestCapturedWarnings:
    def test_a_warning_shows_its_literal(self, program: Program) -> None:
        """``warnings`` wraps the text in a line of its own, with file and source."""
        first, second = program(
            """
            import warnings
            logging.captureWarnings(True)
            warned = logging.getLogger("py.warnings")
            handler = logger.handlers[-1]
            warned.addHandler(handler)
            warned.propagate = False
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("always")
                    warnings.warn("Old field names")
                    warnings.warn("Old ".join(["canary", "x"]))
            finally:
                logging.captureWarnings(False)
                warned.removeHandler(handler)
                warned.propagate = True
            """
        )
        assert first.template == "Old field names"
        assert second.template == DYNAMIC_MESSAGE


class TestModes:
    def test_literal_shows_no_built_message(self, program: Program) -> None:
        """``messages="literal"``: literals pass, templates of built ones do not."""
        resolved = program('x = 1\nlogger.error("a b")\nlogger.error(f"a {x}")', "literal")
        assert [each.template for each in resolved] == ["a b", DYNAMIC_MESSAGE]

    def test_any_shows_the_text_scrubbed(self, program: Program) -> None:
        """``messages="any"``: all text, but for what the scrubber knows and foreign objects."""
        resolved = program(
            f'x = {CANARY!r}\nlogger.error("To %s", x)\nlogger.error("%s", object())', "any"
        )
        assert [each.template for each in resolved] == ["To [EMAIL]", "[REDACTED]"]


class TestNamesByPosition:
    def test_only_a_literal_of_this_very_call_has_them(
        self, load: Callable[[str], ModuleType]
    ) -> None:
        """Neither a variable's text nor the record of an earlier call is read by this one."""
        names = []

        class Naming(logging.Handler):
            def handle(self, record: logging.LogRecord) -> bool:
                frame = call_site.calling_frame()
                assert frame is not None
                names.append(templates.names_by_position(record, frame))
                return True

        logger = logging.getLogger("crm.naming")
        logger.propagate = False
        logger.addHandler(MemoryHandler(100, logging.CRITICAL, Naming()))
        module = load(
            """
            import logging
            logger = logging.getLogger("crm.naming")
            def word(text, contact_id): logger.critical(text, contact_id)
            def first(token): logger.error("Failed for %s", token)
            def last(contact_id): logger.critical("Failed for %s", contact_id)
            """
        )
        module.word("active", 7)
        module.first("canary")
        module.last(7)
        assert names == [None, None, ("contact_id",)]


class TestForeignRecords:
    @pytest.mark.parametrize("text", [CANARY, "Contact failed", "Contact %s failed"])
    def test_a_record_from_outside_is_dynamic(self, text: str) -> None:
        """No frame of this process made it: its text is data, whatever it says."""
        text = text.encode().decode()
        record = logging.makeLogRecord({"msg": text, "args": ("x",)})
        resolved = templates.resolve(record, call_site.calling_frame(), "template")
        assert CANARY not in resolved.template
        assert resolved.arguments == ()

    @pytest.mark.parametrize("frame", [None, sys._getframe()])
    def test_hostile_objects_run_no_code(self, frame: None) -> None:
        """Neither truth, nor text, nor class of what stands in ``msg`` and ``args`` is asked."""

        class Hostile:
            def __getattribute__(self, name: str) -> object:
                raise AssertionError(name)

            def __bool__(self) -> bool:
                raise AssertionError

            __str__ = __repr__ = __len__ = __iter__ = __bool__  # type: ignore[assignment]

        for facts in ({"msg": Hostile()}, {"msg": "a b", "args": Hostile()}):
            record = logging.makeLogRecord(facts)
            for mode in ("template", "literal", "any"):
                templates.resolve(record, frame, mode)

    def test_a_record_of_an_earlier_call_is_not_read_by_this_one(self, program: Program) -> None:
        """A `MemoryHandler` hands on buffered records while another call is being made."""
        resolved = program(
            """
            from logging.handlers import MemoryHandler
            target = logger.handlers[0]
            logger.handlers[:] = [MemoryHandler(100, logging.CRITICAL, target)]
            def first(token):
                logger.error(f"Got {token}")
                logger.error("Failed for %s", token)
            def last(contact_id):
                logger.critical(f"Got {contact_id}")
            def also(contact_id):
                logger.critical("Failed for %s", contact_id)
            first("canary"); last(7); first("canary"); also(8)
            """
        )
        assert [each.template for each in resolved] == [
            *(DYNAMIC_MESSAGE, DYNAMIC_MESSAGE, "Got {contact_id}"),
            *(DYNAMIC_MESSAGE, "Failed for %s", "Failed for %s"),
        ]
        assert [each.arguments for each in resolved if each.arguments] == [
            *((("contact_id", "7"),), (("contact_id", 8),)),
        ]

    def test_a_literal_is_one_of_its_own_call_only(self, program: Program) -> None:
        """Calls that name their caller's line share it, and equal words may be one object."""
        resolved = program(
            """
            import sys
            def note(_): logger.error("maria", stacklevel=2)
            def tell(text): logger.error(text, stacklevel=2)
            for each in (note, tell, note, tell): each(sys.intern("Maria".lower()))
            """
        )
        assert [each.template for each in resolved] == ["maria", DYNAMIC_MESSAGE] * 2

    def test_nor_by_another_call_of_its_function(self, program: Program) -> None:
        """Equal literals of a function are one object; only the line tells the calls apart."""
        resolved = program(
            """
            import logging
            from logging.handlers import MemoryHandler
            target = logger.handlers[0]
            logger.handlers[:] = [kept] = [MemoryHandler(100, logging.CRITICAL, target)]
            class AnyLine(int):
                __eq__ = lambda *_: True
            def act(token, contact_id):
                logger.error("Failed for %s", token)
                facts = {"msg": "Failed for %s", "args": (token,), "funcName": "act", "levelno": 40}
                kept.handle(logging.makeLogRecord({**facts, "lineno": AnyLine()}))
                logger.critical("Failed for %s", contact_id)
            act("canary", 7)
            """
        )
        assert [each.template for each in resolved] == ["Failed for %s"] * 3
        assert [each.arguments for each in resolved] == [(), (), (("contact_id", 7),)]

    def test_nor_at_the_end_of_a_deep_stack(self, program: Program) -> None:
        """However many callers there are, none of them made that record."""
        resolved = program(
            """
            from logging.handlers import MemoryHandler
            target = logger.handlers[0]
            logger.handlers[:] = [MemoryHandler(100, logging.CRITICAL, target)]
            def first(token):
                logger.error(f"Got {token}")
            def last(contact_id):
                logger.critical(f"Got {contact_id}")
            def deep(levels, contact_id):
                deep(levels - 1, contact_id) if levels else last(contact_id)
            first("canary"); deep(100, 7)
            """
        )
        assert [each.template for each in resolved] == [DYNAMIC_MESSAGE, "Got {contact_id}"]
        assert [each.arguments for each in resolved] == [(), (("contact_id", "7"),)]

    def test_a_sentry_like_patch_is_no_caller(
        self, program: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Tracing libraries wrap ``callHandlers``; their frame is not where the call stands."""
        original = logging.Logger.callHandlers

        def patched(self: logging.Logger, record: logging.LogRecord) -> None:
            return original(self, record)

        monkeypatch.setattr(logging.Logger, "callHandlers", patched)
        (resolved,) = program('x = 1\nlogger.error(f"Got {x}")')
        assert resolved.template == "Got {x}"


class TestKnownLoggers:
    @pytest.mark.parametrize(
        ("logger", "call", "arguments"),
        [
            (
                "uvicorn.access",
                """'%s - "%s %s HTTP/%s" %d', f(1), f("GET"), f("/a"), f("1.1"), f(200)""",
                {"client.ip": 1, "request.method": "GET", "request.path": "/a"}
                | {"response.status": 200},
            ),
            (
                "urllib3.connectionpool",
                """'%s://%s:%s "%s %s %s" %s %s', f(1), 2, 3, f("GET"), f("/a"), 5, f(200), 7""",
                {"request.method": "GET", "request.path": "/a", "response.status": 200},
            ),
            ("django.request", """"%s: %s", f("Not Found"), f("/a")""", {"request.path": "/a"}),
            (
                "django.server",
                """'"%s" %s %s', f("GET /"), f("404"), 1""",
                {"response.status": 404},
            ),
            (
                "gunicorn.access",
                """f('%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'),
                Atoms({"h": "1.2.3.4", "s": "200", "{cookie}i": "x"})""",
                {"client.ip": "1.2.3.4", "response.status": 200},
            ),
            (
                "celery.app.trace",
                """"Task %(name)s[%(id)s] ok", {"name": "sync", "id": "1-2", "args": "x"}""",
                {"task.name": "sync", "task.id": "1-2"},
            ),
        ],
    )
    def test_positions_are_known(
        self, program: Program, logger: str, call: str, arguments: dict[str, object]
    ) -> None:
        """Arguments that have no name of their own get the field they are."""
        source = f"""\
logger.name = {logger!r}
f = lambda x: x
class Atoms(dict):
  def __missing__(self, key): return "-"
logger.error({call})
"""
        try:
            (resolved,) = program(source)
        finally:
            logging.getLogger("crm.program").name = "crm.program"
        assert dict(resolved.arguments) == arguments


class TestSources:
    def expect(self, lines: list[str], *, source: bool = True) -> None:
        built = "Contact {email} failed" if source else DYNAMIC_MESSAGE
        assert lines == ["started", "Contact failed", built, DYNAMIC_MESSAGE]

    def test_script(self, tmp_path: Path) -> None:
        """A file run as a script is read."""
        (tmp_path / "app.py").write_text(PRINTING + BODY)
        self.expect(run("app.py", cwd=tmp_path))

    @pytest.mark.parametrize("option", ["-O", "-OO"])
    def test_optimised(self, tmp_path: Path, option: str) -> None:
        """Compiling for the comparison follows the interpreter's own level."""
        (tmp_path / "app.py").write_text(PRINTING + BODY)
        self.expect(run(option, "app.py", cwd=tmp_path))

    def test_command(self) -> None:
        """The text given to ``-c`` is the source."""
        self.expect(run("-c", PRINTING + BODY))

    def test_bytecode_only(self, tmp_path: Path) -> None:
        """Without source literals pass and built messages do not."""
        (tmp_path / "job.py").write_text(PRINTING + BODY)
        py_compile.compile(str(tmp_path / "job.py"), cfile=str(tmp_path / "job.pyc"))
        (tmp_path / "job.py").unlink()
        self.expect(run("-c", "import job", cwd=tmp_path), source=False)

    def test_archive(self, tmp_path: Path) -> None:
        """A module in a zip file is read by its loader."""
        with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
            archive.writestr("job.py", PRINTING + BODY)
        path = os.pathsep.join([str(tmp_path / "app.zip"), str(REPOSITORY)])
        self.expect(run("-c", "import job", PYTHONPATH=path))

    def test_no_positions(self, tmp_path: Path) -> None:
        """Without column numbers only sentences among the constants are shown."""
        (tmp_path / "app.py").write_text(PRINTING + BODY)
        lines = run("-X", "no_debug_ranges", "app.py", cwd=tmp_path)
        assert lines == [DYNAMIC_MESSAGE, "Contact failed", DYNAMIC_MESSAGE, DYNAMIC_MESSAGE]

    def test_generated_code_shows_nothing(self, program: Program) -> None:
        """The constants of code made from a text may hold data."""
        resolved = program(
            """
            for text in ('logger.error("a canary b")', 'x = 1; logger.error(f"a canary {x}")'):
                exec(text)
            eval('logger.error("a canary b")')
            """
        )
        assert resolved == [Resolved(DYNAMIC_MESSAGE)] * 3

    def test_a_swapped_file_is_not_believed(
        self, load: Callable[[str], ModuleType], tmp_path: Path
    ) -> None:
        """A deploy replaced the source under the process: the running code is another one."""
        module = load("def f(log, token): log.error(f'Got {token}')\n")
        assert module.__file__ is not None
        Path(module.__file__).write_text("def f(log, email): log.error(f'Got {email}')\n")
        shown = seen_of("crm.swapped")
        module.f(logging.getLogger("crm.swapped"), CANARY)
        assert shown == [Resolved(DYNAMIC_MESSAGE)]

    def test_a_swapped_line_before_the_call_is_not_believed(
        self, load: Callable[[str], ModuleType]
    ) -> None:
        """The call is the same; what it logs is built elsewhere, and was another variable."""
        source = "def f(log, {0}):\n    m = f'Got {{{0}}}'\n    log.error(m)\n"
        module = load(source.format("token"))
        assert module.__file__ is not None
        Path(module.__file__).write_text(source.format("email"))
        shown = seen_of("crm.swapped")
        module.f(logging.getLogger("crm.swapped"), CANARY)
        assert shown == [Resolved(DYNAMIC_MESSAGE)]

    def test_nor_one_that_is_swapped_between_the_text_and_the_call(
        self, load: Callable[[str], ModuleType]
    ) -> None:
        """Both are the same; what binds the variable anew stands in the running code only."""
        source = "def f(log, i, token):\n    m = f'Got {{i}}'{}\n    log.error(m)\n"
        module = load(source.format("; m = f'Got {token}'"))
        assert module.__file__ is not None
        Path(module.__file__).write_text(source.format(""))
        shown = seen_of("crm.swapped")
        module.f(logging.getLogger("crm.swapped"), 7, CANARY)
        assert shown == [Resolved("Got {i}")]

    def test_a_module_that_is_loaded_again_says_something_new(
        self, load: Callable[[str], ModuleType]
    ) -> None:
        """As a notebook does with what was edited meanwhile."""
        module = load("")
        shown, logger = seen_of("crm.again"), logging.getLogger("crm.again")
        loader: Any = module.__loader__
        source = "def f(log, token): log.error(f'Have {token}')\n"
        for text in (source.replace("Have", "Got"), source, f"import os\n\n{source}"):
            Path(loader.path).write_text(text)
            loader.exec_module(module)
            module.f(logger, CANARY)
        assert [each.template for each in shown] == ["Got {token}", "Have {token}", "Have {token}"]

    def test_asserts_rewritten_by_pytest(self) -> None:
        """A test's own calls are resolved, though its code is not what the source compiles to."""
        shown, logger = seen_of("crm.rewritten"), logging.getLogger("crm.rewritten")
        contact = CANARY
        logger.error(f"Got {contact}")
        message = f"Have {contact}"
        logger.error(message)
        assert [each.template for each in shown] == ["Got {contact}", "Have {contact}"]

    def test_traced_code(self, tmp_path: Path) -> None:
        """A tracer, such as coverage's, changes nothing."""
        body = "import sys\nsys.settrace(lambda *_: None)\n" + PRINTING + BODY
        (tmp_path / "app.py").write_text(textwrap.dedent(body))
        self.expect(run("app.py", cwd=tmp_path))

    def test_many_calls_cost_bounded_memory(self, program: Program) -> None:
        """Code compiled again and again does not pile up."""
        program("for _ in range(50): exec(compile('logger.error(\"a b\")', __file__, 'exec'))")
        assert all(len(here) <= 32 for here in templates._literals.values())
