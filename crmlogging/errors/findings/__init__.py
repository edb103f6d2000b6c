"""What the tree of a body tells: its causes, with codes, sentences, fields and the request's id.

reading        the walk over the tree, one finding a cause
roles          what a key means, in any vendor's spelling
values         what to make of the value under a key, one function a role
outcomes       the same for keys of success and failure
elements       lists: records of a bulk answer, errors
named_fields   fields that a body names, and the walk over maps of them
field_maps     whether a mapping is from fields to what is wrong with them
ids            which ids are the request's, which names are those of errors
finding        what is told of one cause
"""
