"""What happens to a whole text before it is split."""

from ulmfit.text.rules import Rules, normalise_spaces, repair_html


def prepare(text: str, rules: Rules) -> str:
    """Apply the rules that look at a whole text; replace lone surrogates."""
    if not text.isascii():
        text = replace_surrogates(text)
    if rules.html:
        text = repair_html(text)
    return normalise_spaces(text) if rules.spaces else text


def replace_surrogates(text: str) -> str:
    """Join surrogate pairs and write U+FFFD for lone ones."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
