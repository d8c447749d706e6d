"""What became of every exception of a program that was not changed."""
