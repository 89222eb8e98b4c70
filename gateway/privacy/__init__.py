"""Erasing what tells of a data subject, retention, and legal holds."""
