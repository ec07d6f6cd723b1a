"""What every room uses: checked arguments, errors, safe paths, tables, turns between threads."""
