"""The front door: it parses, asks and renders. It knows the local Api, and nothing of keys or networks."""
