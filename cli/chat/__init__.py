"""`mesh chat --line`: a conversation line by line, for screen readers, slow terminals and scripts."""
