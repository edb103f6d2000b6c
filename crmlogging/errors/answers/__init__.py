"""What an HTTP answer is made of, as it came.

bodies        bytes -> a tree of JSON values, or text: JSON, XML, pages, forms, tables, batches
broken_json   JSON that was cut off, Python's ``repr`` of it
markup        XML and HTML, without entities
headers       the few that tell something: ids and codes
delays        how long to wait: headers, keys of bodies, words
limits        rate limits as numbers
"""
