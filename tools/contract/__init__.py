"""The contract of the API is checked as a file: names and limits of its callers, and that v1 only ever gains."""
