"""How the credentials of well-known vendors begin: facts of their documentation, as tables.

A prefix of the first table ends in a sign that rarely stands in a text, so the search starts
there and looks back. Those of the second begin with letters only, or have another form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["LETTERED", "SIGNED", "lettered_pattern", "signed_pattern"]

# Nothing but a credential begins like this.
_CERTAIN: Final = """
    sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ pk_live_ pk_test_ whsec_
    ghp_ gho_ ghu_ ghs_ ghr_ github_pat_
    glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct-
    xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp-
    shpat_ shpca_ shppa_ shpss_ shptka_ sq0atp- sq0csp- sq0idp-
    dop_v1_ doo_v1_ dor_v1_
    sk-ant- sk-proj- sk-svcacct- sk-admin- pplx- pcsk_ lsv2_ sk-or-
    rubygems_ CLOJARS_ dckr_pat_ dckr_oat_
    lin_api_ lin_oauth_ ntn_ figd_ rdme_ tfp_ nfp_ pnu_ sgp_ slk_ squ_ sqp_ sqa_
    PMAK- NRAK- NRII- NRJS- NRRA- HRKU- CFPAT- FLWSECK_TEST- FLWSECK-
    xkeysib- xsmtpsib- GOCSPX- tskey- dt0c01. hvs. hvb. hvr.
    sntrys_ sntryu_ sntrya_ glsa_ glc_ sbp_ tfe_ vercel_
    pscale_tkn_ pscale_pw_ pscale_oauth_ duffel_live_ duffel_test_ shippo_live_ shippo_test_
    rzp_live_ rzp_test_ fo1_ fm1_ fm2_ fm1r_ fm2r_ sha256~ access_token$
    hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.zapier.com/hooks/catch/
    /api/webhooks/ webhook.office.com/webhookb2/ discord.com/api/webhooks/
"""
_ANY: Final = r"[A-Za-z0-9_-]{6}[A-Za-z0-9_.~+=-]*"
_PATH: Final = r"[A-Za-z0-9_-][A-Za-z0-9_@./-]*"
_RUN: Final = r"[A-Za-z0-9_-]{20}[A-Za-z0-9_.=-]*"
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f-]*"
# An ordinary word may begin like this too, so what follows has to look the part; "|" in front:
# no letter or digit may stand before it.
_LIKELY: Final = {
    "|sk-": _RUN,
    "npm_": r"[A-Za-z0-9]{16}[A-Za-z0-9]*",
    "xai-": _RUN,
    "|pat-": r"[a-z]{2}[0-9]-[A-Za-z0-9-]{6}[A-Za-z0-9-]*",  # HubSpot private app
    "|key-": r"[0-9a-z]{32}",  # Mailgun
    "|pul-": r"[0-9a-f]{40}",
    "|p8e-": r"[A-Za-z0-9]{32}",  # Adobe
    **dict.fromkeys(("|sdk-", "|mob-", "|api-"), _UUID),  # LaunchDarkly
    **dict.fromkeys(("access-production-", "access-sandbox-", "access-development-"), _UUID),
    "|A3-": r"[A-Z0-9]{6}-[A-Z0-9-]{20}[A-Z0-9-]*",  # 1Password
    "|hf_": r"[A-Za-z0-9]{20}[A-Za-z0-9]*",
    "|gsk_": r"[A-Za-z0-9]{20}[A-Za-z0-9]*",
    "|r8_": r"[A-Za-z0-9]{20}[A-Za-z0-9]*",
    "|pk_": r"(?:[0-9a-f]{34}|[0-9]{5,12}_[A-Z0-9]{32})",  # Klaviyo, ClickUp
    "|re_": r"[A-Za-z0-9]{8}_[A-Za-z0-9]{16}[A-Za-z0-9]*",  # Resend
    "|api_": r"[A-Za-z0-9]{20,64}\.[A-Za-z0-9]{20}[A-Za-z0-9]*",  # Close
    "|secret_": r"[A-Za-z0-9]{32}[A-Za-z0-9]*",  # Notion
    "|SG.": r"[A-Za-z0-9_-]{6,64}\.[A-Za-z0-9_-]{6}[A-Za-z0-9_-]*",
    "|ya29.": r"[A-Za-z0-9_-]{12}[A-Za-z0-9_.~+/=-]*",
    **dict.fromkeys(  # Doppler
        ("dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."),
        r"[A-Za-z0-9_.-]{16}[A-Za-z0-9_.-]*",
    ),
    "|sl.": r"[A-Za-z0-9_-]{60}[A-Za-z0-9_-]*",  # Dropbox
    "|1//": r"0[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",  # Google refresh
    "|1000.": r"[0-9A-Za-z]{16}[0-9A-Za-z.]*",  # Zoho
    "|sk.": r"eyJ[A-Za-z0-9_-]{20}[A-Za-z0-9_.-]*",  # Mapbox
}
SIGNED: Final[Mapping[str, str]] = {
    **{prefix: _PATH if "/" in prefix else _ANY for prefix in _CERTAIN.split()},
    **_LIKELY,
}
"""Prefix, with its last sign, to an expression of what follows."""

LETTERED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ABIA", "ACCA"), r"[A-Z0-9]{12,32}"),
    "ABSK": r"[A-Za-z0-9+/]{40}[A-Za-z0-9+/=]*",
    "LTAI": r"[A-Za-z0-9]{12,32}",
    "AKCp": r"[A-Za-z0-9]{40}[A-Za-z0-9]*",
    "AIza": r"[A-Za-z0-9_-]{30}[A-Za-z0-9_-]*",
    **dict.fromkeys(("ATATT3", "ATCTT3"), r"[A-Za-z0-9_-]{20}[A-Za-z0-9_=-]*"),
    "ATBB": r"[A-Za-z0-9]{24}[A-Za-z0-9]*",
    **dict.fromkeys(("AC", "SK"), r"[0-9a-f]{32}(?![0-9a-f])"),  # Twilio
    "AAAAAAAAAAAAAAAA": r"[A-Za-z0-9%_:-]{40}[A-Za-z0-9%_:-]*",  # X, Firebase
    "EAA": r"[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",  # Meta, Square
    **dict.fromkeys(("EZAK", "EZTK"), r"[A-Za-z0-9]{40}[A-Za-z0-9]*"),
    "GR1348941": r"[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",
    "dapi": r"[0-9a-f]{32}",
    "dG9rOg": r"[A-Za-z0-9+/]{20}[A-Za-z0-9+/=]*",  # Intercom: "tok:"
    "oy2": r"[a-z0-9]{40}[a-z0-9]*",
    "00D": r"[A-Za-z0-9]{12,15}![A-Za-z0-9._]{10}[A-Za-z0-9._]*",  # Salesforce session
    "5Aep": r"[A-Za-z0-9._]{20}[A-Za-z0-9._]*",  # Salesforce refresh
    "3MVG9": r"[A-Za-z0-9._]{20}[A-Za-z0-9._]*",  # Salesforce consumer key
    "pat": r"[A-Za-z0-9]{14}\.[0-9a-f]{40}[0-9a-f]*",  # Airtable
    "eyJ": r"[A-Za-z0-9_-]{5,512}\.[A-Za-z0-9_-]{2}[A-Za-z0-9_.-]*",  # JWT, JWE
    "1/": r"[0-9]{10,20}:[0-9a-f]{32}",  # Asana
    "M": r"[A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27}[A-Za-z0-9_-]*",  # Discord
}
"""Prefix to an expression of what follows; no letter or digit stands before it."""


def signed_pattern(table: Mapping[str, str]) -> re.Pattern[str]:
    """Return one expression for all prefixes; the group that took part is the prefix.

    It begins at the prefix's last sign, the same for many, and looks back: a scan for ten
    signs is faster than one for two hundred words.
    """
    groups: dict[tuple[str, int, bool, str], list[str]] = {}
    for marked, tail in table.items():
        prefix = marked.removeprefix("|")
        key = prefix[-1], len(prefix), marked != prefix, tail
        groups.setdefault(key, []).append(prefix)
    ways: dict[str, list[str]] = {}
    for (sign, length, alone, tail), prefixes in groups.items():
        words = "|".join(map(re.escape, prefixes))
        guard = rf"(?<![A-Za-z0-9].{{{length}}})" if alone else ""
        ways.setdefault(sign, []).append(rf"(?<=({words})){guard}{tail}")
    starts = []
    for sign, each in ways.items():
        ends = {prefix for key, words in groups.items() if key[0] == sign for prefix in words}
        width = min(3, *map(len, ends))
        near = "|".join(sorted({re.escape(prefix[-width:-1]) for prefix in ends}))
        starts.append(rf"{re.escape(sign)}(?<=(?:{near}).)(?:{'|'.join(each)})")
    return re.compile("|".join(starts))


def lettered_pattern(table: Mapping[str, str]) -> re.Pattern[str]:
    """Return one expression for all prefixes, grouped by first letter: sre then skips the rest."""
    groups: dict[str, list[str]] = {}
    for prefix, tail in table.items():
        groups.setdefault(prefix[0], []).append(f"{re.escape(prefix[1:])}{tail}")
    ways = (rf"{first}(?<![A-Za-z0-9]{first})(?:{'|'.join(g)})" for first, g in groups.items())
    return re.compile("|".join(ways))
