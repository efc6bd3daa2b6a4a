"""A fault-injecting TLS proxy between az and the sandbox, and what must hold whatever it does."""
