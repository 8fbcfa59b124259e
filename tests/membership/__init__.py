"""Who belongs, on plain records: no keys, no texts."""
