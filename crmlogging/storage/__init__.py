"""Bytes on disk, whoever writes them: shared files, rotation, archives, segments."""
