"""A page to look at: numbers, drawings and explanations that are there already, put together as one file of HTML.

``page`` makes the file; ``charts`` what Plotly is to draw, as plain data; ``templates`` holds what is no Python.
"""
