"""`python -m savor`: the same as the `savor` command."""

from savor.cli.main import main

if __name__ == "__main__":
    main()
