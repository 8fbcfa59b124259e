"""The demo: the main job, told with real processes through the `mesh` command alone."""
