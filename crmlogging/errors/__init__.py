"""What an error of a CRM means, and what to do about it.

    status, headers, body, exception
        |  bodies, markup    bytes -> JSON-like tree or text           (bounded, safe XML)
        |  findings          tree  -> codes, wording, fields, parts    (any vendor's shape)
        |  faults            exceptions -> causes, and the response they carry
        v
    judging     findings x catalog -> one reason each    (evidence order: code, hint, header,
        |                                                 wording, status)
        v
    classify    reasons -> `CrmError`: category, stable code, fields, ids, delay, links

The rules are data: ``catalog/*.toml``. Import from the modules: `crmlogging.errors.classify`,
`crmlogging.errors.model`, `crmlogging.errors.problem`.
"""
