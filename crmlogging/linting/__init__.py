"""Finds log calls that lose or leak something, without running the code.

``sources`` reads files, ``scopes`` says what a name is bound to, ``calls`` finds the calls of the
standard library's loggers; ``messages``, ``arguments``, ``fields``, ``secrets`` and ``style`` judge
one call each by the rules of the table in ``rules``; ``allowlists`` and ``configuration`` say what
is allowed and asked for; ``checking`` puts it together.

The verdict on a message is the one that `crmlogging.redaction.templates` reaches at run time.
"""
