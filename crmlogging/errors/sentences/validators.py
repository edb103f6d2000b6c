"""Sentences of validators, databases and APIs that name a field in a fixed place."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.sentences.patterns import AND, CLOSE, NAME, OPEN, PATH, WORD, Marked, marked

__all__ = ["LABELS", "LIKELY", "NOUNED", "PLAIN", "PLAIN_MARKS", "SURE"]

_LIST: Final = r"([A-Za-z_][A-Za-z0-9_]{0,63}(?:, ?[A-Za-z_][A-Za-z0-9_]{0,63}){0,20})"
_START: Final = r"(?:^|[\n;:,]\s?|\. )(?:the )?"
_ENDED: Final = r"[A-Za-z_][A-Za-z0-9_.]{0,63}[\"'`\u2019\u201d]"
_BEGUN: Final = r"[\"'`\u2018\u201c]"
_SNAKE: Final = r"(?-i:[a-z]{2,30}(?:_[a-z]{1,20}){1,4})"
_GIVEN: Final = r"(?:set|given|provided|specified|supplied|present|included|filled)"
_HAS_TO: Final = (
    r"(?:is|are|must be|should be|may be|can be|needs? to be|ha(?:s|ve) to be) "
    rf"(?:required|mandatory|missing|{_GIVEN})"
)
_SPOKEN: Final = rf"{_BEGUN}{_ENDED}(?:{AND}{_BEGUN}{_ENDED}){{0,20}}"
_BARE_WORD: Final = r"[A-Za-z_][A-Za-z0-9_]{0,63}"
_ARE: Final = r"(?:is|are|must|should|cannot)"
_AFTER: Final = r"(?=[.,;:]|$| (?:on|to|of|for|because|as|since|after|when)\b)"
_UNIQUE: Final = r"(?:make a unique set|be unique)"
_WANTED: Final = (
    r"\b(?:missing|unknown|unexpected|unrecogni[sz]ed|invalid|extra|forbidden|required)"
    r"(?: required)? (?:key|field|param(?:eter)?|propert(?:y|ie)|attribute|column|argument)s?"
    rf"(?:\(s\))?(?: (?:in|on|of) \w{{1,20}})?:? [\[(]?({_SPOKEN})"
)
_ADDRESSED: Final = r"(?:address|(?:phone )?number|is|must)\b"
_ADDRESSES: Final = r"to|from|cc|bcc|reply-to|replyto|sender|recipient"


SURE: Final = marked(
    ("accessible: ", r"(?:does|do) not exist or (?:is|are) not accessible: " + _LIST),
    ("attribute", r"\battribute(?: name)?: " + WORD + r"(?=[,;]|$)"),
    ("key (", r"\bkey \(([A-Za-z_][\w, :()]{0,200})\)="),  # PostgreSQL
    ("invalid value", r"got invalid value .{0,200}? at [\"']" + NAME + r"[\"']"),  # graphql-js
    ("to satisfy", r"\bvalue (?:.{0,200}? )?at '" + NAME + r"' failed to satisfy"),  # AWS
    ("/", r"\b(?:body|data|params|querystring|query)/([A-Za-z_][\w/]{0,60}) (?:must|should|is)\b"),
    (
        "field",
        r"(?:invalid|unknown|unsupported) fields? (?:given|found|specified|provided): " + _LIST,
    ),
    ("$.", r"(?:^|\s)\$\.([A-Za-z_][\w.\[\]]{0,60})"),
    ("value", r"\bvalues? (?:\S{1,60} )?(?:of|for|in) " + OPEN + NAME + CLOSE),
    ("wert", r"\bwert (?:von|für|fuer) " + OPEN + NAME + CLOSE),
    ("val", r"\bval(?:or|eur|ore) (?:de|del|do|para|pour|di) " + OPEN + NAME + CLOSE),
    ("fields [/", r"fields? \[/([A-Za-z_][\w/]{0,60})\]"),
    ("unknown name ", r"unknown name " + OPEN + NAME + CLOSE + r"(?: at |: cannot)"),  # Google
    ("[", r"\[([A-Z@][A-Z0-9_]{2,20}\.[A-Za-z_]\w{0,60})\]"),  # SAP Business One
    ("reference chain", r"reference chain: [^)]{0,300}\[\"" + WORD + r"\"\]\)"),  # Jackson
    (
        " field ",
        r"(?:^|[\n;] ?)"
        + PATH
        + r": (?:an? |the )?[a-z' ]{0,40}\b(?:this|the) (?:field|property) ",
    ),
    (  # of several names in snake_case
        "_",
        rf"\b({_SNAKE}(?:{AND}{_SNAKE}){{1,8}}) (?:must be {_GIVEN}|(?:is|are) required)\b",
    ),
    ("pointer", r"\bpointer:? ?[\"']?(/[A-Za-z_][\w/]{0,60})"),  # Slack
    ("value is empty", r"\bvalue is empty(?: or invalid)?: " + WORD),  # Rails
    (  # Pydantic's errors as text
        "type=",
        r"(?:^|\n)([A-Za-z_][\w.]{0,60})\r?\n {2}[^\n]{1,300}[\[(]type=",
    ),
    ("is expected", r"\bone of '\{(?:\"[^\"]{0,200}\":)?" + WORD),  # Xerces
    ("elements expected: ", r"\belements expected: '" + WORD + "'"),  # .NET
    (  # Django REST framework
        "unique",
        rf"\bfields? ({_BARE_WORD}(?:{AND}{_BARE_WORD}){{0,20}}) must {_UNIQUE}",
    ),
    *(
        (
            f"{noun} ",
            rf"\b{noun} ({_BARE_WORD}(?:{AND}{_BARE_WORD}){{1,20}}) {_ARE}\b",
        )
        for noun in ("fields", "parameters", "properties", "attributes", "columns", "arguments")
    ),
    *(
        (  # of several names in quotes
            mark,
            rf"\b{mark}(?: the)?(?: following)?:? \(?({_SPOKEN})\)? {_HAS_TO}\b",
        )
        for mark in ("either", "one of", "any of", "both")
    ),
    ("invalid ", r"\binvalid (?-i:[A-Z])\w{0,60}\.([A-Za-z_]\w{0,60}): "),  # protoc-gen-validate
    (
        "insert null into",
        r"insert null into \((?:\"\w{1,60}\"\.){0,3}\"" + WORD + r"\"\)",
    ),  # Oracle
    *((mark, _WANTED) for mark in ("key", ", ")),
    ("each value in ", r"\beach value in " + NAME),  # class-validator
    (" :: ", r"(?:^|\n)(?:\w{1,10} :: )?/([A-Za-z_][\w/]{0,60}) :: "),  # LinkedIn
    ("missing the key ", r"\bmissing the key " + NAME),  # DynamoDB
    ("@ data[", r"@ data((?:\['?\w{1,40}'?\]){1,8})"),  # Voluptuous
    (" -> ", r"(?:^|\n)((?:\w{1,40} -> ){1,8}\w{1,40})(?=:|\n|$)"),  # FastAPI, Pydantic 1
    (
        "supplied: ",
        r"\b(?:argument|param(?:eter)?|field)s? (?:supplied|given|passed): " + PATH + r"\.?$",
    ),
    ("validation for '", r"\bvalidation for '" + NAME + "' failed"),  # Go's validator
    ("go struct field ", r"\bgo struct field \w{1,64}\.([A-Za-z_][\w.]{0,63}) of type"),
    ("transient value", r"\btransient value ?: (?:\w{1,64}\.){1,8}" + WORD),  # Hibernate
    ("path '", r"\bpath '" + NAME + r"', line \d"),  # Json.NET
    ("constraint failed: ", r"\bconstraint failed: ([A-Za-z_][\w., ]{0,200})"),  # SQLite
    ("dup key: {", r"\bdup key: \{ ?\"?" + PATH + r"\"?:"),  # MongoDB
    ("first error: ", r"\bfirst error: [A-Z_]{3,60}, [^\[]{1,300}: \[" + _LIST + r"\]"),  # Apex
    (" and ", rf"\b(?:field|param(?:eter)?|propertie|attribute|column)s ({_SPOKEN})"),
    ("mandatoryerror: ", r"mandatoryerror: \[[^\]]{0,80}\]: " + _LIST + "$"),  # Frappe
    ("at path", r"\bat path " + OPEN + NAME + CLOSE),  # Mongoose
    ("field: ", r"(?:^|\n)field: [^()\n]{1,60} \(([a-z_][a-z0-9_.]{0,63})\)"),  # Odoo
    (
        "quire",
        rf"{_BEGUN}({_ENDED}(?:{AND}{_BEGUN}{_ENDED}){{1,12}}) (?:is|are) required",
    ),
    (
        "'",
        rf"\b(?:the|invalid|missing|a) [\"']({_ADDRESSES})[\"'] {_ADDRESSED}",
    ),
)
"""Of these the group is a field, whatever it looks like."""

LIKELY: Final = marked(
    *(
        (f" {noun}", rf"\bthe {PATH} {noun}\b")
        for noun in ("field", "parameter", "attribute", "property", "column", "argument")
    ),
    (
        "no ",
        r"^no (?:value (?:was )?(?:given|provided) for )?"
        + WORD
        + r" (?:was )?(?:provided|given|supplied|specified|set|sent)\b",
    ),
    ("error", r"(?:validation|input) errors?: " + NAME + r": "),
    ("missing ", r"\bmissing (?:from|in) [\w ]{1,30}: " + WORD + r"\.?$"),
    ("invalid ", r"^invalid " + WORD + r"(?=:\s)"),
    (
        " for ",
        r"\bvalue (?:(?:passed|provided|given|supplied|specified|sent|received|entered) )?for "
        r"(?:the )?" + PATH + r"(?=[.,;:!]|$| (?:to|in|on|as|is|was|has|must|could|cannot)\b)",
    ),
    (
        " for ",
        r"(?:valid|allowed|accepted|permitted|supported) (?:value )?for " + WORD + r"(?=[.,;:!]|$)",
    ),
    (") ", _START + PATH + r"\s\([^)]{1,60}\)\s(?:is|must|should|does|cannot|can't)\b"),
    (" field ", _START + PATH + r" field (?:format |value |type )?(?:is|must|has)\b"),
    (
        "with ",
        r"\bwith (?:this|that|the same|same|such an?|the given|the specified) "
        + WORD
        + r" (?:address |number )?(?:already|exists)",
    ),
    ("already ", r"\bwith " + WORD + r" \S{1,80} already (?:exists|in use|taken)"),
    ("missing ", r"^(?:[a-z ]{1,30}: )?missing (?=[A-Za-z_]\w{0,40}\.\w)" + PATH + r"\.?$"),
    (" for ", r"\bfor " + OPEN + NAME + CLOSE + r"\.?$"),
    (
        "the ",
        r"\bthe "
        + WORD
        + r" (?:code |value |id |key )?"
        + OPEN
        + r"[^\"'`]{1,60}"
        + CLOSE
        + r" (?:is (?:not (?:a )?(?:valid|allowed|supported|one)|invalid|too)|isn't|must\b)",
    ),
    (
        ": ",
        r"(?:^|[\n;,:] ?)(?!(?-i:[A-Z0-9_]+)\b|\w*(?:error|exception|invalid|failed|request)\b)"
        + PATH
        + r" ?: (?=(?:size|length) must |must not be (?:null|blank|empty)|invalid (?:type|length)"
        r"|must be (?:an? )?(?:well-formed|valid|greater|less|between|in the)|must match"
        r"|(?:not an? |(?:is )?(?:not )?(?:an? )?(?:in)?valid |expected (?:an? )?)"
        r"(?:recogni[sz]ed )?(?:date|number|integer|list|array|string|boolean|url|e-?mail|phone"
        r"|uuid|format|type|value|currency|country|enum|option|choice)\b)",
    ),
    ("be unique", r"\b" + WORD + r" (?:should|must) be unique"),
)
"""Of these it is one if it looks like the name of a field."""

NOUNED: Final = marked(
    *(
        (
            noun,
            _START
            + WORD
            + rf" {noun} (?:(?:is|was|must|cannot|can't|has|does|should)\b|missing|required|not )",
        )
        for noun in ("field", "parameter", "param", "attribute", "property", "column", "argument")
    ),
    *(
        (
            f"{noun} ",
            rf"(?:^|[\n;:,.] ?)(?:the |invalid |missing )?{noun} "
            + WORD
            + r"(?::| (?:is|was|must|cannot|should|has|does)\b)",
        )
        for noun in ("field", "parameter", "param", "attribute", "property", "column", "argument")
    ),
    *(
        (
            f"{noun}: ",
            r"\b(?:unknown|unexpected|unsupported|unrecogni[sz]ed|missing|required|invalid|extra) "
            rf"(?:required )?{noun}: " + NAME + r"\.?$",
        )
        for noun in ("field", "parameter", "param", "attribute", "property", "column", "argument")
    ),
    *(
        (
            f"{noun} ",
            rf"\b(?:in|for|on|of) (?:the )?(?:following |query |body |path )?{noun}:? {NAME}\.?$",
        )
        for noun in ("field", "parameter", "attribute", "property", "column", "argument")
    ),
)
"""A word beside a noun that says it is a field; none of those that say what kind of field."""

LABELS: Final = marked(
    *(
        (
            unable,
            rf"^{unable}(?:set|update|change|modify|edit|write) (?:the )?{WORD}{_AFTER}",
        )
        for unable in ("cannot ", "can't ", "unable to ", "could not ")
    ),
    ("mismatch for ", r"\bmismatch for " + PATH + r"(?=[;,.]?(?:\s|$))"),
    *(
        (
            f" {already} ",
            r"^(?:el|la|o|a|le|der|die|das) " + WORD + rf" (?:\S{{1,20}} )?{already}\b",
        )
        for already in ("ya", "já", "bereits", "déjà")
    ),
    (
        " for ",
        r"^invalid (?:data|value|input|integer|number|date|e-?mail(?: address)?|phone number|url"
        r"|format|type|length|enum|boolean|string|id)(?:: \S{1,60})? for "
        + WORD
        + r"(?=[.,;:!]|$)",
    ),
    (
        ": ",
        r"(?:^|[\n;,] ?|\. |: )"
        + PATH
        + r" ?: (?=(?:an object with this|does not match|max(?:imum)? length|min(?:imum)? length"
        r"|not an? |expected |the (?:field|value) |this (?:field|value) |value |unknown |invalid "
        r"|is not |should |must |cannot ))",
    ),
)
"""Names before a colon and the like: of these it is one if it looks like a common one."""

PLAIN_MARKS: Final = (" required", " missing", " mandatory", " be ", "too long", "too short")
PLAIN: Final = Marked(
    "",
    r"(?-i:" + _START + r"(?:([a-z][a-z0-9]{2,40})(?: field)?:?|([A-Z][a-z]{2,20}):)\s"
    r"(?:is (?:a )?(?:required|missing|mandatory)\b"
    r"|(?:can't|cannot|can not|must not|may not|should not) be (?:blank|empty|null)\b"
    r"|(?:must|should) (?:not )?be (?:of type )?(?:an? )?(?:valid )?(?:string|number|integer|array"
    r"|object|boolean|list|date|datetime|email|url|uuid|numeric|positive|(?:less|greater|longer"
    r"|shorter|more) than|equal to|at least|at most|between|empty|blank|null"
    r"|one of the following values)\b|is too (?:long|short)\b)"
    r"|"
    + _START
    + r"([A-Z][a-z]{2,20}) (?:(?:can't|cannot|can not|must not|should not) be (?:blank"
    r"|empty|null)\b|is too (?:long|short) \(|is a required field\b|must be filled\b"
    r"|must be (?:(?:less|greater) than|an integer|a number)\b))",
)
"""A lower-case word of which something is said that can be said of nothing but a field."""
