"""Properties are searched in the same way each time, however busy the machine is."""

from hypothesis import settings

settings.register_profile("text", deadline=None, derandomize=True)
settings.load_profile("text")
