"""What the keys of error bodies mean, in any vendor's spelling.

``errorCode``, ``error_code`` and ``ErrorCode`` are one key here: lower case without separators.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

__all__ = ["FAULT_ENDS", "TELLING_ENDS", "WRAPPER_ENDS", "Below", "Key", "Role", "role_of"]


class Role(IntEnum):
    """What stands under a key."""

    NONE = 0
    CODE = 1
    MESSAGE = 2
    ERRORS = 3
    FIELD = 4
    FIELD_ERRORS = 5
    CONTEXT = 6
    STATUS = 7
    SUCCESS = 8
    FAILURES = 9
    ID = 10
    DELAY = 11
    HINT = 12
    EXPECTED = 13
    PARTS = 14
    WRAPPER = 15
    NAME = 16
    SKIP = 17


class Key(NamedTuple):
    """A key of a body: its role, how specific it is within the role, and its plain spelling."""

    role: Role
    rank: int
    plain: str


Below = list[tuple[Role, str, Any]]
"""What an object holds for later: role, plain key, value."""

# Codes: the lower the rank, the more specific.
_CODES: Final = {
    "subcategory": 0, "errorcode": 1, "exceptioncode": 1, "oerrorcode": 1, "errcode": 1,
    "errorkey": 1, "replycode": 1, "exctype": 1,
    "serviceerrorcode": 1, "internalcode": 1, "errorcodestring": 1, "codename": 1,
    "apierrorcode": 1, "errorname": 1, "faultcode": 2, "errortag": 1, "errorslug": 1,
    "stringcode": 1, "code": 2, "resultcode": 2, "errornumber": 6, "errno": 5,
    "messageid": 7, "messagecode": 2, "returncode": 3, "responsecode": 3, "codevalue": 2,
    "category": 3, "errortype": 4, "errorcategory": 4, "exceptiontype": 4, "exception": 5,
    "reason": 4, "issue": 4, "problem": 4, "keyword": 4, "errorreason": 4, "rule": 5,
    "identifier": 5, "type": 6, "errorclass": 5, "exceptionclass": 5, "key": 6, "kind": 6,
    "ecode": 1, "datacode": 2, "fehlercode": 1, "codigoerror": 1, "codigoerro": 1,
    "codeerreur": 1, "codigo": 2, "código": 2, "codice": 3,
}  # fmt: skip
_HINTS: Final = (
    "policyname declinecode errorsubcode subcode substatus errorsubtype suberror "
    "networkdeclinecode advicecode quotalimit quotametric limittype ratelimittype limitname "
    "scopetype throttlereason errorcodes internalerrorcode innercode subtype quotatype window"
).split()
_MESSAGES: Final = (
    "message msg errmsg errormessage errormsg errordescription description title faultstring "
    "exceptionmessage text usermessage developermessage localizedmessage resultmessage "
    "failurereason longmessage shortmessage explanation statustext codedescription detailmessage "
    "messagetext summary phrase errordetail debugmessage reasonphrase displaymessage errortext "
    "errorstring hint statusmessage errorsummary messages errormessages failuremessage usermsg "
    "errordesc errdesc replytext localizedvalue rawmessage "
    "resultdescription troubleshoot submsg faulttext nachricht meldung fehlermeldung fehlertext "
    "fehlerbeschreibung beschreibung mensaje mensajeerror descripcion descripción mensagem "
    "mensagemerro descricao descrição messaggio descrizione melding bericht foutmelding komunikat "
    "felmeddelande fejlmeddelelse feilmelding hatamesaji mesaj сообщение"
).split()
_ERRORS: Final = (
    "error errors fault faults errorlist errordetails validationerrors validationerror "
    "validationresults failures failuremessages causes cause errorcauses innererror innererrors "
    "innerexception exceptions issues problems errorresponse odataerror oerrordetails usererrors "
    "errordetail customerusererrors validation violation validationmessages suberrors apierrors "
    "fielderrorslist reasons violations constraintviolations fieldviolations errorresult "
    "errorobject err serviceexception unexpectederrorfault exceptionreport mutationerrors "
    "lasterror joberrors fehler fehlerliste erro erros errore errori erreur erreurs errores fout "
    "fouten blad błąd bledy błędy fel fejl feil hata hatalar ошибка ошибки"
).split()
_FIELD_ERRORS: Final = (
    "fielderrors modelstate invalidparams invalidfields invalidparameters fieldmessages "
    "paramerrors parametererrors errorsbyfield badfields errorfields attributeerrors "
    "propertyerrors errormap fieldlist invalidinputs inputerrors formerrors errorsbypath"
).split()
_FIELDS: Final = (
    "field fieldname fields param parameter parametername property propertyname attribute "
    "attributename apiname pointer path loc target column columnname jsonpath instancepath "
    "datapath fieldpath fieldapiname missingfields requiredfields missingfield requiredfield "
    "fieldkey membernames attr argument argumentname propertynames matchingattribute "
    "missingproperties missingproperty fieldid fieldlabel invalidfield missingparameters element "
    "additionalproperty unevaluatedproperty "
    "fieldnames invalidproperties errorpath oerrorpath missing expectedfields propertypath xpath "
    "propertyref paramname columnid attributecode fieldcode feldname feld campo champ veld pole "
    "datafield inputfield formfield sourcefield failedfield conflictingfield fieldidentifier "
    "fieldref dottedpath keypath attributepath "
    "limitdueto ambiguitydueto errorparam errorfield offendingfield blamefieldspecs in keys"
).split()
_CONTEXT: Final = (
    "details detail context additionaldata extensions meta metadata source extra info "
    "additionalinfo responsemetadata "
    "contextinfo errordata extrainfo debug application invaliddata parameters params"
    " fieldpathelements statusdetail statusdetails errorinfo"
).split()
_IDS: Final = {
    "correlationid": 0, "requestid": 1, "xrequestid": 1, "reqid": 1, "logref": 2, "debugid": 2,
    "transactionid": 2, "fbtraceid": 2, "traceid": 3, "trackingid": 3, "activityid": 3,
    "operationid": 4, "xcorrelationid": 0, "requestuuid": 2, "traceparent": 5, "incidentid": 4,
    "supportid": 4, "logid": 4, "errorref": 4, "errorreference": 4, "referencenumber": 5,
    "uuid": 5, "instance": 6, "requestguid": 2, "clientrequestid": 7, "rid": 5, "hostid": 9,
    "messageuuid": 6, "serverrequestid": 1, "errorinstance": 3, "errortraceid": 3, "spanid": 9,
    "requesttraceid": 2, "erroridentifier": 3, "eventid": 6, "errorid": 5, "rndrid": 2, "ticket": 8,
    "pspreference": 3, "refid": 7, "erroruuid": 4, "callid": 6, "sentryid": 6, "flowid": 6,
    "exceptionid": 5, "faultid": 5, "requestnumber": 5, "requestref": 4, "requestreference": 4,
}  # fmt: skip
_DELAYS: Final = (
    "retryafter retryafterseconds retryaftersec retryaftersecs retryafters retryin "
    "retryinseconds retrydelay ratereset resetin resetafter resetinseconds waitseconds waittime "
    "secondstowait backoff backoffseconds delayseconds retryafterms retryaftermilliseconds "
    "retryaftermillis resetat resettime retryat retryafterdate estimatedresettime nextretryat "
    "availableat ratelimitreset wait waitfor waitsec"
).split()
_FAILURES: Final = (
    "numerrors haserrors failed errorcount failurecount failedcount numberfailed failurescount "
    "iserror haserror errorscount totalfailed numberrecordsfailed numfailed recordsfailed"
).split()
_SUCCESSES: Final = (
    "success ok succeeded issuccess successful issuccessful requestsuccess"
).split()
_PARTS: Final = (
    "results data users compositeresponse responses items records rows batch operations result "
    "returns contacts leads deals accounts companies persons people members tags modules"
).split()
_WRAPPERS: Final = (
    "response body envelope output return answer reply apiresponse jsonresponse root "
    "ultimatereceiver soapbody rsp embedded standard"
).split()
_EXPECTED: Final = (
    "expecteddatatype expected expectedtype maximumlength maxlength minlength minimumlength "
    "maximum minimum requiredtype datatype expectedformat format"
).split()
_SKIPPED: Final = (
    "errorinfourl helpurl documentationurl moreinfo links link href url docurl help "
    "stacktrace stack trace backtrace callstack"
).split()


def _table() -> dict[str, tuple[Role, int]]:
    table: dict[str, tuple[Role, int]] = {}
    for role, keys in (
        (Role.MESSAGE, _MESSAGES), (Role.ERRORS, _ERRORS), (Role.FIELD_ERRORS, _FIELD_ERRORS),
        (Role.FIELD, _FIELDS), (Role.CONTEXT, _CONTEXT), (Role.DELAY, _DELAYS),
        (Role.FAILURES, _FAILURES), (Role.SUCCESS, _SUCCESSES), (Role.PARTS, _PARTS),
        (Role.WRAPPER, _WRAPPERS), (Role.EXPECTED, _EXPECTED), (Role.HINT, _HINTS),
        (Role.SKIP, _SKIPPED),
    ):  # fmt: skip
        table.update(dict.fromkeys(keys, (role, 0)))
    table.update({key: (Role.CODE, rank) for key, rank in _CODES.items()})
    table.update({key: (Role.ID, rank) for key, rank in _IDS.items()})
    for key in "status stat statuscode httpstatuscode httpstatus httpcode state ack".split():
        table[key] = (Role.STATUS, 7)
    table["name"] = (Role.NAME, 5)
    table[".tag"] = (Role.CODE, 6)  # Dropbox's unions; a plain "tag" is a record's own
    return table


WRAPPER_ENDS: Final = ("response", "result", "results", "envelope", "return")
FAULT_ENDS: Final = ("fault", "exception")
TELLING_ENDS: Final = (*WRAPPER_ENDS, *FAULT_ENDS, "location")
"""Ends of keys without a role that tell what is below them."""

_ROLES: Final = _table()
_FIELD_ENDS: Final = (
    *(
        "field",
        "fieldname",
        "propertyname",
        "columnname",
        "parametername",
        "attributename",
        "relatedto",
    ),
    *("fieldpath", "jsonpath", "jsonpointer", "identifiers", "parameterpath", "pointer"),
)
_ID_ENDS: Final = ("requestid", "traceid", "correlationid", "requestuuid")
_ERROR_ENDS: Final = ("errors", "failedrecords", "failedrows", "faileditems", "rejections")
_KEYS_KEPT: Final = 4_096
_NOTHING: Final = (Role.NONE, 0)
_NO_KEY: Final = Key(Role.NONE, 0, "")
_spelled: dict[str, Key] = {}
_roleless: set[int] = set()


def _by_end(plain: str) -> tuple[Role, int]:
    """Return the role of a key that only its last word tells: ``erroneousFieldName``."""
    if plain.endswith(_FIELD_ENDS) and not plain.startswith("custom"):
        return Role.FIELD, 1
    if plain.startswith("field") and plain.endswith("errors"):
        return Role.FIELD_ERRORS, 1
    if plain.endswith(_ID_ENDS):
        return Role.ID, 4
    if plain.endswith(_ERROR_ENDS) and plain != "nonfielderrors":
        return Role.ERRORS, 1
    return _NOTHING


def role_of(key: object) -> Key:
    """Return what a body's key means, in any vendor's spelling.

    Example:
        >>> role_of("errorCode").role.name, role_of("X-Request-Id").role.name
        ('CODE', 'ID')
        >>> role_of("fax").role.name
        'NONE'
    """
    if type(key) is not str:
        return _NO_KEY
    known = _spelled.get(key)
    if known is None:
        if hash(key) in _roleless or len(key) > 64:
            return _NO_KEY
        plain = "".join(filter(str.isalnum, key.lower()))
        known = Key(*(_ROLES.get(key if key == ".tag" else plain) or _by_end(plain)), plain)
        if known.role is not Role.NONE:
            if len(_spelled) >= _KEYS_KEPT:
                _spelled.clear()
            _spelled[key] = known
        elif not plain.endswith(TELLING_ENDS):
            # A key without a role may be personal: only its hash is kept.
            if len(_roleless) >= _KEYS_KEPT:
                _roleless.clear()
            _roleless.add(hash(key))
    return known
