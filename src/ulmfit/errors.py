"""What went wrong, told apart by whose move it is."""


class InputError(ValueError):
    """The user's input or call is wrong; the message says what, where and what would be right."""
