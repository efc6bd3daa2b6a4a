"""Everything that is printed for people: errors, progress, prompts, reports."""
