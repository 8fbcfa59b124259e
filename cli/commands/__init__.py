"""One function for each command; `cli.app` lists them, and each module is imported when it is called for."""
