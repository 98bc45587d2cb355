"""The root command `./city`: names every command, loads one only when it is asked for."""
