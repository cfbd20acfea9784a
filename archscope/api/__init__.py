"""The public verbs: their signatures, and which path a name, a spec or a graph takes. A file per kind of answer.

``archscope/__init__.py`` says which verb is at home in which file. No file bears the name of a verb.
"""
