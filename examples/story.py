"""A story in ten lines: somebody is away, and catches up from another than the one who wrote."""

from simulations.api import Weather, circle, watched

world = watched(seed=1, weather=Weather(latency_ms=80, loss=0.05))  # every claim of a node is compared with what is so
gid, (wren, juniper, sorrel) = circle(world, "wren", "juniper", "sorrel")
juniper.off()
wren.post(gid, "First birthday without her.")
world.run(5)
wren.off()
juniper.on()  # and catches up from sorrel
assert world.run_until(lambda: juniper.reads(gid) == ["First birthday without her."], 30)
print(world.now_ms, "ms of virtual time,", world.digest[:16])
