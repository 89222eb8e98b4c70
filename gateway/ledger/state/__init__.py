"""The state that the gateway works with, recomputed from the entries that the log proves."""
