"""The only code that knows the order of things: prepare, submit, poll, collect."""
