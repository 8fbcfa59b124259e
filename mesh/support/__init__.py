"""What people mean by what they send: posts and how they want to be heard. Warnings, circles and care come to live here."""
