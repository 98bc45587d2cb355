"""What the room shows in a browser."""
