"""One prompt over many inputs at the providers' batch price, every field traced, every cent counted."""
