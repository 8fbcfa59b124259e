"""Our own words: whether the catalogue has them all."""
