"""Lists of fields below a heading: "Unknown field(s) in the payload: a, b", in eight languages.

A heading has a noun that says fields follow, and a word that finds fault with them. What follows
counts only if all of it has the shape of names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crmlogging.errors.text.late import late

__all__ = ["headed_in", "refused_in"]

_MAX_CLAUSES: Final = 20
_MAX_HEADING: Final = 120
_MAX_NAMES: Final = 20
_NAME: Final = late(r"[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}")
_WORD: Final = late(r"[^\W\d_]{2,30}")
_NEXT_CLAUSE: Final = late(r"\r?\n|; |[.!] (?=[A-Z])|。")
_BETWEEN: Final = late(
    r"\s?[,、，]\s?(?:(?:and|or|und|et|y|e|en) )?|\s(?:and|or|und|oder|et|y|e|en|ou)\s"
)
_MARKS: Final = " '\"`[](){}<>.:\u2018\u2019\u201c\u201d\u201e«»「」『』\u00a0"

_NOUNS: Final = frozenset(
    (
        # English; German
        "field fields param params parameter parameters property properties attribute attributes"
        " column columns argument arguments"
        " feld felder feldern pflichtfeld pflichtfelder parametern spalte spalten eigenschaft"
        " eigenschaften attribut attributen"
        # French; Spanish, Portuguese, Italian; Dutch
        " champ champs paramètre paramètres parametre parametres propriété propriétés colonne"
        " colonnes attributs"
        " campo campos campi parámetro parámetros parametro parametros parâmetro parâmetros"
        " parametri propiedad propiedades propriedade propriedades proprietà atributo atributos"
        " attributo attributi columna columnas coluna colunas colonna"
        " veld velden eigenschap eigenschappen attributen"
    ).split()
)
_AT_FAULT: Final = frozenset(
    (
        "invalid unknown unexpected unrecognized unrecognised unsupported unpermitted forbidden"
        " missing required mandatory duplicate duplicated extra extraneous disallowed undefined not"
        " no cannot wrong bad malformed incorrect empty blank null failed failing error errors"
        " rejected ignored readonly immutable must please read conflicting inaccessible unwritable"
        " fehlt fehlen fehlende fehlender fehlendes fehlerhaft fehlerhafte ungültig ungültige"
        " ungültiger ungültiges unbekannt unbekannte unbekannter unbekanntes unzulässig"
        " unzulässige unzulässiges erforderlich erforderliche nicht leer leere pflichtfeld"
        " pflichtfelder falsch"
        " manquant manquants manquante manquantes obligatoire obligatoires invalide invalides"
        " inconnu inconnus inconnue inconnues requis incorrect incorrects pas vide vides"
        " obligatorio obligatorios obligatoria obligatorias requerido requeridos requerida falta"
        " faltan faltante faltantes desconocido desconocidos inválido inválidos inválida inválidas"
        " invalido invalidos incorrecto vacío"
        " obrigatório obrigatórios obrigatória obrigatórias ausente ausentes faltando desconhecido"
        " desconhecidos não incorreto vazio"
        " obbligatorio obbligatori obbligatoria mancante mancanti sconosciuto sconosciuti non"
        " errato valido"
        " verplicht verplichte ontbreekt ontbreken ontbrekend ontbrekende onbekend onbekende"
        " ongeldig ongeldige niet leeg"
    ).split()
)
# After the noun, what follows is no name; before it, it is: "invalid value for field: x".
_VALUES: Final = frozenset(
    (
        "value values content contents option options wert werte valeur valeurs valor valores"
        " valore valori waarde waarden picklist type types name names"
    ).split()
)
# "Allowed fields: a, b" tells what would be right, unless it says not.
_RIGHT: Final = frozenset(
    (
        "allowed permitted supported accepted available valid possible known expected existing"
        " erlaubt erlaubte gültige zulässige autorisés permitidos consentiti toegestane"
    ).split()
)
_DENIED: Final = frozenset("not no cannot nicht pas non não no niet un".split())
# What may stand between the noun and the colon, and before a noun in the singular: with any other
# word it may be that field's value which follows ("Field owner cannot be set: anna").
_AROUND: Final = frozenset(
    (
        "in the body payload request json your you this that these following one or more of"
        " for on at is are was were be been have has had found supplied given provided specified"
        " set sent passed present included exist exists do does did include fill filled in enter"
        " and from with by to per query path url uri form header custom enum optional object"
        " record schema data only can can't could be used write written update updated defined"
        " some several any all sort sorting filter search order ordering"
        " recognized recognised validation was value values parse parsing"
        " fields field dem der den des das die im ist sind wert werte für feld bitte ausfüllen"
        " werden wurde wurden gesetzt angegeben angabe"
        " le la les l de du des dans un une est sont valeur pour le corps requête renseigné"
        " renseignés el los las del en son es para valor o os a as do da dos das no na em foi foram"
        " informado informados informada preenchido preenchidos enviado il lo i gli di nel sono è"
        " valore per het een van voor is zijn waarde in verzoek"
    ).split()
)
# "Missing key(s)", though never "Invalid API key".
_KEYS: Final = frozenset(("unknown", "unexpected", "unrecognized", "unrecognised", "extra"))
# Japanese, Chinese and Korean have no blanks between words.
_CJK_NOUNS: Final = (
    *(
        "フィールド",
        "パラメータ",
        "項目",
        "字段",
        "参数",
        "參數",
        "欄位",
        "属性",
        "필드",
        "파라미터",
    ),
)
_KNOWN: Final = _AROUND | _AT_FAULT | _RIGHT | _NOUNS
_PLURAL: Final = ("s", "feldern", "felder", "spalten", "en", "campi", "parametri", "attributi")
_CJK_AT_FAULT: Final = (
    *("不正", "必須", "無効", "不足", "未入力", "不明", "エラー", "错误", "缺少", "无效", "必填"),
    *("不能为空", "錯誤", "無效", "未知", "누락", "필수", "잘못"),
)
# Of these Rails says such things, too.
_NO_FIELDS: Final = frozenset(
    "user account request record object body payload authentication authorization".split()
)
_CLAUSES: Final = late(r", (?=[A-Z])|; |\n")
_REFUSED: Final = late(
    r"([A-Z][a-z0-9]{1,30}) (?:can't be|is (?:too|not (?:a number|included)|reserved|the wrong)"
    r"|must (?:exist|be (?:blank|accepted|greater|less|equal|odd|even|other|unique|an? ))"
    r"|has already been taken|does(?:n't| not) match)"
)


def headed_in(text: str) -> Iterator[str]:
    """Yield the names that stand below headings which say that fields follow.

    Example:
        >>> list(headed_in("Invalid field(s) in the payload: lead_temperature, tier"))
        ['lead_temperature', 'tier']
        >>> list(headed_in("Allowed fields: name, tier")), list(headed_in("Bad field value: gold"))
        ([], [])
    """
    if "：" in text:
        text = text.replace("：", ": ")
    # Rails: "found unpermitted parameters: :a, :b"
    text = text.replace(": :", ": ").replace(", :", ", ")
    for clause in _NEXT_CLAUSE.split(text, _MAX_CLAUSES):
        above, colon, below = clause.rpartition(":")
        if not colon or not below or below[0] not in " \u00a0[('\"`":
            continue
        heading = above.rpartition(": ")[2].rpartition("], ")[2][-_MAX_HEADING:].lower()
        if _says_fields_follow(heading):
            names = _names_in(below)
            if names:
                yield from names


def _names_in(below: str) -> list[str]:
    """Return the names of a list, or none if something in it is no name."""
    if below.endswith(")") and " (" in below:  # "a, b (2 errors)"
        below = below.partition(" (")[0] if below[0] != "(" and below[1:2] != "(" else below
    names = [name.strip(_MARKS) for name in _BETWEEN.split(below.strip(_MARKS), _MAX_NAMES)]
    return names if all(map(_NAME.fullmatch, names)) else []


def _says_fields_follow(heading: str) -> bool:
    if not heading.isascii() and any(noun in heading for noun in _CJK_NOUNS):
        return any(word in heading for word in _CJK_AT_FAULT)
    words = _WORD.findall(heading)
    told = set(words)
    if "keys" in told and not _KEYS.isdisjoint(told):
        return told.isdisjoint(("api", *_RIGHT))
    last = max((place for place, word in enumerate(words) if word in _NOUNS), default=-1)
    if last < 0 or not _VALUES.isdisjoint(words[last + 1 :]):
        return False
    several = words[last].endswith(_PLURAL) or "(s)" in heading
    if not all(word in _KNOWN for word in words[last + 1 if several else 0 :]):
        return False
    if not _RIGHT.isdisjoint(told) and _DENIED.isdisjoint(told):
        return False
    return not _AT_FAULT.isdisjoint(told)


def refused_in(text: str, lower: str) -> Iterator[str]:
    """Yield what Rails refuses a record for: "Validation failed: Slug is taken, Iban is bad"."""
    at = lower.find("validation failed: ")
    for clause in _CLAUSES.split(text[at + 19 :], 20) if at >= 0 else ():
        match = _REFUSED.match(clause)
        if match is not None and match[1].lower() not in _NO_FIELDS:
            yield match[1]
