"""The ``crmlogging`` command: tools skip broken input and say how much.

Exit codes: 0 fine, 1 findings, 2 usage.
"""
