"""`python -m cinealign`: the command `cinealign` where its script is not on the path."""

from cinealign.cli.app import main

if __name__ == "__main__":
    main()
