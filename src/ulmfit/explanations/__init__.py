"""Why a classifier answers as it does: which words of a text moved the answer."""

from ulmfit.explanations.explanation import Explanation, Word, explain, explain_many

__all__ = ["Explanation", "Word", "explain", "explain_many"]
