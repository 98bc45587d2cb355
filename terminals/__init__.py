"""Software beside a card reader: counter, kiosk, validator. Imports `crypto` only, never the service."""
