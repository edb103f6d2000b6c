"""What every room asks of text.

shapes        codes, ids and slugs that may leave, and the looks of a secret
field_names   names of fields that may leave
late          patterns that are compiled when they are first asked
"""
