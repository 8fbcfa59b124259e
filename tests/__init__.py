"""The house's tests: they mirror mesh/ and cli/, and read like stories of Alice, Bob and Carol."""
