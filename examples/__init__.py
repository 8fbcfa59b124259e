"""Things to try: a story, a bot with its tests, a scenario in TOML, and an idea with a page of its own."""
