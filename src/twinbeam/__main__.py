"""`python -m twinbeam` is the `twinbeam` command."""

from twinbeam.cli import main

main()
