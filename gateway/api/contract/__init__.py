"""The API and its events as files: what callers, generators and consumers of events build on."""
