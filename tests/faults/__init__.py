"""The fault suite: what is interrupted, filled up, damaged or attacked here must lose nothing.
`make test-faults` runs it."""
