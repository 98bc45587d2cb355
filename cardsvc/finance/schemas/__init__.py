"""What the finance API reads and answers."""
