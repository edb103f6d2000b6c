"""What was answered before: failures come in storms, and are thought out once.

answers      the answers to responses; only hashes of these are kept
situations   what was answered while all but the body is the same
headings     what of headers decides
forms        bodies that differ in ids, times and echoed values alone
exceptions   what exceptions mean, told from their classes and words
"""
