"""The node: trio, libp2p, the disk and the clock around one `Peer`. Everything here may wait; nothing below may."""
