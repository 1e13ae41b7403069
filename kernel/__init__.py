"""The mini-kernel: what stands where S-mode would, written against the public face of `vm`."""
