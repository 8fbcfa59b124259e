"""What is fast, measured beside its bar in one sitting, and never as a test that can fail by the clock."""
