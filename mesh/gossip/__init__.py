"""How frames travel: shared topics, push, repair, delivery state (network.md §2–4, §7). Pure; knows nobody by name."""
