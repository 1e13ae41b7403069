"""/proc: the kernel's tables as files. proc(5)

Nothing of it is stored. An inode's number says what it is (numbers.py), the table of inodes makes it when somebody asks
for it (inodes.py), and its content is made from the kernel's tables when it is read (content.py): so that /proc costs
nothing while nobody looks, a snapshot has nothing to keep, and one process costs the same among ten thousand.

    tree.py      which names there are, and what makes their contents
    lookup.py    from a directory and a name to an inode; reading a directory
    links.py     self, exe, cwd, root, fd/N: what readlink says, and where they really lead
"""
