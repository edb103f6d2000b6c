"""What happens to a record before it may leave: correlation, errors, allowlist, grouping."""
