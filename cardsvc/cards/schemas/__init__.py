"""What the API of the cards takes and gives. Bytes are base64url; a slot is written 9A, 9C or 9E."""
