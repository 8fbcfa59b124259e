"""What people mean by what they send: posts, and how they want to be heard."""
