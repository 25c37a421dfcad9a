"""Prepare data files on a person's machine: recognise their columns, check them, mend copies of them."""
