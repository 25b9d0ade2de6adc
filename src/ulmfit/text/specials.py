"""The eight special tokens, their fixed ids, and the escape of their names in a user's text."""

UNKNOWN = "xxunk"
PADDING = "xxpad"
BEGIN = "xxbos"
END = "xxeos"
REPEAT = "xxrep"
WORD_REPEAT = "xxwrep"
UPPER = "xxup"
CAPITALISED = "xxmaj"

#: A token's id is its place here, in every vocabulary of the project.
SPECIALS = (UNKNOWN, PADDING, BEGIN, END, REPEAT, WORD_REPEAT, UPPER, CAPITALISED)
UNKNOWN_ID, PADDING_ID, BEGIN_ID, END_ID = 0, 1, 2, 3

#: A line end is an ordinary word of the vocabulary.
NEWLINE = "\n"
#: WikiText's mark for a word it left out: one ordinary word, and how `xxunk` is shown in text.
UNKNOWN_TEXT = "<unk>"

_NAMES = frozenset(SPECIALS)
_ESCAPES = {"\\" + name: name for name in SPECIALS}


def escape(word: str) -> str:
    r"""Give a word of a user's text a token that is no special one.

    No other token starts with a backslash and goes on, so the escape is undone without doubt.

    >>> escape("xxbos"), escape("good")
    ('\\xxbos', 'good')
    """
    return "\\" + word if word in _NAMES else word


def unescape(token: str) -> str:
    """Undo :func:`escape`."""
    return _ESCAPES.get(token, token)
