"""What an error of a CRM means, and what to do about it.

    status, headers, body, exception
        |  raised      exceptions       -> their causes, and the response they carry
        |  answers     headers, bytes   -> a tree of JSON values, or text; delays, limits
        |  findings    the tree         -> causes: codes, sentences, fields, the request's id
        |  sentences   what causes say  -> the fields they name, in eight languages
        v
    verdicts           causes x catalog -> the `CrmError`: category, stable code, fields, links
        |  memory      what was answered before is not thought out again
        v
    classify, explaining, problem, record_fields

The rules are data, ``catalog/*.toml``; ``text`` is what all rooms stand on. A room imports only
those before it in the list ``model, text, catalog, answers, raised, findings, sentences, verdicts,
memory``. Import from `crmlogging.errors.classify`, `crmlogging.errors.model`,
`crmlogging.errors.problem`.
"""
