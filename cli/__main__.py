"""`./city ...` ends here: run the root command."""

from cli.root import main

if __name__ == "__main__":
    main()
