"""From what was read to the `CrmError`: which vendor, which rule, which of several causes.

case           one answer or exception on its way through the rooms
providers      which vendor answered
judging        a cause -> the rule that decides, strongest evidence first
building       a rule -> the error: texts, links, ids, delay, fingerprint
field_errors   the fields at fault
operations     what was done to what: ``CONTACT_UPDATE``
"""
