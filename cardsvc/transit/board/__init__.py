"""The live board: how many taps come, from where, and which gates are not heard of."""
