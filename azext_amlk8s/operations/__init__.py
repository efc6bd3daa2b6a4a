"""One file per command group; a handler reads like the sentence that describes it."""
