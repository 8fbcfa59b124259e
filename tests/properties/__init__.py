"""What must hold whatever happens, in which order, to whom: hypothesis drives, a trivial twin without keys judges."""
