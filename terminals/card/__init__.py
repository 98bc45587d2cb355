"""Cards and readers: APDUs, the PIV session, the PC/SC reader, and a PIV card in software."""
