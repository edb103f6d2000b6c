"""Promises of headings: what stands below one are names, unless it may be a value."""

from __future__ import annotations

import pytest

from crmlogging.errors.sentences.headings import headed_in


class TestHeadedIn:
    @pytest.mark.parametrize(
        ("message", "names"),
        [
            ("Invalid field(s) in the payload: a_b", ["a_b"]),
            ("The following parameters are not allowed: a, b", ["a", "b"]),
            ("Invalid value(s) for field(s): a and b.c", ["a", "b.c"]),
            ("found unpermitted parameters: :a, :b", ["a", "b"]),
            ("Bad request. Missing fields: ['a', 'b'].", ["a", "b"]),
            ("Unknown contact properties: a, b", ["a", "b"]),
            ("The payload contains unknown keys: a, b", ["a", "b"]),
            ("Pflichtfelder fehlen: nachname, plz", ["nachname", "plz"]),
            ("Champs obligatoires manquants : nom, prenom", ["nom", "prenom"]),
            ("Falta el parámetro requerido: codigo", ["codigo"]),
            ("Campos obrigatórios não informados: nome, cpf", ["nome", "cpf"]),
            ("Campo obbligatorio mancante: iva", ["iva"]),
            ("Verplicht veld ontbreekt: naam", ["naam"]),
            ("缺少必填参数：amount", ["amount"]),
        ],
    )
    def test_list_is_found(self, message: str, names: list[str]) -> None:
        """A noun for fields and a word that finds fault make what follows fields."""
        assert list(headed_in(message)) == names

    @pytest.mark.parametrize(
        "message",
        [
            "Allowed fields: a, b",
            "Invalid owner field: anna",
            "Field owner cannot be set: anna",
            "Field email is invalid: anna",
            "Duplicate field value: gold",
            "Bad value for restricted picklist field: gold",
            "Invalid API keys: abc",
            "Unknown user: anna",
            "Missing field: please provide it",
            "no colon",
            ": ",
        ],
    )
    def test_value_is_none(self, message: str) -> None:
        """What may be a value, or would be right, is none."""
        assert list(headed_in(message)) == []
