"""Rows in, batches of ids out; knows no words."""
