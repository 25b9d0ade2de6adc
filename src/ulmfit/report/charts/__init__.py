"""Charts as inline SVG: small functions, plain numbers in, markup out.

They are drawn on 360 units of width, so that the letters keep their size on a phone; colours come
from the page's style, which knows both themes; nothing is told by colour alone.
"""
