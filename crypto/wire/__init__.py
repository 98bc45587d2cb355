"""The messages: what is signed, by whom, and how it travels. FORMATS.md is the normative text."""
