"""Redaction: a record is reduced to what the source, its own facts and an allowlist let out.

``patterns`` compiles the allowlist; ``projection`` walks a record's values along it (``values``
unfolds foreign kinds, ``masks`` shows a value in part); ``call_site``, ``templates`` and
``splitting`` find the static message; ``facts`` and ``safe_exceptions`` tell what is known
without any value.
"""
