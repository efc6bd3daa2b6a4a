"""How much it costs, measured beside az's own floor in one run; a test never asserts a time."""
