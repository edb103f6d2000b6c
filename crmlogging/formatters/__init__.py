"""How a record becomes text: one JSON object a line, or a line for a person's eyes."""
