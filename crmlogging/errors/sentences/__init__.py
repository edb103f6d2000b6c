"""The fields that a sentence names, never a value: "Missing required fields: email, plan_tier".

named        a sentence -> names, from the surest way to name a field to the least sure
phrases      what any API may say
headings     lists below a heading, in eight languages
lists        lists within a sentence
validators   what validators, databases and APIs say
schemas      what schema validators and parsers say
languages    what is said in other languages than English
words        which words look like names of fields, and which never are
patterns     patterns that are searched only where their mark stands
"""
