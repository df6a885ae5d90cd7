"""The completions of page *Complete*: what is asked for, their runs, and how they are shown."""
