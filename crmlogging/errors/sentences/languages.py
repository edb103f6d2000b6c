"""Sentences in other languages than English that name a field in a fixed place."""

from __future__ import annotations

from typing import Final

from crmlogging.errors.sentences.patterns import CLOSE, NAME, OPEN, PATH, marked

__all__ = ["OF_LANGUAGES"]

_IS: Final = (
    r"(?:ist|sind|fehlt|darf|muss|wird|es|está|no|debe|é|è|não|deve|est|ne|n'|doit|non|is|moet)\b"
)
_WORTH: Final = r"(?:wert|valeur|valore?|waarde)"
_ASCII_NAME: Final = r"([A-Za-z_][A-Za-z0-9_.]{0,63})[」』\"'`]? ?"
# A noun for fields, and how it may end.
_NOUNS: Final = (
    *(("feld", "(?:e[rs])?"), ("champ", "s?"), ("campo", "s?"), ("veld", "(?:en)?")),
    *(("paramètre", "s?"), ("parametre", "s?"), ("parámetro", "s?"), ("parâmetro", "s?")),
    *(("parametro", "s?"), ("pole", ""), ("fält", "(?:et)?"), ("felt", "(?:et)?"), ("поле", "")),
    *(
        ("フィールド", ""),
        ("項目", ""),
        ("パラメータ", "ー?"),
        ("字段", ""),
        ("参数", ""),
        ("필드", ""),
    ),
)
_DEMANDS: Final = (
    *("ist ein pflichtfeld", "ist erforderlich", "muss angegeben", "darf nicht leer"),
    *("est obligatoire", "est requis", "ne peut pas être vide", "ne doit pas être vide"),
    *("es obligatorio", "es requerido", "no puede estar vacío", "é obrigatório", "não pode ser"),
    *("è obbligatorio", "non può essere vuoto", "is verplicht", "mag niet leeg"),
)
_LABELS: Final = (
    *("pflichtfeld", "champ obligatoire", "campo obligatorio", "campo requerido"),
    *("campo obrigatório", "campo obbligatorio", "verplicht veld"),
)

OF_LANGUAGES: Final = marked(
    *(
        (noun, rf"\b{noun}s? {OPEN}?{NAME}{CLOSE}?(?:\s{_IS}| ?: )")
        for noun in ("feld", "campo", "champ", "veld")
    ),
    *(
        (noun, rf"\b{noun} {OPEN}?{NAME}{CLOSE}?\s{_IS}")
        for noun in ("paramètre", "parámetro", "parâmetro", "parametro")
    ),
    ("parameter ", rf"\bparameter {OPEN}?{NAME}{CLOSE}?\s(?:ist|fehlt|darf|muss)\b"),
    *((noun, rf"{noun}{rest} ?{OPEN}{NAME}{CLOSE}") for noun, rest in _NOUNS),
    *(
        (
            noun,
            rf"\b{_WORTH} (?:\S{{1,60}} )?\w{{2,4}} (?:\w{{2,3}} )?{noun} {NAME}(?=[\s.,;:!]|$)",
        )
        for noun in ("feld", "champ", "campo", "veld")
    ),
    *((said, rf"(?:^|[\n;:,.] ?){OPEN}{NAME}{CLOSE}\s{said}\b") for said in _DEMANDS),
    *((said, rf"(?:^|[\n;,] ?){PATH} ?: ?{said}\b") for said in _LABELS),
    ("は", _ASCII_NAME + r"は、?(?:必須|必ず|空)"),
    ("を入力", _ASCII_NAME + "を入力"),
    *((said, _ASCII_NAME + said) for said in ("不能为空", "必填", "字段", "参数")),
)
"""Of these the group is a field, whatever it looks like."""
