"""Exceptions of any library, and the responses that they carry; no library is imported for it.

faults      an exception or its text -> classes, words, code, answer
responses   a response of any HTTP client -> status, headers, body, method, URL
glance      the same at a tenth of the cost, for classes that are plain
"""
