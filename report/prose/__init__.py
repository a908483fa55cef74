"""The report's sentences, worded by outcome. They go when the report is rewritten by an author, with guards."""
