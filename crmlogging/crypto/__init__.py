"""Encryption to a public key: one envelope for sealed fields, archives and the payload vault.

A service that logs holds the public key only, so that nobody who takes it over can read what it
sealed before. `keys` makes and reads keys, `envelope` agrees on a key with the recipient,
`tokens` seals one short text, `streams` a file of any length.

The package ``cryptography`` (extra ``crypto``) is imported at first use.
"""
