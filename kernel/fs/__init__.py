"""The file system: inodes, directories, open files, pipes, devices and the mounts. kernel/fs/api.py is its face."""
