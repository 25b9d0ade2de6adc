"""Which texts are worth labelling next: those the model is unsure of, unlike each other."""

from ulmfit.suggestions.suggesting import Suggestion, suggest, suggest_file

__all__ = ["Suggestion", "suggest", "suggest_file"]
