"""The sections of the page: each takes the findings and gives markup, or nothing."""
