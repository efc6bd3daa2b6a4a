"""The few things that one does daily."""
