"""Pages: what came of runs, as one file of HTML each that needs nothing else: no script, no network, no font."""
