"""Promises of the catalog: valid as a whole, every row reachable, every mistake named."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import crmlogging
from crmlogging.errors.catalog import Catalog, builtin
from crmlogging.errors.catalog.patterns import Pattern, as_data
from crmlogging.errors.catalog.rules import Provider, Rule, normal_code
from crmlogging.errors.catalog.tables import FILE, compiled
from crmlogging.errors.classify import classify, classify_with
from crmlogging.errors.model import Category, CrmError
from crmlogging.exceptions import ConfigurationError

HERE: Final = Path(__file__).parents[1]
LISTED: Final = (
    *("hubspot", "salesforce", "zoho", "engagifii", "pipedrive", "mailchimp", "intercom"),
    *("stripe", "dynamics", "sap", "freshsales", "zendesk_sell", "close", "copper"),
    *("activecampaign", "attio", "airtable"),
)


def parts() -> list[Provider]:
    """Return all groups of rules."""
    catalog = builtin()
    return [*catalog.providers.values(), catalog.generic, catalog.network]


def decided_by(error: CrmError | None) -> Iterator[str]:
    """Yield the names of the rules that decided an error and its items."""
    if error is not None:
        yield error.rule.partition(":")[0]
        for item in error.items:
            yield from decided_by(item)


class TestBuiltin:
    def test_loads_without_a_complaint(self) -> None:
        """All files are valid; every provider that is listed is there."""
        assert set(LISTED) <= set(builtin().providers)

    def test_is_what_its_files_say(self) -> None:
        """Rows are written in TOML; what is loaded is made of them, valid as a whole."""
        made = compiled(FILE.parent.glob("*.toml"))
        if made != FILE.read_bytes():
            pytest.fail("tables.json is older than the TOML: run `python docs/taxonomy_table.py`")

    def test_is_read_out_of_a_zip_file_too(self, tmp_path: Path) -> None:
        """A service may be one file (zipapp), with this package in it."""
        package = Path(crmlogging.__file__).parent
        with zipfile.ZipFile(tmp_path / "service.pyz", "w") as archive:
            for file in package.rglob("*"):
                if file.suffix in (".py", ".json"):
                    archive.write(file, file.relative_to(package.parent))
        code = (
            "import crmlogging; print(crmlogging.__file__, "
            "crmlogging.classify(status=429).category.value)"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(tmp_path / "service.pyz")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        place, category = run.stdout.split()
        assert place.startswith(str(tmp_path / "service.pyz"))
        assert category == "transient"

    def test_every_reason_is_used(self) -> None:
        """A reason that no rule gives is not in the table."""
        made_elsewhere = {"UNKNOWN", "TRUNCATED", "LOGIN_PAGE"}
        used = {rule.reason.name for rule in builtin().rules()} | made_elsewhere
        assert set(builtin().reasons) == used

    def test_every_row_names_its_source(self) -> None:
        """Each rule says which page it was taken from and when that was looked at."""
        for rule in builtin().rules():
            assert rule.source.startswith("https://"), rule.name
            assert rule.checked, rule.name

    def test_no_row_hides_another(self) -> None:
        """For one code, a rule without conditions comes last."""
        for part in parts():
            for code, rules in part.by_code.items():
                certain = [rule for rule in rules if rule.plain and not rule.weak]
                assert certain in ([], [rules[-1]]), f"{part.name} {code}"

    def test_every_row_is_reachable(self) -> None:
        """Each rule without codes decides at least one of the answers and examples here."""
        reached: set[str] = set()
        for name in ("answers.jsonl", "examples.jsonl"):
            for line in (HERE / name).read_text(encoding="utf-8").splitlines():
                reached.update(decided_by(_outcome(json.loads(line))))
        rows = {rule.name for rule in builtin().rules() if not rule.codes}
        assert rows - reached == set()

    @pytest.mark.parametrize("provider", LISTED)
    def test_every_code_gets_its_reason(self, provider: str) -> None:
        """A code alone means what its row says, whatever the status."""
        known = builtin().providers[provider]
        key = known.code_keys[0]
        for code, rules in known.by_code.items():
            last = rules[-1]
            if last.plain and not last.weak and not last.reason.limit:
                spelled = f"-{code}" if code.startswith("2147") else code
                error = classify(status=400, provider=provider, body={key: spelled})
                assert error is not None, code
                assert error.reason in {rule.reason.name for rule in rules}, code

    def test_links_are_https_on_known_hosts(self) -> None:
        """Every link of the catalog is https; a host of the account only by a listed suffix."""
        for provider in builtin().providers.values():
            for link in (*provider.links.values(), provider.status_page):
                assert link == "" or link.startswith("https://")
                assert "{host}" not in link or provider.link_hosts

    def test_summaries_say_what_to_do(self) -> None:
        """Each reason is at least two sentences or clauses, about the provider."""
        for reason in builtin().reasons.values():
            assert "{provider}" in reason.summary or reason.category is not Category.AUTH
            assert reason.summary.count(".") >= 1
            assert len(reason.summary) <= 140

    def test_verdict_can_be_explained(self) -> None:
        """The rule that an error names is found again, with the page it was taken from."""
        error = classify(
            status=401, provider="hubspot", body='{"category":"EXPIRED_AUTHENTICATION"}'
        )
        assert error is not None
        rule = builtin().rule_named(error.rule)
        assert rule is not None
        assert rule.reason.name == error.reason
        assert rule.source.startswith("https://developers.hubspot.com/")
        assert builtin().rule_named("nowhere#1") is None

    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("HubSpot", "hubspot"),
            ("Zendesk Sell", "zendesk_sell"),
            ("Microsoft Dynamics 365", "dynamics"),
            ("zoho-crm", "zoho"),
        ],
    )
    def test_provider_has_spellings(self, name: str, slug: str) -> None:
        """A provider is found by title and aliases in any spelling."""
        error = classify(status=401, provider=name)
        assert error is not None
        assert error.provider == slug

    @pytest.mark.parametrize(
        ("answer", "slug"),
        [
            pytest.param({"url": "https://acme.my.salesforce.com/x"}, "salesforce", id="host"),
            pytest.param({"headers": {"Sforce-Limit-Info": "x"}}, "salesforce", id="header"),
            pytest.param({"body": [{"errorCode": "X", "message": "y"}]}, "salesforce", id="shape"),
            pytest.param({"url": "https://evilhubspot.com/"}, None, id="look-alike"),
            pytest.param({"url": "https://hubspot.com.evil.example/"}, None, id="suffix"),
            pytest.param({"provider": "own_crm"}, "own_crm", id="named-but-unknown"),
            pytest.param({"provider": "a@b.example"}, None, id="no-slug"),
        ],
    )
    def test_provider_is_found_out(self, answer: dict[str, Any], slug: str | None) -> None:
        """Host, headers or shape tell the provider; what is no slug is not repeated."""
        error = classify(status=400, **answer)
        assert error is not None
        assert error.provider == slug


def _outcome(case: dict[str, Any]) -> CrmError | None:
    transport, request = case.get("transport") or {}, case.get("request") or {}
    told = f"{transport['exception']}: {transport['message']}" if transport else None
    return classify(
        status=case.get("status"),
        headers=case.get("headers"),
        body=case.get("body"),
        provider=case.get("provider"),
        exception=case.get("exception") or told,
        method=request.get("method"),
        url=request.get("url"),
    )


class TestOwnFile:
    def write(self, tmp_path: Path, text: str) -> Catalog:
        """Extend the built-in catalog by `text`."""
        file = tmp_path / "own.toml"
        file.write_text(text, encoding="utf-8")
        return builtin().extended(file)

    def test_rule_overrides_a_builtin_one(self, tmp_path: Path) -> None:
        """A row for a known provider is asked before ours, which stays for everybody else."""
        own = self.write(
            tmp_path,
            '[provider]\nname = "zoho"\n[[rules]]\nreason = "OUR_CASE"\ncodes = ["INVALID_DATA"]\n'
            '[reasons.OUR_CASE]\ncategory = "plan"\nscope = "run"\nowner = "admin"\ntier = 3\n'
            'summary = "{provider} needs our own care. Call the office."\n',
        )
        answer: dict[str, Any] = {
            "status": 400,
            "provider": "zoho",
            "body": '{"code":"INVALID_DATA"}',
        }
        error, plain = classify_with(own, **answer), classify(**answer)
        assert error is not None
        assert (error.category, error.owner, error.tier, error.abort_run) == (
            "plan",
            "admin",
            3,
            True,
        )
        assert error.summary == "Zoho CRM needs our own care. Call the office."
        assert plain is not None
        assert plain.category == "validation"

    def test_generic_rules_are_added(self, tmp_path: Path) -> None:
        """A file without a provider holds rules for all of them."""
        own = self.write(
            tmp_path,
            '[[rules]]\nreason = "OUTAGE"\nwording = ["gone fishing"]\n'
            '[[rules]]\nreason = "LOCKED"\nstatuses = [477]\n',
        )
        fishing = classify_with(own, status=400, body="Gone fishing!")
        assert fishing is not None
        assert fishing.category == "unreachable"
        odd = classify_with(own, status=477)
        assert odd is not None
        assert odd.reason == "LOCKED"

    def test_later_files_come_first(self, tmp_path: Path) -> None:
        """Of several files the last is asked first, and all before ours: by words and by codes."""
        names = ("first", "second")
        for name, reason, code in zip(names, ("OUTAGE", "LOCKED"), ("GNOME", "TROLL"), strict=True):
            (tmp_path / f"{name}.toml").write_text(
                f"[[rules]]\nreason = '{reason}'\nwording = ['gone fi', 'closed {name}']\n"
                f"[[rules]]\nreason = '{reason}'\nfamily = ['_{code}_', '_BOTH_']\n"
            )
        own = builtin().extended(*(tmp_path / f"{name}.toml" for name in names))

        def reason_of(body: object) -> str:
            error = classify_with(own, status=400, body=body)
            assert error is not None
            return error.reason

        told = ("Gone fishing", "Closed first time", "closed SECOND", "rate limit exceeded")
        assert [reason_of(text) for text in told] == ["LOCKED", "OUTAGE", "LOCKED", "RATE_LIMITED"]
        codes = ("A_BOTH_B", "A_GNOME_B", "A_TROLL_B", "A_DUPLICATE_B")
        found = [reason_of({"code": code}) for code in codes]
        assert found == ["LOCKED", "OUTAGE", "LOCKED", "DUPLICATE"]

    def test_rows_for_what_is_known_count(self, tmp_path: Path) -> None:
        """A status, an exception or a link told anew is told by the user's file; the rest stays."""
        own = self.write(
            tmp_path,
            '[provider]\nname = "hubspot"\n[links]\nplan = "https://own.example/"\n',
        )
        (tmp_path / "network.toml").write_text(
            '[[rules]]\nreason = "MAINTENANCE"\nwording = ["connection refused"]\n'
        )
        (tmp_path / "statuses.toml").write_text('[[rules]]\nreason = "LOCKED"\nstatuses = [401]\n')
        own = own.extended(tmp_path / "network.toml", tmp_path / "statuses.toml")
        refused = classify_with(own, exception=ConnectionError("Connection refused"))
        locked, plan = (
            classify_with(own, status=status, provider="hubspot") for status in (401, 402)
        )
        assert refused is not None
        assert locked is not None
        assert plan is not None
        assert (refused.reason, locked.reason) == ("MAINTENANCE", "LOCKED")
        assert plan.fix_url == "https://own.example/"
        assert (
            own.providers["hubspot"].links["auth"] == builtin().providers["hubspot"].links["auth"]
        )

    def test_a_reason_told_anew_means_that_everywhere(self, tmp_path: Path) -> None:
        """Rules of ours that name it say what the user's file says."""
        own = self.write(
            tmp_path,
            '[reasons.LOCKED]\ncategory = "plan"\nowner = "admin"\nsummary = "Call us."\n',
        )
        body = [{"errorCode": "UNABLE_TO_LOCK_ROW"}]
        error = classify_with(own, status=400, provider="salesforce", body=body)
        assert error is not None
        assert (error.reason, error.category, error.summary) == ("LOCKED", "plan", "Call us.")

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            pytest.param("[[rules]\n", "syntax", id="no-toml"),
            pytest.param("[[rules]]\ncodes = ['A']\n", "reason", id="no-reason"),
            pytest.param("[[rules]]\nreason = 'X'\ncodes = ['A']\n", "'X'", id="unknown-reason"),
            pytest.param("[[rules]]\nreason = 'LOCKED'\n", "needs a condition", id="no-condition"),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\ncode = 'A'\n", "unknown key 'code'", id="typo"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\ncodes = 'A'\n", "codes: a list", id="no-list"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\nwording = ['(']\n", "does not compile", id="pattern"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\ncodes = ['A']\nscope = 'all'\n", "scope", id="scope"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\ncodes = ['A']\nlink = 'http://x.y'\n",
                "link",
                id="http",
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\nstatuses = ['400']\n", "numbers", id="status-text"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\ncodes = ['A']\nchecked = 'today'\n",
                "date",
                id="date",
            ),
            pytest.param("[provider]\nname = 'Our CRM'\n", "slug", id="slug"),
            pytest.param("[provider]\nname = 'x'\nstatus_page = 'x.y'\n", "status_page", id="page"),
            pytest.param(
                "[provider]\nname = 'x'\nhost = ['x']\n", "unknown key", id="provider-typo"
            ),
            pytest.param(
                "[provider]\nname = 'x'\n[links]\nauth = 'https://{host}/'\n",
                "link_hosts",
                id="host",
            ),
            pytest.param("[reasons.lower]\ncategory = 'auth'\n", "upper case", id="reason-name"),
            pytest.param("[reasons.MY_OWN]\ncategory = 'odd'\n", "category", id="category"),
            pytest.param(
                "[reasons.MY_OWN]\ncategory = 'auth'\nsummary = 'See {body}.'\n",
                "filled",
                id="blank",
            ),
            pytest.param("[surprise]\n", "unknown table", id="table"),
            pytest.param("provider = 'x'\n", "must be a table", id="provider-text"),
            pytest.param("reasons = 'x'\n", "must be a table", id="reasons-text"),
            pytest.param(
                "[[rules]]\nreason = ['LOCKED']\ncodes = ['A']\n", "reason", id="reason-list"
            ),
            pytest.param(
                "[[rules]]\nreason = 'LOCKED'\nheaders = {a = '('}\n", "compile", id="header"
            ),
        ],
    )
    def test_bad_row_is_named(self, text: str, complaint: str, tmp_path: Path) -> None:
        """Every mistake is told with its file and place; the good part does not hide it."""
        good = "[[rules]]\nreason = 'LOCKED'\ncodes = ['GOOD']\n"
        with pytest.raises(ConfigurationError) as caught:
            self.write(tmp_path, text + good if "[[rules]\n" not in text else text)
        assert complaint in str(caught.value)

    def test_all_mistakes_are_told_at_once(self, tmp_path: Path) -> None:
        """Two bad rows are two complaints of one error."""
        with pytest.raises(ConfigurationError) as caught:
            self.write(
                tmp_path, "[[rules]]\nreason = 'A'\ncodes = ['X']\n[[rules]]\nreason = 'B'\n"
            )
        assert len(caught.value.problems) == 3
        assert all("own" in problem for problem in caught.value.problems)


class TestPattern:
    @pytest.mark.parametrize(
        ("sources", "text", "found"),
        [
            (["rate limit", "slow"], "the rate limit", True),
            (["rate limits?"], "rate limit", True),
            (["(?:a|b)c", "x"], "bc", True),
            (["a{2}b"], "aab", True),
            ([r"\bword"], "sword", False),
            (["no sign", r"\d"], "nothing", False),
            (["(?:plan|seat) (?:limit|cap)"], "a seat cap", True),
            (["(?:plan|seat) (?:limit|cap)"], "the limit of your plan", False),
            (["abc"], "ab", False),
        ],
    )
    def test_found_as_the_expression_says(self, sources: list[str], text: str, found: bool) -> None:
        """The look for literals before the search never changes its outcome."""
        assert Pattern(list(map(as_data, sources))).found_in(text) is found

    @pytest.mark.parametrize(
        "spelling", ["INVALID_SESSION_ID", "InvalidSessionId", "invalid-session-id"]
    )
    def test_codes_have_one_normal_spelling(self, spelling: str) -> None:
        """A vendor's change of style does not make a code unknown."""
        assert normal_code(spelling) == "INVALID_SESSION_ID"

    def test_literals_never_hide_a_match(self) -> None:
        """For each rule of the catalog: where the whole pattern matches, the short cut agrees."""
        texts = [
            (json.loads(line).get("body") or "").lower()
            for line in (HERE / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        for rule in _worded(builtin()):
            assert rule.wording is not None
            whole = re.compile("|".join(f"(?:{source})" for source in rule.wording.sources))
            for text in texts:
                assert rule.wording.found_in(text) is (whole.search(text) is not None)


def _worded(catalog: Catalog) -> Iterator[Rule]:
    return (rule for rule in catalog.rules() if rule.wording is not None)
